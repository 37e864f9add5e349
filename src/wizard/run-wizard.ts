import { MillwrightError } from "../kernel/errors.ts";
import { readIfThere, writeDurable } from "../kernel/durable-file.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { countOf } from "../kernel/count-of.ts";
import { describeSizing } from "../site/describe-sizing.ts";
import { byteSize } from "../site/site-values.ts";
import { computeSizing, type SizingResult } from "../site/sizing.ts";
import { SITE_DEFAULTS } from "../site/site-defaults.ts";
import { judgeAnswer, parseAnswer, someAnswersSchema, wholeAnswersSchema, type AnswerKey, type Answers, type AnswersSoFar } from "./answers.ts";
import type { Ask } from "./ask.ts";
import { flagOf, QUESTIONS, type Question } from "./questions.ts";

export interface WizardOptions {
  readonly ask: Ask;
  /** Answers from flags and the answers file: these are not asked. */
  readonly given: AnswersSoFar;
  /** Keeps the answers between two runs; holds no secrets. */
  readonly progressFile: string;
  /** Writes a line for the person. */
  readonly say: (line: string) => void;
  /** What the form of an answer does not tell, such as whether the file is there: true, or what is wrong with the one for that key. */
  readonly judge?: (key: AnswerKey, answers: AnswersSoFar) => true | string;
}

const SIZE_KEYS: readonly AnswerKey[] = ["users", "memory", "cpus"];

/**
 * Asks what is not known yet and returns all answers. Every answer is on the disk before the next question, so that a run that was cut off goes on
 * where it stopped. Without a terminal, proposals marked `assumed` are taken and one ANSWER_MISSING names everything else at once.
 */
export async function runWizard(options: WizardOptions): Promise<Answers> {
  const { ask, say } = options;
  const { saved, forgotten } = ask.interactive ? forgetBad(await readProgress(options), options) : { saved: {}, forgotten: [] };
  let answers: AnswersSoFar = { ...saved, ...options.given };
  const open = openQuestions(answers).length;
  const count = Object.keys(saved).length;
  if (count > 0) say(`Going on where you stopped: ${countOf(count, "answer")} kept from before, ${countOf(open, "question")} left.`);
  for (const line of forgotten) say(line);

  if (!ask.interactive) {
    const assumed = assumeAll(answers);
    if (assumed.missing.length > 0) throw answersMissing(assumed.missing);
    answers = assumed.answers;
  }
  answers = await askOpen(options, answers);
  for (;;) {
    const whole = wholeAnswers(answers);
    const sized = sizeAnswers(whole);
    if (sized.kind === "fits") {
      showSizing(say, sized);
      if (!ask.interactive) return whole;
      const goOn = await ask.confirm({ key: "proceed", flag: "--no-input", message: "Write the site?", explanation: "", default: true });
      if (goOn) return whole;
      throw new MillwrightError("INTERRUPTED", "No site was written; your answers are kept.", {
        hint: "Run the same command to go on, or pass other values with --set.",
      });
    }
    const problem = `The host ${sized.problem}.`;
    if (!ask.interactive) throw new MillwrightError("ANSWERS_INVALID", problem, { hint: "Give it more, or change users, memory or cpus." });
    say(`${problem} Please correct one of these.`);
    for (const key of SIZE_KEYS) answers = await askOne(options, answers, questionOf(key), answers[key]);
  }
}

/** What was right when it was answered may not be now: it is asked again, with the reason told. */
function forgetBad(kept: AnswersSoFar, { given, judge }: WizardOptions): { readonly saved: AnswersSoFar; readonly forgotten: readonly string[] } {
  const answers = { ...kept, ...given };
  const judged = QUESTIONS.filter(({ key, when }) => kept[key] !== undefined && given[key] === undefined && when?.(answers) !== false);
  const bad = judged.flatMap(({ key, message }) => {
    const problem = judge?.(key, answers) ?? true;
    return problem === true ? [] : [{ key, line: `${message}: ${problem}` }];
  });
  const saved = Object.fromEntries(Object.entries(kept).filter(([key]) => !bad.some((one) => one.key === key)));
  return { saved, forgotten: bad.map(({ line }) => line) };
}

async function askOpen(options: WizardOptions, start: AnswersSoFar): Promise<AnswersSoFar> {
  let answers = start;
  for (const question of QUESTIONS) {
    if (answers[question.key] !== undefined || question.when?.(answers) === false) continue;
    answers = await askOne(options, answers, question, question.propose?.(answers));
  }
  return answers;
}

async function askOne(options: WizardOptions, answers: AnswersSoFar, question: Question, proposal: unknown): Promise<AnswersSoFar> {
  const value = await put(options, question, answers, proposal);
  const next = someAnswersSchema.parse({ ...answers, [question.key]: value });
  await writeDurable(options.progressFile, `${JSON.stringify(next, undefined, 2)}\n`, { mode: 0o600 });
  return next;
}

async function put({ ask, judge }: WizardOptions, question: Question, answers: AnswersSoFar, proposal: unknown): Promise<unknown> {
  const { key, message, explanation } = question;
  const asked = { key, flag: flagOf(key), message, explanation };
  switch (question.kind) {
    case "confirm":
      return ask.confirm({ ...asked, ...(typeof proposal === "boolean" ? { default: proposal } : {}) });
    case "select":
      return ask.select({ ...asked, choices: question.choices ?? [], ...(typeof proposal === "string" ? { default: proposal } : {}) });
    case "number":
      return ask.number({ ...asked, validate: (value) => judgeAnswer(key, value), ...(typeof proposal === "number" ? { default: proposal } : {}) });
    case "input": {
      const shown = Array.isArray(proposal) ? proposal.join(", ") : proposal;
      const typed = await ask.input({
        ...asked,
        validate: (line) => {
          const value = parseAnswer(key, line);
          const form = judgeAnswer(key, value);
          return form === true ? (judge?.(key, { ...answers, [key]: value }) ?? true) : form;
        },
        ...(typeof shown === "string" ? { default: shown } : {}),
      });
      return parseAnswer(key, typed);
    }
  }
}

function assumeAll(start: AnswersSoFar): { readonly answers: AnswersSoFar; readonly missing: readonly Question[] } {
  let answers = start;
  const missing: Question[] = [];
  for (const question of QUESTIONS) {
    if (answers[question.key] !== undefined || question.when?.(answers) === false) continue;
    const proposal = question.assumed === true ? question.propose?.(answers) : undefined;
    if (proposal === undefined) missing.push(question);
    else answers = { ...answers, [question.key]: typeof proposal === "string" ? parseAnswer(question.key, proposal) : proposal };
  }
  return { answers, missing };
}

function answersMissing(missing: readonly Question[]): MillwrightError {
  const keys = missing.map(({ key }) => key);
  return new MillwrightError("ANSWER_MISSING", `There is no terminal to ask on, and no answer for ${keys.join(", ")}.`, {
    subject: keys.join(", "),
    hint: `Pass ${keys.map(flagOf).join(" ")}, or put these keys into a file and pass it with --answers.`,
    details: missing.map(({ key, message, explanation }) => `${key}: ${message}. ${explanation}`),
  });
}

/** Leaves out what was answered but no longer applies, such as staging's address without staging. */
function wholeAnswers(answers: AnswersSoFar): Answers {
  return wholeAnswersSchema.parse(Object.fromEntries(QUESTIONS.filter(({ when }) => when?.(answers) !== false).map(({ key }) => [key, answers[key]])));
}

export function sizeAnswers(answers: Answers): SizingResult {
  const { users, cpus, sessions } = answers;
  return computeSizing({ users, memoryBytes: byteSize.decode(answers.memory), cpus, sessions, monitoring: SITE_DEFAULTS.monitoring, overrides: {} });
}

function showSizing(say: (line: string) => void, sized: Extract<SizingResult, { kind: "fits" }>): void {
  const rows = describeSizing(sized.sizing);
  const width = Math.max(...rows.map(({ what }) => what.length));
  say("");
  say("This is what the host will be divided into:");
  for (const { what, value, why } of rows) say(`  ${what.padEnd(width)}  ${value.padStart(8)}  ${why}`);
  say("");
}

function openQuestions(answers: AnswersSoFar): readonly Question[] {
  return QUESTIONS.filter(({ key, when }) => answers[key] === undefined && when?.(answers) !== false);
}

function questionOf(key: AnswerKey): Question {
  const question = QUESTIONS.find((one) => one.key === key);
  if (question === undefined) throw new MillwrightError("INTERNAL", `The wizard has no question "${key}".`);
  return question;
}

async function readProgress({ progressFile, say }: WizardOptions): Promise<AnswersSoFar> {
  const text = await readIfThere(progressFile);
  if (text === undefined) return {};
  const parsed = someAnswersSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  say(`The answers kept in ${progressFile} cannot be read: starting anew.`);
  return {};
}
