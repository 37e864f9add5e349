import * as z from "zod";
import { MillwrightError } from "../kernel/errors.ts";
import { didYouMean } from "../site/did-you-mean.ts";
import { accountName, byteSize, domain, email, hostAddress, moduleName, siteName, text } from "../site/site-values.ts";

/** zod's own words name its types; each rule here says what to type. */
function whole(from: number, to: number) {
  const rule = `must be a whole number from ${from} to ${to}`;
  return z.int(rule).min(from, rule).max(to, rule);
}

function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.enum(choices, `must be one of ${choices.join(", ")}`);
}

/** What the wizard must know, flat: a key is what `--set` and the answers file call it. Empty means none. */
export const answersSchema = z.strictObject({
  company: text(100),
  name: siteName,
  series: oneOf(["19.0", "18.0", "17.0"]),
  users: whole(1, 2000),
  modules: z.array(moduleName).max(200),
  domain,
  certificate: oneOf(["ca", "acme", "files"]),
  acmeEmail: email,
  certificateChain: text(500),
  certificateKey: text(500),
  address: hostAddress,
  port: whole(1, 65_535),
  admin: accountName,
  memory: z.string().refine((value) => byteSize.safeDecode(value).success, "must be a size such as 16GiB"),
  cpus: whole(1, 256),
  jump: z.string().regex(/^(?:[a-z_][a-z0-9_-]{0,31}@[a-z0-9.-]+(:\d{1,5})?)?$/, "must be account@host or account@host:port, or empty"),
  mirror: z.string().regex(/^(?:https?:\/\/[a-z0-9.-]+(:\d{1,5})?)?$/, "must be http(s)://host:port without a path, or empty"),
  dataDisk: z.string().regex(/^(?:\/dev\/[A-Za-z0-9][A-Za-z0-9_./:-]*)?$/, "must be a device such as /dev/sdb, or empty"),
  sessions: oneOf(["files", "redis"]),
  staging: z.boolean("must be yes or no"),
  stagingAddress: hostAddress,
  stagingDomain: domain,
});

export type AnswerKey = keyof typeof answersSchema.shape;

/** All that was asked: what a question's `when` leaves out is absent. */
export const wholeAnswersSchema = answersSchema.partial({
  acmeEmail: true,
  certificateChain: true,
  certificateKey: true,
  stagingAddress: true,
  stagingDomain: true,
});
export const someAnswersSchema = answersSchema.partial();

export type Answers = Readonly<z.infer<typeof wholeAnswersSchema>>;
export type AnswersSoFar = Readonly<z.infer<typeof someAnswersSchema>>;

/** A text, as it is typed or stands after `--set key=`, as the key's type of value. */
export function parseAnswer(key: AnswerKey, typed: string): unknown {
  const trimmed = typed.trim();
  if (NUMBERS.has(key)) return /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
  if (key === "staging") return /^(?:yes|true|on|y)$/i.test(trimmed) ? true : /^(?:no|false|off|n)$/i.test(trimmed) ? false : trimmed;
  return key === "modules" ? trimmed.split(/[\s,]+/).filter((name) => name !== "") : trimmed;
}

const NUMBERS: ReadonlySet<AnswerKey> = new Set(["users", "port", "cpus"]);

/** True, or what is wrong with a value for a key. */
export function judgeAnswer(key: AnswerKey, value: unknown): true | string {
  const [issue] = answersSchema.shape[key].safeParse(value).error?.issues ?? [];
  if (issue === undefined) return true;
  // Of a value in an answers file that is no text at all.
  return issue.message.startsWith("Invalid input") ? "must be text" : issue.message;
}

/** Answers given beforehand: the content of an answers file, overruled by `key=value` pairs. Throws one ANSWERS_INVALID for all that is wrong. */
export function readAnswers(file: unknown, sets: readonly string[]): AnswersSoFar {
  const wrong: string[] = [];
  const given: Record<string, unknown> = {};
  const take = (key: string, value: unknown, from: string): void => {
    if (!isAnswerKey(key)) {
      const meant = didYouMean(key, Object.keys(answersSchema.shape));
      wrong.push(`${from} ${key}: there is no such key${meant === undefined ? "" : ` (did you mean "${meant}"?)`}`);
      return;
    }
    const parsed = typeof value === "string" ? parseAnswer(key, value) : value;
    const judged = judgeAnswer(key, parsed);
    if (judged === true) given[key] = parsed;
    else wrong.push(`${from} ${key}: ${judged}`);
  };
  if (file !== undefined && file !== null) {
    if (typeof file === "object" && !Array.isArray(file)) for (const [key, value] of Object.entries(file)) take(key, value, "answers file:");
    else wrong.push("answers file: must be a map of keys");
  }
  for (const set of sets) {
    const at = set.indexOf("=");
    if (at < 1) wrong.push(`--set ${set}: must be key=value`);
    else take(set.slice(0, at), set.slice(at + 1), "--set");
  }
  if (wrong.length > 0) {
    throw new MillwrightError("ANSWERS_INVALID", wrong.length === 1 ? "An answer breaks a rule." : `${wrong.length} answers break a rule.`, {
      details: wrong,
      hint: "`millwright new --list` shows the keys and what they take.",
    });
  }
  return someAnswersSchema.parse(given);
}

function isAnswerKey(key: string): key is AnswerKey {
  return Object.hasOwn(answersSchema.shape, key);
}
