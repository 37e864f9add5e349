import { canonicalJson, sha256 } from "../kernel/canonical.ts";
import type { StoredImage } from "./image-store.ts";
import { PACKAGES_PATH } from "./package-script.ts";

/** Where a release's addons lie in its image. Not /mnt/extra-addons: the base image declares that a VOLUME, and a recreated container would keep the addons of the release before. */
export const ADDONS_PATH = "/opt/millwright/addons";

/** Where its Python packages lie: Python's "user base", searched after the standard library and before the system's packages. */
export const PYTHON_PATH = "/opt/millwright/python";

/** Digest of the base image. */
export const BASE_LABEL = "org.opencontainers.image.base.digest";

/** Key of the requirements that were installed; absent without requirements. */
export const REQUIREMENTS_LABEL = "millwright.requirements";

/** The name of a derived image; absent in releases. */
export const DERIVED_LABEL = "millwright.derived";

/** What an image is, whatever its id: an engine tells the same of an image that it has loaded. */
export type ImageFacts = Omit<StoredImage, "id">;

interface OwnLayer {
  readonly origin: string;
  /** The only folder that it fills. */
  readonly folder: string;
}

/** The layers on top of the base, from there up, as the image's labels tell. */
export function ownLayers(image: Pick<ImageFacts, "config">): readonly OwnLayer[] {
  const labels = labelsOf(image);
  if (DERIVED_LABEL in labels) return [{ origin: "packages", folder: PACKAGES_PATH }];
  const addons = { origin: "addons", folder: ADDONS_PATH };
  return REQUIREMENTS_LABEL in labels ? [{ origin: "Python packages", folder: PYTHON_PATH }, addons] : [addons];
}

export function labelsOf(image: Pick<ImageFacts, "config">): Readonly<Record<string, string>> {
  return (image.config["Labels"] as Record<string, string> | null | undefined) ?? {};
}

/** The variables that the image gives a container, `NAME=value`. */
export function variablesOf(image: Pick<ImageFacts, "config">): readonly string[] {
  return (image.config["Env"] as string[] | null | undefined) ?? [];
}

/** What of an image's configuration is part of an image of ours; engines tell more, which differs between their versions. */
const KEPT = ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Healthcheck", "Shell"];

/** The image's configuration file, whose hash is the image's id. */
export function imageConfig(image: ImageFacts): string {
  const { created, os, architecture, variant, layers } = image;
  const config = Object.fromEntries(KEPT.map((name) => [name, image.config[name]] as const).filter(([, value]) => !isEmpty(value)));
  const time = created === "" ? {} : { created };
  const own = ownLayers(image).map(({ origin }) => origin);
  return canonicalJson({
    architecture,
    os,
    ...(variant === "" ? {} : { variant }),
    ...time,
    config,
    history: layers.map((_, index) => ({ ...time, created_by: own[index - (layers.length - own.length)] ?? "base image" })),
    rootfs: { type: "layers", diff_ids: layers },
  });
}

/** Engines tell an absent setting as null, as empty or not at all. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}

/** Id of the image with this configuration. */
export function imageId(config: string): string {
  return `sha256:${sha256(config)}`;
}
