import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { createDurable, hasCode } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { Secret } from "../kernel/secret.ts";

/** An age key pair: who holds the identity can open what was encrypted for the recipient. */
export interface Identity {
  readonly identity: Secret;
  readonly recipient: string;
}

export const IDENTITY_RECOVERY_HINT =
  "Keep a copy of this file off this machine (password manager, safe). Without it, and without another operator's, the site's secrets cannot be read again.";

/** The identity file at `path`, made when it is absent. Never replaces one, and is there whole or not at all. */
export async function ensureIdentity(path: string): Promise<Identity & { readonly created: boolean }> {
  const { text, ...made } = await makeIdentity("age identity. Keep it secret and keep a copy.");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await createDurable(path, `${text.reveal()}\n`, 0o600);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    return { ...(await readIdentity(path)), created: false };
  }
  return { ...made, created: true };
}

/** A new identity and the text that its file holds, for who writes it down. */
export async function makeIdentity(remark: string): Promise<Identity & { readonly text: Secret }> {
  const made = await generateIdentity();
  const recipient = await identityToRecipient(made);
  return { identity: new Secret(made), recipient, text: new Secret(`# millwright: ${remark}\n# public key: ${recipient}\n${made}`) };
}

/** Reads an identity file as `age-keygen` and this tool write it. Refuses one that others can read. */
export async function readIdentity(path: string): Promise<Identity> {
  const { text, mode } = await readIdentityFile(path);
  if ((mode & 0o077) !== 0) {
    throw new MillwrightError("IDENTITY_UNSAFE", "Other accounts of this machine can read the age identity.", {
      subject: path,
      hint: `Run \`chmod 600 ${path}\`. If others may have read it, replace it and every secret it opens.`,
    });
  }
  const found = /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/m.exec(text)?.[0];
  if (found === undefined) throw missing(path, "holds no age identity");
  try {
    return { identity: new Secret(found), recipient: await identityToRecipient(found) };
  } catch (error) {
    throw missing(path, "holds a damaged age identity", error);
  }
}

async function readIdentityFile(path: string): Promise<{ readonly text: string; readonly mode: number }> {
  try {
    return { text: await readFile(path, "utf8"), mode: (await stat(path)).mode };
  } catch (error) {
    throw missing(path, "cannot be read", error);
  }
}

function missing(path: string, why: string, cause?: unknown): MillwrightError {
  return new MillwrightError("IDENTITY_MISSING", `The file of the age identity ${why}.`, {
    subject: path,
    hint: "Put back your copy of it.",
    cause,
  });
}
