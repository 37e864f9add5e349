import { randomBytes } from "node:crypto";
import { Secret } from "../kernel/secret.ts";

/** Random bytes as a parameter, so that tests can know them. */
export interface Random {
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = { bytes: (count) => randomBytes(count) };

/** 256 random bits in letters, digits, `-` and `_`: nothing that a configuration format, a shell or a URL would have to quote. */
export function generateSecret(random: Random = systemRandom): Secret {
  // A leading dash looks like an option to programs that take the value as a word.
  return new Secret(`s${Buffer.from(random.bytes(32)).toString("base64url")}`);
}
