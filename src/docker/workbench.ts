import type { Readable } from "node:stream";
import type Dockerode from "dockerode";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { Demultiplexer } from "./demultiplex.ts";
import { dockerError, statusOf } from "./docker-error.ts";
import type { Workbench, WorkbenchOptions } from "./docker.ts";
import { pastLostProcesses } from "./lost-process.ts";
import { LineCutter } from "./stream-lines.ts";
import { upload } from "./upload.ts";
import { Watchdog } from "./watchdog.ts";

/** Says until when a workbench may be in use: one that is past it was left behind by a process that was killed. */
const UNTIL_LABEL = "millwright.workbench-until";
const LONGEST_MILLISECONDS = 2 * 60 * 60_000;

export async function openWorkbench(engine: Dockerode, clock: Clock, options: WorkbenchOptions): Promise<Workbench> {
  await removeLeftBehind(engine, clock.now());
  const container = await engine.createContainer({
    Image: options.image,
    Entrypoint: [...options.words],
    Cmd: [],
    ...(options.user === undefined ? {} : { User: options.user }),
    Env: Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`),
    Labels: { [UNTIL_LABEL]: new Date(clock.now() + LONGEST_MILLISECONDS).toISOString() },
    HostConfig: { CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"], ...networkConfig(options.network) },
  });

  const runOnce = async (onLine: (line: string) => void, other?: AbortSignal): Promise<number> => {
    other?.throwIfAborted();
    using watch = new Watchdog(LONGEST_MILLISECONDS, () => tooLong(options.words), other);
    const { signal } = watch;
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    const lines = new LineCutter(onLine);
    const frames = new Demultiplexer((payload) => lines.write(payload));
    // The output ends with the program; one that has ended by itself meanwhile cannot be killed any more.
    const kill = (): void => void container.kill().catch(() => {});
    signal.addEventListener("abort", kill, { once: true });
    // Asked before the start: one that the engine removes is gone as soon as it has ended.
    const ended = container.wait({ condition: "next-exit" }) as Promise<{ readonly StatusCode: number }>;
    // Without a start nobody asks for it.
    ended.catch(() => {});
    try {
      await container.start();
      for await (const chunk of output as AsyncIterable<Buffer>) frames.write(chunk);
      lines.end();
      const { StatusCode } = await ended;
      signal.throwIfAborted();
      return StatusCode;
    } catch (error) {
      throw signal.aborted ? signal.reason : dockerError(error, options.image);
    } finally {
      signal.removeEventListener("abort", kill);
    }
  };

  return {
    put: (archive) => upload(archive, options.image, (stream, abortSignal) => container.putArchive(stream, { path: "/", abortSignal })),
    run: (onLine, other) => pastLostProcesses(clock, () => runOnce(onLine, other), other),
    take: async (path) => {
      try {
        return (await container.getArchive({ path })) as Readable;
      } catch (error) {
        throw dockerError(error, path);
      }
    },
    [Symbol.asyncDispose]: async () => await remove(container),
  };
}

function networkConfig(network: WorkbenchOptions["network"]): Dockerode.HostConfig {
  if (typeof network === "object") return { NetworkMode: `container:${network.of}`, CapAdd: ["NET_ADMIN"], ReadonlyRootfs: true, AutoRemove: true };
  return network ? {} : { NetworkMode: "none" };
}

function tooLong([program = ""]: readonly string[]): MillwrightError {
  return new MillwrightError("TIMED_OUT", `\`${program}\` in a build's container did not end within ${LONGEST_MILLISECONDS / 3_600_000} hours.`, {
    subject: program,
    hint: "Look at what it waits for, such as an index of packages that does not answer; wheels/ in the site's folder needs none.",
  });
}

async function removeLeftBehind(engine: Dockerode, now: number): Promise<void> {
  const found = await engine.listContainers({ all: true, filters: { label: [UNTIL_LABEL] } });
  for (const { Id, Labels } of found) {
    if (Date.parse(Labels[UNTIL_LABEL] ?? "") < now) await remove(engine.getContainer(Id));
  }
}

async function remove(container: Dockerode.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    // 404: it is gone; 409: somebody else is removing it at this moment.
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw dockerError(error, container.id);
  }
}
