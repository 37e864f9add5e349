import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { REPOSITORY } from "../test/live/operator.ts";
import { type Row, median, repeat, show, timed } from "./bench.ts";

const execute = promisify(execFile);

/** The price of typing a command at all. */
export async function benchStartup(runs: number): Promise<readonly Row[]> {
  const help = (): Promise<unknown> => execute(process.execPath, [join(REPOSITORY, "bin/millwright.cjs"), "--help"]);
  const empty = (): Promise<unknown> => execute(process.execPath, ["-e", "0"]);
  // Once without counting, so that files and compiled code are cached for both.
  await help();
  await empty();
  const times = await repeat(runs * 3, async () => ({ ours: await timed(help), baseline: await timed(empty) }));
  return [
    {
      what: "`millwright --help`",
      ours: show(median(times.map((time) => time.ours)) * 1000, "ms"),
      baseline: show(median(times.map((time) => time.baseline)) * 1000, "ms"),
      against: "`node -e 0`",
    },
  ];
}
