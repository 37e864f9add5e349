import type { Environment } from "../site/environment.ts";
import { type Blueprint, partBodySchema } from "./blueprint.ts";
import { isMap } from "./compose-document.ts";
import type { ImageLock } from "./image-lock.ts";
import { holds, interpolate } from "./interpolate.ts";
import { validate } from "./load-blueprint.ts";
import { buildView, imagesOf } from "./view.ts";

const secretsSchema = partBodySchema.shape.secrets;

export interface SecretNeed {
  readonly name: string;
  /** Made up by millwright, at random or as a key with a certificate; or from outside: a certificate's key, an account somewhere else. */
  readonly from: "random" | "key-pair" | "outside";
}

/** Names of all the secrets an environment's stack will refer to. */
export function secretNames(environment: Environment, blueprint: Blueprint): readonly string[] {
  return secretNeeds(environment, blueprint).map(({ name }) => name);
}

/** Names of those that millwright makes up. */
export function randomSecretNames(environment: Environment, blueprint: Blueprint): readonly string[] {
  return secretNeeds(environment, blueprint).flatMap(({ name, from }) => (from === "random" ? [name] : []));
}

/** The secrets an environment's stack will refer to, known before there is an image lock. */
export function secretNeeds(environment: Environment, blueprint: Blueprint): readonly SecretNeed[] {
  const images = imagesOf(environment, blueprint).map(({ name, source }) => [name, { source, digest: `sha256:${"0".repeat(64)}`, lockedAt: "" }]);
  const lock: ImageLock = { version: 1, images: Object.fromEntries(images) };
  const view = buildView({ environment, blueprint, lock });
  const needs = blueprint.parts
    .filter((part) => part.head.when === undefined || holds(part.head.when, view, part.name))
    .flatMap((part) => {
      const where = `parts/${part.name}/part.yaml`;
      // The rest of the body is for rendering, which comes right after.
      const listed = isMap(part.body) ? (part.body["secrets"] ?? []) : [];
      return validate(secretsSchema, interpolate(listed, view, where), where);
    });
  return [...new Map(needs.map((need) => [need.name, need])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
