import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { MillwrightError } from "../kernel/errors.ts";

export type Processor = "x64" | "arm64";

/** `uname -m` as npm names processors; undefined for one that millwright does not run on. */
export function processorOf(machine: string): Processor | undefined {
  return machine === "x86_64" ? "x64" : machine === "aarch64" ? "arm64" : undefined;
}

/** The Node binary for hosts, from the npm package `node-linux-<processor>`: every host gets the same one (docs/decisions/0002). */
export async function nodeRuntimeFile(processor: Processor): Promise<string> {
  const name = `node-linux-${processor}`;
  try {
    const file = join(dirname(createRequire(import.meta.filename).resolve(`${name}/package.json`)), "bin/node");
    await stat(file);
    return file;
  } catch (cause) {
    throw new MillwrightError("NODE_RUNTIME_MISSING", `This installation has no Node runtime for hosts with ${processor} processors.`, {
      subject: name,
      hint: `Beside millwright: npm install --no-save --force ${name}`,
      cause,
    });
  }
}
