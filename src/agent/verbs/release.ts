import { mkdir } from "node:fs/promises";
import * as z from "zod";
import { timestamp } from "../../kernel/clock.ts";
import { requireFree, RESERVE_BYTES } from "../../kernel/disk-space.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { imageTag } from "../../release/image-store.ts";
import { derivedLoad, lockImages, releaseExport, releaseLoad, releaseMissing, wantedImageSchema } from "../../release/move-release.ts";
import { releaseBuild } from "../../release/release-build.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { checkPayload } from "../payload.ts";
import { deployDeps, hostDocker, leastFree } from "../room-deps.ts";
import type { Handler } from "../serve.ts";

const reference = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$/)
  .max(300);
const lockSchema = z.strictObject({ images: z.array(reference).max(100) });
const missingSchema = wantedImageSchema.extend({ base: reference });
const exportSchema = z.strictObject({ layers: z.array(z.string()) });

/** Digests of tags as this host's engine finds them, through its mirrors. */
export function lockVerb(deps: AgentDeps): Handler<"lock"> {
  return async ({ payload }) => ({ result: await lockImages(hostDocker(deps), checkPayload(lockSchema, payload).images) });
}

/** Builds a release's image on this host from the context that comes on standard input. */
export function releaseBuildVerb(deps: AgentDeps): Handler<"release-build"> {
  return async ({ args, payload, events, signal }) => {
    const { paths } = storeOf(deps, args.stack);
    await requireRoom(deps, args.stack, "a release");
    const directory = `${paths.state}/build`;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const result = await releaseBuild({
      store: hostDocker(deps),
      clock: deps.clock,
      context: payload,
      tag: (image) => imageTag(args.stack, image),
      directory,
      onLine: (text) => events.emit({ kind: "note", at: timestamp(deps.clock), level: "info", text }),
      signal,
    });
    return { result };
  };
}

/** Which layers of an image of ours this host lacks. Its base is pulled first where a mirror has it, so that only the image's own layers travel. */
export function releaseMissingVerb(deps: AgentDeps): Handler<"release-missing"> {
  return async ({ args, payload, signal }) => {
    const { base, ...wanted } = checkPayload(missingSchema, payload);
    const docker = hostDocker(deps);
    const isMissing = (await docker.image(wanted.image)) === undefined;
    if (isMissing) await requireRoom(deps, args.stack, "an image");
    if (isMissing && (await docker.image(base)) === undefined) {
      await docker.pull(base, { signal }).catch((error: unknown) => {
        // A plant without a mirror of it: then its layers travel too.
        if (!(error instanceof MillwrightError) || error.code !== "IMAGE_MISSING") throw error;
      });
    }
    return { result: await releaseMissing(docker, wanted) };
  };
}

async function requireRoom(deps: AgentDeps, stack: string, what: string): Promise<void> {
  requireFree({ free: await leastFree(deployDeps(deps, stack)), needed: RESERVE_BYTES, what });
}

export function releaseLoadVerb(deps: AgentDeps): Handler<"release-load"> {
  return async ({ args, payload }) => {
    return { result: await releaseLoad(hostDocker(deps), args.image, payload, imageTag(args.stack, args.image)) };
  };
}

/** Takes in an image derived from an official one, made where its packages can be reached. */
export function derivedLoadVerb(deps: AgentDeps): Handler<"derived-load"> {
  return async ({ args, payload }) => ({ result: await derivedLoad(hostDocker(deps), args.image, payload) });
}

/** The image of a release with the layers that another host lacks, as bytes after the result. */
export function releaseExportVerb(deps: AgentDeps): Handler<"release-export"> {
  return async ({ args, payload }) => ({ result: {}, body: await releaseExport(hostDocker(deps), args.image, checkPayload(exportSchema, payload).layers) });
}
