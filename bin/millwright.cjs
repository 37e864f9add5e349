#!/usr/bin/env node
"use strict";
// CommonJS, like the bundle: Node's loader of modules costs every start some milliseconds and takes no code that was compiled before.
const module_ = require("node:module");
const path = require("node:path");
const { ownCacheFolder } = require("./cache-folder.cjs");
const { runKept } = require("./kept-code.cjs");

const entry = path.join(__dirname, "../dist/cli/main.cjs");
const cache = ownCacheFolder(process.env, process.getuid?.());
// For the packages outside the bundle; by default Node 22 and newer would keep them in /tmp, where anybody could put some. Node 20 keeps none.
if (cache !== undefined) module_.enableCompileCache?.(path.join(cache, "compiled"));

if (process.argv.includes("--debug")) {
  process.setSourceMapsEnabled(true);
  // Node reads source maps of what it loads itself.
  require(entry);
} else if (cache === undefined) {
  require(entry);
} else {
  const [, , word = ""] = process.argv;
  runKept(entry, path.join(cache, "commands", /^[a-z]+$/.test(word) ? word : "millwright"));
}
