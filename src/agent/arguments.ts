import { MillwrightError } from "../kernel/errors.ts";
import { VERBS, type Verb } from "./protocol.ts";

type ArgumentName = (typeof VERBS)[Verb]["arguments"][number];

/** A verb's arguments by name. */
export type ArgumentsOf<V extends Verb> = { readonly [Name in (typeof VERBS)[V]["arguments"][number]]: string };

/** What each kind of argument may look like. None can hold a space, a slash, a quote or begin with a dash or a dot. */
export const ARGUMENTS: Readonly<Record<ArgumentName, RegExp>> = {
  stack: /^(?=.{1,48}$)[a-z][a-z0-9]*(-[a-z0-9]+)+$/,
  plan: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
  run: /^(last|[0-9]{8}-[0-9]{6}-[0-9a-f]{4})$/,
  service: /^[a-z][a-z0-9_-]{0,62}$/,
  lines: /^[1-9][0-9]{0,4}$/,
  image: /^sha256:[0-9a-f]{64}$/,
};

export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word);
}

/** Matches words against the verb's grammar; GATE_REFUSED names what does not fit, without repeating it. */
export function readArguments<V extends Verb>(verb: V, words: readonly string[]): ArgumentsOf<V> {
  const names: readonly ArgumentName[] = VERBS[verb].arguments;
  if (words.length !== names.length) {
    const expected = names.length === 0 ? "no arguments" : `the arguments ${names.map((name) => `<${name}>`).join(" ")}`;
    throw new MillwrightError("GATE_REFUSED", `The verb ${verb} takes ${expected}, and was given ${words.length}.`);
  }
  const wrong = names.find((name, index) => !ARGUMENTS[name].test(words[index] ?? ""));
  if (wrong !== undefined) throw new MillwrightError("GATE_REFUSED", `The argument <${wrong}> of ${verb} is not well formed.`);
  return Object.fromEntries(names.map((name, index) => [name, words[index] ?? ""])) as ArgumentsOf<V>;
}
