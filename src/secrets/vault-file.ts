import { readFile } from "node:fs/promises";
import { writeDurable } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";

// Apart from vault.ts: whoever only passes a vault on (render, deploy) does not load the encryption.

export async function readVaultFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new MillwrightError("VAULT_MISSING", "The environment's vault is not in the site's folder.", {
      subject: path,
      hint: "Get it from the site's git history.",
      cause: error,
    });
  }
}

export async function writeVaultFile(path: string, armored: string): Promise<void> {
  await writeDurable(path, armored.endsWith("\n") ? armored : `${armored}\n`);
}
