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

/**
 * Runs a program in a container and waits for its end.
 * @throws DOCKER_FAILED when the engine could not start it: none of it has run
 */
export async function execProgram(engine: Dockerode, clock: Clock, exec: Exec): Promise<ExecResult> {
  const result = await once(engine, clock, exec);
  const why = whyNotStarted(result);
  if (why === undefined) return result;
  throw new MillwrightError("DOCKER_FAILED", `The engine could not start \`${exec.words[0]}\` in a container: ${why}`, {
    subject: exec.id.slice(0, 12),
    hint: "Look at `journalctl -u docker` and at the free memory of the host, then run the command again.",
  });
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
