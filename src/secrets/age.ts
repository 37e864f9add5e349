import { armor, Decrypter, Encrypter } from "age-encryption";
import { MillwrightError } from "../kernel/errors.ts";
import type { Secret } from "../kernel/secret.ts";

/** What an encrypted file is called in an error, and what to do about it. */
export interface SealedWords {
  readonly name: string;
  readonly locked: string;
  readonly damaged: string;
}

/** Armored age text that only these recipients can open, also with the `age` program alone. It is another text each time. */
export async function seal(content: string | Uint8Array, recipients: readonly string[]): Promise<string> {
  if (recipients.length === 0) throw new MillwrightError("INTERNAL", "What has no recipient could never be opened.");
  const encrypter = new Encrypter();
  for (const recipient of new Set(recipients)) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(content));
}

/** Throws VAULT_LOCKED when it is not for this identity, VAULT_INVALID when it is damaged. */
export async function unseal(armored: string, identity: Secret, words: SealedWords): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity.reveal());
  try {
    return await decrypter.decrypt(decode(armored, words));
  } catch (error) {
    if (error instanceof MillwrightError) throw error;
    // age-encryption has no error classes; these are its words when no stanza is for the identity.
    if (error instanceof Error && error.message.includes("no identity matched")) {
      throw new MillwrightError("VAULT_LOCKED", `${words.name} was not encrypted for this identity.`, { hint: words.locked, cause: error });
    }
    throw damaged(words, "it was changed or cut off after it was written", error);
  }
}

export function damaged(words: SealedWords, why: string, cause?: unknown): MillwrightError {
  return new MillwrightError("VAULT_INVALID", `${words.name} cannot be read: ${why}.`, { hint: words.damaged, cause });
}

function decode(armored: string, words: SealedWords): Uint8Array {
  try {
    return armor.decode(armored);
  } catch (error) {
    throw damaged(words, "it is not an armored age file", error);
  }
}
