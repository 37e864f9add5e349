import type { AnswerError, Outcome } from "../operator.ts";
import { dataOf, errorOf } from "../plant.ts";
import type { Scene } from "./scene.ts";

/** Something that happens to a plant's backups, for real, and what millwright must say of it. */
export interface Fault {
  readonly name: string;
  /** Makes it happen: before the command, or while it is under way. */
  readonly strike: (scene: Scene) => Promise<void>;
  readonly isDuring?: boolean;
  /** What is typed then. */
  readonly command: readonly string[] | ((scene: Scene) => Promise<readonly string[]>);
  readonly expect: {
    readonly exit: number;
    /** Code of the error. */
    readonly code?: string;
    /** Found in the error or the run's summary. */
    readonly says?: RegExp;
    /** Found among the concerns of `status`, before it is mended. */
    readonly status?: RegExp;
  };
  /** What is lost all the same, in words; nothing that was acknowledged ever is. */
  readonly lost?: string;
  readonly mend?: (scene: Scene) => Promise<void>;
  /** Found in the summary of the backup after that. */
  readonly afterwards?: RegExp;
  /** Makes the repository as it was, for the faults that follow. */
  readonly tidy?: (scene: Scene) => Promise<void>;
}

export interface Row {
  readonly fault: string;
  readonly told: string;
  readonly lost: string;
  readonly afterwards: string;
  /** What is wrong; empty when all is as promised. */
  readonly problems: readonly string[];
}

/** Strikes, asks, mends, and makes the next backup, which must be good in both places. */
export async function runCell(scene: Scene, fault: Fault): Promise<Row> {
  const { plant } = scene;
  const problems: string[] = [];
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  await scene.write(`${fault.name}: before`);
  const { before, outcome } = await strikeAndAsk(scene, fault);
  const error = outcome.code === 0 ? undefined : errorOf(outcome);
  const said = error === undefined ? `${purposeOf(outcome)}\n${summaryOf(outcome)}` : [error.message, ...(error.details ?? [])].join("\n");
  claim(outcome.code === fault.expect.exit, `exit ${outcome.code}: ${said}`);
  claim(error?.code === fault.expect.code, `the error is ${error?.code}`);
  claim(fault.expect.says?.test(said) ?? true, `it says ${said}`);
  const status = fault.expect.status === undefined ? undefined : await scene.concerns();
  claim(status === undefined || fault.expect.status?.test(status) === true, `status says ${status}`);
  await fault.mend?.(scene);
  await scene.well();
  // What failed is not listed, and what was good is; a repository that is gone is no part of this.
  const listed = await scene.backups();
  const isNew = (id: string): boolean => !before.includes(id);
  const isBackup = outcome.words[1] === "run";
  claim(listed.some(isNew) === (isBackup && outcome.code === 0), `listed are ${listed.join(", ")} after ${before.join(", ")}`);

  await scene.write(`${fault.name}: after`);
  const began = performance.now();
  const next = summaryOf(await plant.run("backup", "run"));
  const seconds = Math.round((performance.now() - began) / 1000);
  claim(/; offsite as well/.test(next), `the backup afterwards says ${next}`);
  claim(fault.afterwards?.test(next) ?? true, `the backup afterwards says ${next}`);
  const lost = await scene.lost();
  claim(lost.length === 0, `${lost.length} acknowledged rows are lost, such as ${lost[0]}`);
  await fault.tidy?.(scene);
  return {
    fault: fault.name,
    told: tell(outcome, error, said, fault, status),
    lost: lost.length > 0 ? `${lost.length} rows` : (fault.lost ?? "nothing"),
    afterwards: `a backup in both places, in ${seconds} s`,
    problems,
  };
}

/** How the command ended, and the backups that were listed before it. */
async function strikeAndAsk(scene: Scene, { strike, isDuring, command }: Fault): Promise<{ readonly before: readonly string[]; readonly outcome: Outcome }> {
  if (isDuring !== true) await strike(scene);
  const before = await scene.backups();
  const words = typeof command === "function" ? await command(scene) : command;
  const struck = isDuring === true ? strike(scene) : undefined;
  const [outcome] = await Promise.all([scene.plant.run(...words), struck]);
  return { before, outcome };
}

function purposeOf(outcome: Outcome): string {
  const plan = dataOf(outcome)["plan"] as { readonly purpose?: string } | undefined;
  return plan?.purpose ?? "";
}

function summaryOf(outcome: Outcome): string {
  const run = dataOf(outcome)["run"] as { readonly summary?: string } | undefined;
  return run?.summary ?? "";
}

/** The command and its end, the sentence that was looked for in what it said, and in what `status` said. */
function tell(outcome: Outcome, error: AnswerError | undefined, said: string, { expect }: Fault, status: string | undefined): string {
  const words = outcome.words
    .slice(
      0,
      outcome.words.findIndex((word) => word.startsWith("--")),
    )
    .join(" ");
  const end = error === undefined ? "done" : `exit ${outcome.code ?? "none"} ${error.code}`;
  const found = expect.says?.exec(said)?.[0];
  const seen = status === undefined ? undefined : expect.status?.exec(status)?.[0];
  return `\`${words}\`: ${end}${found === undefined ? "" : `, "${found}"`}${seen === undefined ? "" : `; \`status\`: "${seen}"`}`;
}

export function table(rows: readonly Row[]): string {
  return ["| fault | what was told | lost | good afterwards |\n|---|---|---|---|", ...rows.map(rowLine)].join("\n");
}

export function rowLine({ fault, told, lost, afterwards }: Row): string {
  return `| ${fault} | ${told.replaceAll("|", "\\|").replaceAll("\n", " ")} | ${lost} | ${afterwards} |`;
}
