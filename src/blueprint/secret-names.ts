import type { Environment } from "../site/environment.ts";
import { type Blueprint, partBodySchema } from "./blueprint.ts";
import type { ImageLock } from "./image-lock.ts";
import { holds, interpolate } from "./interpolate.ts";
import { validate } from "./load-blueprint.ts";
import { buildView, imagesOf } from "./view.ts";

/** The secrets an environment's stack will refer to, known before there is an image lock: what `millwright new` makes. */
export function secretNames(environment: Environment, blueprint: Blueprint): readonly string[] {
  const images = imagesOf(environment, blueprint).map(({ name, source }) => [name, { source, digest: `sha256:${"0".repeat(64)}`, lockedAt: "" }]);
  const lock: ImageLock = { version: 1, images: Object.fromEntries(images) };
  const view = buildView({ environment, blueprint, lock });
  const names = blueprint.parts
    .filter((part) => part.head.when === undefined || holds(part.head.when, view, part.name))
    .map((part) => validate(partBodySchema, interpolate(part.body, view, `parts/${part.name}/part.yaml`), `parts/${part.name}/part.yaml`))
    .flatMap((body) => body.secrets.map(({ name }) => name));
  return [...new Set(names)].sort();
}
