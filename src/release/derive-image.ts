import { MillwrightError } from "../kernel/errors.ts";
import { baseImage, digestOf } from "./base-image.ts";
import type { DerivedImage } from "./derived-name.ts";
import { BASE_LABEL, DERIVED_LABEL, type ImageFacts, labelsOf, variablesOf } from "./image-config.ts";
import { type ImageStore, requireLayerStore, type StoredImage } from "./image-store.ts";
import { makeLayer, type Recipe } from "./made-layer.ts";
import { PACKAGE_SCRIPT, PACKAGES_PATH } from "./package-script.ts";
import { putImage } from "./put-image.ts";

export interface DeriveOptions {
  readonly store: ImageStore;
  readonly derived: DerivedImage;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Makes a derived image on this engine, the host's or the operator's own, where it is not there yet. The base is never read. Its name
 * tells what it is made of; which versions of the packages that meant is the word of the day it was made on.
 */
export async function deriveImage({ store, derived, ...options }: DeriveOptions): Promise<StoredImage> {
  const present = await store.image(derived.image);
  if (present !== undefined) {
    requireSameBase(present, await store.image(derived.base), derived);
    return present;
  }
  await requireLayerStore(store);
  const base = await baseImage({ store, reference: derived.base, ...options });
  await using made = await makeLayer(packageRecipe(derived), { store, base, ...options });
  const image = await putImage(store, derivedFacts(base, derived, made.diffId), made.layer === undefined ? [] : [made.layer]);
  await store.tag(image, derived.image);
  const tagged = await store.image(derived.image);
  if (tagged === undefined) throw new MillwrightError("IMAGE_MISSING", "The image was made, and is gone again.", { subject: derived.image });
  return tagged;
}

/** One that came from an engine on another kind of processor has the right name, and would not run. */
function requireSameBase(present: StoredImage, base: StoredImage | undefined, derived: DerivedImage): void {
  if (base === undefined || base.layers.every((layer, index) => present.layers[index] === layer)) return;
  throw new MillwrightError("BUILD_FAILED", `${derived.image} was made of another image (${present.architecture}) than this engine's ${derived.base}.`, {
    subject: derived.image,
    hint: `Remove it from the engine (\`docker image rm ${derived.image}\`) and make it on one with a processor of the kind ${base.architecture}.`,
  });
}

function packageRecipe(derived: DerivedImage): Recipe {
  return {
    label: DERIVED_LABEL,
    key: derived.image,
    words: ["sh", "-c", PACKAGE_SCRIPT, "sh", ...derived.packages],
    network: true,
    folder: PACKAGES_PATH,
    failure: (lines) => packageError(derived, lines),
  };
}

/** The base with one layer on top, whose programs are found first. */
export function derivedFacts(base: ImageFacts, { base: reference, image }: DerivedImage, diffId: string): ImageFacts {
  return {
    ...base,
    layers: [...base.layers, diffId],
    config: {
      ...base.config,
      Labels: { ...labelsOf(base), [BASE_LABEL]: digestOf(reference), [DERIVED_LABEL]: image },
      Env: variablesOf(base).map((variable) => (variable.startsWith("PATH=") ? `PATH=${PACKAGES_PATH}/bin:${variable.slice(5)}` : variable)),
    },
  };
}

/** apt's output as an error. */
export function packageError({ base, packages }: DerivedImage, lines: readonly string[]): MillwrightError {
  const [from] = base.split("@");
  const isUnreachable = lines.some((line) => /Temporary failure resolving|Could not (resolve|connect)|Failed to fetch|unreachable|timed out/i.test(line));
  const why = isUnreachable
    ? "the package sources of the image cannot be reached"
    : (lines.findLast((line) => line.startsWith("E: "))?.slice(3) ?? lines.at(-1) ?? "apt gave no reason");
  const hint = isUnreachable
    ? "The engine must reach them. Where the host does not, `millwright deploy --docker <socket>` makes the image on an engine that does."
    : `The image's own sources must have ${packages.join(" and ")}: lock another image with \`millwright lock\`, or leave the package out.`;
  return new MillwrightError("BUILD_FAILED", `${packages.join(" and ")} could not be put into ${from}: ${why}`, {
    subject: packages.join(" "),
    details: lines.slice(-15),
    hint,
  });
}
