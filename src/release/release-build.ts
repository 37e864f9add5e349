import type { Readable } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import { baseImage, digestOf } from "./base-image.ts";
import { readContext } from "./read-context.ts";
import { ADDONS_PATH } from "./image-config.ts";
import { type ImageStore, requireLayerStore } from "./image-store.ts";
import { layerOfTree } from "./layer-tar.ts";
import { measureLayer } from "./layer.ts";
import { putImage } from "./put-image.ts";
import { releaseImage } from "./release-image.ts";
import { installRequirements } from "./requirements.ts";
import { checkSyntax } from "./syntax-check.ts";
import { unpackContext } from "./unpack-context.ts";
import { workFolder } from "./work-folder.ts";

export interface BuildOptions {
  readonly store: ImageStore;
  readonly clock: Clock;
  /** The context as `buildContext` makes it. */
  readonly context: Readable;
  /** Keeps the image from being pruned. */
  readonly tag: (image: string) => string;
  /** Existing folder for the unpacked context, which is removed again. */
  readonly directory: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Puts a release's image together on this engine, the host's or the operator's own. The engine runs pip and the check of the addons; the
 * layers and the configuration are made here, so that they come out the same on every engine, and the base is never read.
 */
export async function releaseBuild(options: BuildOptions): Promise<{ readonly image: string; readonly layers: readonly string[] }> {
  const { store, clock, onLine } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  await requireLayerStore(store);
  await using work = await workFolder(options.directory, clock.now());
  await unpackContext(options.context, work.path);
  const context = await readContext(work.path);
  const base = await baseImage({ store, reference: context.base, onLine, ...signal });
  const addons = await measureLayer(async () => layerOfTree(context.addons, ADDONS_PATH));
  onLine("Checking the syntax of the addons …");
  await checkSyntax({ store, base, addons, ...signal });
  const { requirements } = context;
  await using installed =
    requirements === undefined ? undefined : await installRequirements({ store, base, context: { ...context, requirements }, onLine, ...signal });

  const facts = releaseImage(base, { baseDigest: digestOf(context.base), requirements: installed, addons: addons.diffId });
  const image = await putImage(store, facts, installed?.layer === undefined ? [addons] : [installed.layer, addons]);
  await store.tag(image, options.tag(image));
  return { image, layers: facts.layers };
}
