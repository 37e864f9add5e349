import { MillwrightError } from "../kernel/errors.ts";
import type { Secret } from "../kernel/secret.ts";
import { SECRET_REFERENCE } from "../site/secret-reference.ts";

export type SecretValues = Readonly<Record<string, Secret>>;

/** Puts values in the place of every `<<secret NAME>>`. Values are not looked into: one that holds a reference stays as it is. */
export function fillSecrets(content: string, values: SecretValues): string {
  const wanted = referencedSecrets(content);
  const missing = wanted.filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) {
    throw new MillwrightError("SECRET_MISSING", `The vault does not hold ${missing.join(", ")}.`, {
      subject: missing.join(", "),
      hint: "Run `millwright deploy` where the operator's identity is: it makes the secrets that are missing.",
    });
  }
  return content.replace(SECRET_REFERENCE, (reference, name: string) => values[name]?.reveal() ?? reference);
}

/** Names that a file refers to, each once, in the order of the file. */
function referencedSecrets(content: string): readonly string[] {
  const names = [...content.matchAll(SECRET_REFERENCE)].map((match) => match[1] ?? "");
  if (content.split("<<secret").length - 1 !== names.length) {
    throw new MillwrightError("SECRET_MISSING", "A file holds a reference to a secret that is not well formed.", {
      hint: "It must read <<secret NAME>> with a name of lower-case letters, digits and underscores.",
    });
  }
  return [...new Set(names)];
}
