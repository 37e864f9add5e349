"use strict";
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");
const { crc32 } = require("node:zlib");

const CHECKSUM_BYTES = 8;

/**
 * Runs a bundle of CommonJS files with the code that V8 compiled for an earlier run, and leaves what it compiles for the next one. V8
 * compiles a function when it is first called; Node's own cache is made before that and holds hardly any. What is kept is one file, so
 * each command has its own: it holds what that command calls.
 *
 * @param {string} entry The bundle's first file. Its text must change when any file of the bundle does.
 * @param {string} keptFile Nobody else may be able to write there: what it holds is run as code.
 * @returns {void}
 */
function runKept(entry, keptFile) {
  const folder = path.dirname(entry);
  const entryText = readFileSync(entry, "utf8");
  const kept = readKept(keptFile, entryText);
  /** @type {Map<string, { readonly exports: unknown, readonly script: Script }>} */
  const loaded = new Map();
  let isNew = false;

  /** @param {string} name */
  const load = (name) => {
    const before = loaded.get(name);
    if (before !== undefined) return before.exports;
    const filename = path.join(folder, name);
    const text = filename === entry ? entryText : readFileSync(filename, "utf8");
    const cachedData = kept.get(name);
    const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${text}\n})`, { filename, cachedData });
    if (script.cachedDataRejected !== false) isNew = true;
    const module = { exports: {}, script };
    loaded.set(name, module);
    script.runInThisContext().call(module.exports, module.exports, requireFrom, module, filename, folder);
    return module.exports;
  };
  /** @param {string} id */
  const requireFrom = (id) => (id.startsWith("./") ? load(id.slice(2)) : require(id));

  process.on("exit", (code) => {
    if (code !== 0 || !isNew) return;
    const made = [...loaded].map(([name, { script }]) => /** @type {const} */ ([name, script.createCachedData()]));
    writeKept(keptFile, entryText, new Map([...kept, ...made]));
  });
  load(entry.slice(folder.length + 1));
}

/**
 * Empty when there is nothing that is whole and of this bundle; whether it is of this V8, V8 sees itself. It does not see damage, and would
 * run it.
 *
 * @param {string} file
 * @param {string} entryText
 * @returns {Map<string, Buffer>}
 */
function readKept(file, entryText) {
  try {
    const content = readFileSync(file);
    const rest = content.subarray(CHECKSUM_BYTES);
    if (content.toString("latin1", 0, CHECKSUM_BYTES) !== checksum(rest)) return new Map();
    const end = rest.indexOf("\n");
    const head = JSON.parse(rest.toString("utf8", 0, end));
    if (head.entryText !== entryText) return new Map();
    let at = end + 1;
    return new Map(head.files.map(([name, length]) => [name, rest.subarray(at, (at += length))]));
  } catch {
    // None yet, or none that can be read: everything works without, only later.
    return new Map();
  }
}

/**
 * @param {string} file
 * @param {string} entryText
 * @param {ReadonlyMap<string, Buffer>} kept
 */
function writeKept(file, entryText, kept) {
  const head = JSON.stringify({ entryText, files: [...kept].map(([name, { length }]) => [name, length]) });
  const rest = Buffer.concat([Buffer.from(`${head}\n`), ...kept.values()]);
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(draft, Buffer.concat([Buffer.from(checksum(rest)), rest]), { mode: 0o600 });
    renameSync(draft, file);
  } catch {
    // A full disk, say. The command has done its work.
  }
}

/** @param {Buffer} bytes */
function checksum(bytes) {
  return crc32(bytes).toString(16).padStart(CHECKSUM_BYTES, "0");
}

module.exports = { runKept };
