"use strict";
const { lstatSync, mkdirSync } = require("node:fs");
const { homedir } = require("node:os");
const path = require("node:path");

/**
 * The operator's cache folder for millwright, made if needed. What lies in it is run as code: undefined when it cannot be made, or when
 * anybody else could write there.
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @param {number | undefined} uid
 * @returns {string | undefined}
 */
function ownCacheFolder(environment, uid) {
  try {
    const folder = path.join(environment["XDG_CACHE_HOME"] || path.join(environment["HOME"] || homedir(), ".cache"), "millwright");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid: owner, mode } = lstatSync(folder);
    return owner === uid && (mode & 0o022) === 0 ? folder : undefined;
  } catch {
    // No home, or none that can be written to: everything works without the cache, only later.
    return undefined;
  }
}

module.exports = { ownCacheFolder };
