import type Dockerode from "dockerode";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { Demultiplexer } from "./demultiplex.ts";
import { lastLine } from "./docker-error.ts";
import type { ContainerExecOptions } from "./docker.ts";

export interface Exec {
  readonly id: string;
  readonly words: readonly string[];
  readonly options: ContainerExecOptions;
  readonly signal: AbortSignal;
}

export interface ExecResult {
  readonly code: number;
  readonly output: string;
}

const ATTEMPTS = 4;
const PAUSE_MILLISECONDS = 500;

/**
 * Runs a program in a container and waits for its end. A program that the engine's runtime could not start is asked for again: none of it has
 * run, so nothing can be done twice. On a loaded host runc now and then loses the process that is to become the program ("read init-p:
 * connection reset by peer", moby#40399), and one such loss shall not end an upgrade.
 * @throws DOCKER_FAILED when it could not be started at all
 */
export async function execProgram(engine: Dockerode, clock: Clock, exec: Exec): Promise<ExecResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await once(engine, clock, exec);
    const why = whyNotStarted(result);
    if (why === undefined) return result;
    if (attempt === ATTEMPTS) {
      throw new MillwrightError("DOCKER_FAILED", `The engine could not start \`${exec.words[0]}\` in a container, ${ATTEMPTS} times: ${why}`, {
        subject: exec.id.slice(0, 12),
        hint: "Look at `journalctl -u docker` and at the free memory of the host, then run the command again.",
      });
    }
    await clock.sleep(PAUSE_MILLISECONDS * attempt, exec.signal);
  }
}

/** The engine prints its own words in the place of the output. A program that the container does not have is an answer, not a failure. */
function whyNotStarted({ code, output }: ExecResult): string | undefined {
  if (code < 126 || !output.startsWith("OCI runtime exec failed: ")) return undefined;
  if (/executable file not found|no such file or directory|permission denied/.test(output)) return undefined;
  return lastLine(output);
}

async function once(engine: Dockerode, clock: Clock, { id, words, options, signal }: Exec): Promise<ExecResult> {
  const exec = await engine.getContainer(id).exec({
    Cmd: [...words],
    AttachStdin: options.input !== undefined,
    AttachStdout: true,
    AttachStderr: true,
    ...(options.user === undefined ? {} : { User: options.user }),
  });
  const stream = await exec.start({ hijack: true, stdin: true, abortSignal: signal });
  const close = (): void => void stream.destroy();
  signal.addEventListener("abort", close, { once: true });
  try {
    const payloads: Buffer[] = [];
    const frames = new Demultiplexer((payload) => payloads.push(payload));
    stream.end(options.input ?? "");
    for await (const chunk of stream as AsyncIterable<Buffer>) frames.write(chunk);
    return { code: await exitCodeOf(exec, clock), output: Buffer.concat(payloads).toString("utf8") };
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** The engine may say for a moment after the end of the output that the program still runs. */
async function exitCodeOf(exec: Dockerode.Exec, clock: Clock): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running && ExitCode !== null) return ExitCode;
    await clock.sleep(50);
  }
  throw new MillwrightError("DOCKER_FAILED", "The output of a program in a container ended, but the engine does not tell its exit status.");
}
