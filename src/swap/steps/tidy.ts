import { COLOURS } from "../../blueprint/stack.ts";
import type { ImageState } from "../../docker/docker.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { releaseTag } from "../../release/image-store.ts";
import { readColourRelease, readServing } from "../serving.ts";
import type { SwapContext } from "../swap-context.ts";

/** Releases that no colour holds, kept on the host so that `upgrade --release` to one of them needs no push. */
const KEPT_RELEASES = 5;

/** Images of releases that are long past leave the disk. */
export const tidy: StepCode<SwapContext> = {
  async do(context) {
    const { docker, paths } = context;
    const serving = await readServing(paths);
    const held = await Promise.all(COLOURS.map(async (colour) => (await readColourRelease(paths, colour))?.image));
    const past = pastImages(await docker.images(), releaseTag(context.stack.facts.stack, ""), [...held, serving?.image, serving?.previous?.release.image]);
    for (const tag of past.flatMap((image) => image.tags)) await docker.untag(tag);
    return { summary: past.length === 0 ? "nothing to remove" : `images of ${past.length} past releases removed` };
  },
};

/** Images of releases that nothing holds, but for the few that came last. Pure. */
export function pastImages(images: readonly ImageState[], tags: string, held: readonly (string | undefined)[]): readonly ImageState[] {
  return images
    .filter((image) => image.tags.some((tag) => tag.startsWith(tags)) && !held.includes(image.id))
    .map((image) => ({ ...image, tags: image.tags.filter((tag) => tag.startsWith(tags)) }))
    .sort((a, b) => (a.taggedAt < b.taggedAt ? 1 : -1))
    .slice(KEPT_RELEASES);
}
