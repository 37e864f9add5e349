import { CommanderError } from "commander";
import { MillwrightError } from "../kernel/errors.ts";
import { cliContext } from "./context.ts";
import { Output, type OutputMode, wantsColour } from "./output.ts";
import { problemOf } from "./problem-of.ts";
import { buildProgram } from "./program.ts";

const argv = process.argv.slice(2);
const interrupt = new AbortController();
process.on("SIGINT", () => {
  // The second Ctrl-C leaves at once; what runs on the host goes on there.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort(new MillwrightError("INTERRUPTED", "Interrupted."));
});
process.on("SIGTERM", () => {
  process.exit(143);
});
// Messages that nobody reads must not end what they are about, nor change its exit status.
process.stderr.on("error", () => {});

const has = (flag: string): boolean => argv.includes(flag);
const mode: OutputMode = has("--json-lines") ? "json-lines" : has("--json") ? "json" : "text";
const isTty = process.stderr.isTTY === true;
const streams = { stdout: process.stdout, stderr: process.stderr };
const output = new Output({
  mode,
  streams,
  colour: wantsColour(isTty, process.env, has("--no-color")),
  live: isTty && !process.env["CI"] && process.env["TERM"] !== "dumb",
  debug: has("--debug"),
});

/** Commander's words for what is wrong, with what it suggests on a line of its own. */
function usageError({ message }: CommanderError): MillwrightError {
  const [what = "", ...details] = message.replace(/^error: /, "").split("\n");
  const hint = commandName === "millwright" ? {} : { hint: `\`millwright ${commandName} --help\` lists what it takes.` };
  return new MillwrightError("USAGE", what, { details, ...hint });
}

let commandName = "millwright";
/** The result is a secret, which may be shown this once and be kept nowhere. */
let isSecret = false;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A closed pipe (`millwright … | head`) is not a fault, unless what was lost in it is in no other place.
  if (error.code === "EPIPE" && !isSecret) process.exit(0);
  const code = error.code === "ENOSPC" ? "DISK_FULL" : "FILE_REFUSED";
  const problem = new MillwrightError(code, `Standard output does not take the result: ${error.message}.`, {
    subject: "standard output",
    hint: isSecret
      ? "Nobody has seen it. Run the command again with an output that takes it: a recovery key that was lost is replaced by another."
      : "What the command did is done. Let its output go elsewhere.",
    cause: error,
  });
  // In words also with --json, for which there is no place any more.
  new Output({ mode: "text", streams, colour: output.colour, live: false, debug: output.debug }).error(commandName, problem);
  process.exit(problem.exit);
});

async function main(): Promise<void> {
  // A process that has nothing left to wait for ends wherever it is: that is no success.
  process.exitCode = 1;
  try {
    const program = buildProgram(cliContext(output, interrupt.signal, has("--no-input")), (name) => {
      commandName = name;
    });
    const result = await program.run(argv);
    isSecret = result?.reveal !== undefined;
    if (result !== undefined) output.result(commandName, result);
    process.exitCode = result?.exit ?? 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed help or version itself.
      process.exitCode = error.exitCode === 0 || error.code === "commander.help" ? 0 : 2;
      if (process.exitCode === 2) output.error(commandName, usageError(error));
    } else {
      const problem = problemOf(error, interrupt.signal);
      output.error(commandName, problem);
      process.exitCode = problem.exit;
    }
  }
}

void main();
