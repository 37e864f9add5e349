import "../kernel/interpret-schemas.ts";
import { userInfo } from "node:os";
import { readHostFile } from "../deploy/host-file.ts";
import { HOST_IDENTITY } from "../deploy/open-host-vault.ts";
import { asMillwrightError, MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";
import { VERSION } from "../kernel/version.ts";
import { readIdentity } from "../secrets/identity.ts";
import { storeOf } from "./agent-deps.ts";
import { ARGUMENTS, isVerb } from "./arguments.ts";
import { beginDue } from "./begin-due.ts";
import { executeRun } from "./execute-run.ts";
import { callerName, parseGateCommand, refuseOtherStack } from "./gate.ts";
import { hostAgent } from "./host-agent.ts";
import { runTables } from "./run-tables.ts";
import { refuse, replyWriter, serveVerb } from "./serve.ts";
import { startLeftRun } from "./start-left-run.ts";
import { verbTable } from "./verbs/table.ts";

const USAGE = `millwright agent ${VERSION}: gate --key NAME | run STACK | schedule STACK | verb VERB [ARGUMENT…] | recipient | bootstrap …`;

const deps = hostAgent();
const streams = { input: process.stdin, output: process.stdout };

async function main([command, ...words]: readonly string[]): Promise<number> {
  switch (command) {
    case "gate":
      return await gate(words);
    case "verb":
      return await verb(words);
    case "run":
      return await run(words);
    case "schedule":
      return await schedule(words);
    case "bootstrap":
      return await bootstrap(words);
    case "recipient":
      process.stdout.write(`${(await readIdentity(HOST_IDENTITY)).recipient}\n`);
      return 0;
    case undefined:
    default:
      throw new MillwrightError("USAGE", USAGE);
  }
}

/** The forced command of the deploy account's keys. */
async function gate([flag, key = ""]: readonly string[]): Promise<number> {
  let caller: { readonly who: string } & ReturnType<typeof parseGateCommand>;
  try {
    if (flag !== "--key") throw new MillwrightError("USAGE", USAGE);
    caller = { who: callerName(key, process.env["SSH_CONNECTION"]), ...parseGateCommand(process.env["SSH_ORIGINAL_COMMAND"], VERSION) };
    refuseOtherStack(caller, (await readHostFile())?.stack);
  } catch (error) {
    const problem = asMillwrightError(error);
    process.stderr.write(`${redact(problem.message)}\n`);
    return refuse(problem, process.stdout);
  }
  return await serveVerb(verbTable(deps), caller.verb, caller.words, caller.who, streams);
}

/** The same for root on the host itself. */
async function verb([name = "", ...words]: readonly string[]): Promise<number> {
  if (!isVerb(name)) throw new MillwrightError("USAGE", USAGE);
  return await serveVerb(verbTable(deps), name, words, `${process.env["SUDO_USER"] ?? userInfo().username} (on the host)`, streams);
}

/** Setting the host up: by root through the admin's sudo only, so it is no verb. */
async function bootstrap(words: readonly string[]): Promise<number> {
  const { bootstrapCommand } = await import("../bootstrap/bootstrap-command.ts");
  const { localSystem } = await import("../bootstrap/local-system.ts");
  return await bootstrapCommand(words, process.stdin, replyWriter(process.stdout), localSystem());
}

/** What the timer starts every few minutes. */
async function schedule([stack = ""]: readonly string[]): Promise<number> {
  if (!ARGUMENTS.stack.test(stack)) throw new MillwrightError("USAGE", USAGE);
  const left = await startLeftRun(deps, stack);
  if (left !== undefined) process.stdout.write(`Run ${left} held the lock and had never been started: it is now.\n`);
  const due = await beginDue(deps, stack);
  if (due !== undefined) process.stdout.write(`A ${due.kind} was due and has begun.\n`);
  return 0;
}

/** What the run's unit starts. */
async function run([stack = ""]: readonly string[]): Promise<number> {
  if (!ARGUMENTS.stack.test(stack)) throw new MillwrightError("USAGE", USAGE);
  const stop = new AbortController();
  process.on("SIGTERM", () => stop.abort(new MillwrightError("INTERRUPTED", "The run was told to stop.")));
  return await executeRun(storeOf(deps, stack), runTables(deps), stop.signal);
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const problem = asMillwrightError(error);
  process.stderr.write(redact(`${problem.code}: ${problem.message}\n${problem.hint}\n`));
  process.exit(problem.exit);
}
