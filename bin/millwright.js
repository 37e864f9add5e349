#!/usr/bin/env node
import * as module from "node:module";

// Node 22 and newer keep compiled code between runs; on 20 the function does not exist.
module.enableCompileCache?.();
await import("../dist/cli/main.js");
