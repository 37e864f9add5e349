import * as z from "zod";
import { derivedOf } from "../blueprint/stack.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { StepCode } from "../kernel/run-plan.ts";
import { deriveImage } from "../release/derive-image.ts";
import { isDerivedName } from "../release/derived-name.ts";
import type { DeployContext } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { composeTexts } from "./write-files.ts";

const deriveParams = z.object({ image: z.string() });

/** Makes an image that the stack derives from an official one, unless the operator's engine has brought it meanwhile. */
export const deriveStep: StepCode<DeployContext> = {
  async do({ deps, stack, events }, step, { signal }) {
    const { docker, clock } = deps;
    const { image } = deriveParams.parse(step.params);
    const derived = derivedOf(stack).find((one) => one.image === image);
    if (derived === undefined) throw new MillwrightError("PLAN_STALE", `The stack does not say how ${image} is made.`, { subject: image });
    const wasThere = (await docker.image(image)) !== undefined;
    const onLine = (text: string): void => events.emit({ kind: "note", at: timestamp(clock), level: "info", text });
    await deriveImage({ store: docker, derived, onLine, signal });
    return { summary: wasThere ? "there already" : image };
  },
};

/** Removes derived images that no compose.yaml of the stack and no container on the host names any more. */
export async function removeUnusedDerived({ docker, paths }: Pick<DeployDeps, "docker" | "paths">): Promise<number> {
  const [images, containers, named] = await Promise.all([docker.images(), docker.allContainers(), composeTexts(paths)]);
  const inUse = new Set(containers.map(({ image }) => image));
  const tags = images.flatMap((image) => image.tags.filter(isDerivedName));
  const unused = tags.filter((tag) => !inUse.has(tag) && !named.includes(tag));
  for (const tag of unused) await docker.untag(tag);
  return unused.length;
}
