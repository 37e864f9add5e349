#!/usr/bin/env node
import * as module from "node:module";
import { join } from "node:path";
import { ownCacheFolder } from "./cache-folder.js";

if (process.argv.includes("--debug")) process.setSourceMapsEnabled(true);
// Node 22 and newer keep compiled code between runs, by default in /tmp, where anybody could put some; on 20 the function does not exist.
const cache = module.enableCompileCache === undefined ? undefined : ownCacheFolder(process.env, process.getuid?.());
if (cache !== undefined) module.enableCompileCache(join(cache, "compiled"));
await import("../dist/cli/main.js");
