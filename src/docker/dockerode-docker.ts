import type { Readable } from "node:stream";
import Dockerode from "dockerode";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { DOCKER_SOCKET } from "./compose-cli.ts";
import { containerMemory } from "./container-memory.ts";
import { containerState } from "./container-state.ts";
import { demultiplex } from "./demultiplex.ts";
import { dockerError, statusOf } from "./docker-error.ts";
import type { ContainerState, Docker, ImageState } from "./docker.ts";
import { execProgram } from "./exec-program.ts";
import { engineTime, stampedLines } from "./log-lines.ts";
import { pastLostProcesses } from "./lost-process.ts";
import { pullImage } from "./pull-image.ts";
import { jsonLines } from "./stream-lines.ts";
import { upload } from "./upload.ts";
import { Watchdog } from "./watchdog.ts";
import { openWorkbench } from "./workbench.ts";

const PROJECT_LABEL = "com.docker.compose.project";
const SERVICE_LABEL = "com.docker.compose.service";
const ONE_OFF_LABEL = "com.docker.compose.oneoff";

/** Unpacking a large layer on a slow disk is the longest that a healthy pull is silent. */
const STALL_MILLISECONDS = 10 * 60_000;
const EXEC_MILLISECONDS = 10 * 60_000;

/** The engine behind a Unix socket. The socket is always named, so that a DOCKER_HOST in the environment has no say. */
export function dockerodeDocker(clock: Clock, socketPath: string = DOCKER_SOCKET, stallMilliseconds: number = STALL_MILLISECONDS): Docker {
  const engine = new Dockerode({ socketPath });

  async function ask<T>(subject: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw dockerError(error, subject);
    }
  }

  /** For calls whose goal may be reached already: 304 to a start or stop, 404 to a removal. */
  async function reach(subject: string, reached: readonly number[], call: () => Promise<unknown>): Promise<void> {
    await ask(subject, async () => {
      try {
        await call();
      } catch (error) {
        if (!reached.includes(statusOf(error) ?? 0)) throw error;
      }
    });
  }

  async function inspectAll(labels: readonly string[]): Promise<readonly ContainerState[]> {
    const list = await engine.listContainers({ all: true, filters: { label: [...labels] } });
    const states = await Promise.all(
      list.map(async ({ Id }) => {
        try {
          return containerState(await engine.getContainer(Id).inspect());
        } catch (error) {
          // Removed between the list and the look.
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    );
    return states.filter((state) => state !== undefined).sort((a, b) => (a.project + a.service + a.name < b.project + b.service + b.name ? -1 : 1));
  }

  async function image(reference: string): Promise<ImageState | undefined> {
    try {
      const found = await engine.getImage(reference).inspect();
      return {
        id: found.Id,
        digests: found.RepoDigests ?? [],
        tags: found.RepoTags ?? [],
        layers: found.RootFS.Layers ?? [],
        sizeBytes: found.Size,
        created: found.Created,
        taggedAt: (found as { readonly Metadata?: { readonly LastTagTime?: string } }).Metadata?.LastTagTime ?? "",
        os: found.Os,
        architecture: found.Architecture,
        variant: (found as { readonly Variant?: string }).Variant ?? "",
        config: { ...found.Config },
      };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw dockerError(error, reference);
    }
  }

  async function readLog(id: string, options: { readonly tail: number; readonly since?: string; readonly timestamps?: boolean }): Promise<string> {
    const container = engine.getContainer(id);
    const { Config } = await container.inspect();
    const raw = await container.logs({ stdout: true, stderr: true, follow: false, ...options });
    return (Config.Tty ? raw : demultiplex(raw)).toString("utf8");
  }

  return {
    version: () =>
      ask("docker", async () => {
        const [version, info] = await Promise.all([engine.version(), engine.info() as Promise<{ readonly Driver: string }>]);
        return { engine: version.Version, api: version.ApiVersion, storageDriver: info.Driver };
      }),
    containers: (project, service) =>
      ask(project, async () => {
        const labels = [`${PROJECT_LABEL}=${project}`, ...(service === undefined ? [] : [`${SERVICE_LABEL}=${service}`])];
        return (await inspectAll(labels)).filter((state) => state.labels[ONE_OFF_LABEL] !== "True");
      }),
    allContainers: () => ask("docker", () => inspectAll([])),
    stop: (id, graceSeconds) => reach(id, [304], () => engine.getContainer(id).stop({ t: graceSeconds })),
    signal: (id, name) => reach(id, [409], () => engine.getContainer(id).kill({ signal: name })),
    pause: (id) => reach(id, [409], () => engine.getContainer(id).pause()),
    unpause: (id) => reach(id, [409], () => engine.getContainer(id).unpause()),
    start: (id) => pastLostProcesses(clock, () => reach(id, [304], () => engine.getContainer(id).start())),
    remove: (id) => reach(id, [404], () => engine.getContainer(id).remove({ v: false, force: false })),
    logs: (id, lines) =>
      ask(id, async () => {
        const text = (await readLog(id, { tail: lines })).replace(/\n$/, "");
        return text === "" ? [] : text.split("\n").slice(-lines);
      }),
    logsSince: (id, since, lines) =>
      ask(id, async () => {
        // The engine takes the last lines first and then those since; the instant itself it counts in.
        const text = await readLog(id, { tail: lines, since: engineTime(since), timestamps: true });
        return stampedLines(text).filter(({ at }) => at > since);
      }),
    memory: (id) => ask(id, async () => containerMemory(await engine.getContainer(id).stats({ stream: false, "one-shot": true }))),
    exec: (id, words, options = {}) =>
      ask(id, async () => {
        const { limitMilliseconds = EXEC_MILLISECONDS } = options;
        using watch = new Watchdog(limitMilliseconds, () => tooLong(words, id, limitMilliseconds), options.signal);
        const { signal } = watch;
        return await watch.guard(pastLostProcesses(clock, () => execProgram(engine, clock, { id, words, options, signal }), signal));
      }),
    image,
    images: (label) =>
      ask("docker", async () => {
        const list = await engine.listImages(label === undefined ? {} : { filters: { label: [label] } });
        const found = await Promise.all(list.map(({ Id }) => image(Id)));
        return found.filter((state) => state !== undefined);
      }),
    async pull(reference, options) {
      await pullImage(engine, reference, stallMilliseconds, options);
      // The stream's word is not enough: an answer that was cut looks like a good one.
      if ((await image(reference)) === undefined) {
        throw new MillwrightError("IMAGE_MISSING", `The engine ended the pull of ${reference}, but does not have it.`, {
          subject: reference,
          hint: "Run the command again.",
        });
      }
    },
    async digestOf(reference) {
      try {
        return (await engine.getImage(reference).distribution()).Descriptor.digest;
      } catch {
        // Engines before 25 ask only the Hub here and not their mirrors (moby#47012); a pull goes through them and names the digest.
        return await pullImage(engine, reference, stallMilliseconds);
      }
    },
    untag: (reference) => reach(reference, [404, 409], () => engine.getImage(reference).remove({ force: false })),
    tag: (imageId, reference) =>
      ask(reference, async () => {
        const colon = reference.lastIndexOf(":");
        await engine.getImage(imageId).tag({ repo: reference.slice(0, colon), tag: reference.slice(colon + 1) });
      }),
    load: (archive) =>
      upload(archive, "docker load", async (stream, abortSignal) => {
        const answer = await engine.loadImage(stream, { quiet: true, abortSignal });
        await jsonLines(answer as AsyncIterable<Uint8Array>, (value) => {
          if (typeof value["error"] === "string") throw new Error(value["error"]);
        });
      }),
    save: (imageId) => ask(imageId, async () => (await engine.getImage(imageId).get()) as Readable),
    workbench: (options) => ask(options.image, () => openWorkbench(engine, clock, options)),
  };
}

function tooLong(words: readonly string[], id: string, milliseconds: number): MillwrightError {
  return new MillwrightError("TIMED_OUT", `\`${words[0]}\` in a container did not end within ${Math.round(milliseconds / 1000)} s.`, {
    subject: words[0] ?? "",
    hint: `It may go on there: \`docker top ${id.slice(0, 12)}\` on the host shows it.`,
  });
}
