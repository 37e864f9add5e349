import { PassThrough, type Readable } from "node:stream";
import * as z from "zod";
import { timestamp } from "../kernel/clock.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import type { CliContext } from "./context.ts";
import { type HostLink, openLink } from "./host-link.ts";
import { ownEngine } from "./own-engine.ts";
import type { CommonOptions } from "./program.ts";
import type { Target } from "./target.ts";

const builtSchema = z.object({ image: z.string(), layers: z.array(z.string()) });

/** Where a release's image is built or taken from: a Docker engine on this machine, or that of a host through its agent. */
export interface Engine extends AsyncDisposable {
  readonly where: string;
  build(context: Readable, tag: string, onEvent: (event: MillwrightEvent) => void): Promise<{ readonly image: string; readonly layers: readonly string[] }>;
  /** A gzipped archive of the image with only the layers named. */
  export(image: string, layers: readonly string[]): Promise<Readable>;
}

export async function openEngine(target: Target, options: CommonOptions & { readonly docker?: string }, context: CliContext): Promise<Engine> {
  if (options.docker !== undefined) return await localEngine(options.docker, context);
  const link = await openLink(target, options, context);
  return hostEngine(link, target, context);
}

function hostEngine(link: HostLink, { environment }: Target, context: CliContext): Engine {
  return {
    where: environment.host.address,
    build: async (stream, _tag, onEvent) => builtSchema.parse(await link.call("release-build", [environment.stack], { payload: stream, onEvent })),
    export: async (image, layers) => {
      const body = new PassThrough();
      link
        .call("release-export", [environment.stack, image], { payload: { layers }, body, signal: context.signal })
        .catch((error: unknown) => body.destroy(error instanceof Error ? error : new Error(String(error))));
      return body;
    },
    [Symbol.asyncDispose]: async () => await link[Symbol.asyncDispose](),
  };
}

async function localEngine(socket: string, context: CliContext): Promise<Engine> {
  const { releaseBuild } = await import("../release/release-build.ts");
  const { releaseExport } = await import("../release/move-release.ts");
  const { tmpdir } = await import("node:os");
  const store = await ownEngine(socket, context);
  return {
    where: socket,
    build: async (stream, tag, onEvent) =>
      await releaseBuild({
        store,
        clock: context.clock,
        context: stream,
        tag: () => tag,
        directory: tmpdir(),
        onLine: (text) => onEvent({ kind: "note", at: timestamp(context.clock), level: "info", text }),
        signal: context.signal,
      }),
    export: async (image, layers) => await releaseExport(store, image, layers),
    [Symbol.asyncDispose]: async () => {},
  };
}
