import { readFile } from "node:fs/promises";
import { writeDurable } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";

// Apart from vault.ts: whoever only passes a vault on (render, deploy) does not load the encryption.

/** Throws VAULT_INVALID when the text cannot be an age file; whether it opens, only an identity tells. */
export async function readVaultFile(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new MillwrightError("VAULT_MISSING", "The environment's vault is not in the site's folder.", {
      subject: path,
      hint: "Get it from the site's git history.",
      cause,
    });
  });
  if (isWhole(text)) return text;
  throw new MillwrightError("VAULT_INVALID", "The vault cannot be read: it is not an armored age file, or not all of one.", { subject: path });
}

const ARMOR = /^-----BEGIN AGE ENCRYPTED FILE-----\s([A-Za-z0-9+/=\s]+)\s-----END AGE ENCRYPTED FILE-----\s*$/;
const HEADER = "age-encryption.org/v1\n";

function isWhole(text: string): boolean {
  const body = ARMOR.exec(text)?.[1]?.replace(/\s/g, "") ?? "";
  return body.length % 4 === 0 && Buffer.from(body, "base64").subarray(0, HEADER.length).toString("latin1") === HEADER;
}

export async function writeVaultFile(path: string, armored: string): Promise<void> {
  await writeDurable(path, armored.endsWith("\n") ? armored : `${armored}\n`);
}
