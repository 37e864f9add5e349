import { MillwrightError } from "../kernel/errors.ts";
import type { ImageStore, StoredImage, Workbench, WorkbenchOptions } from "./image-store.ts";
import { layerOfArchive } from "./layer-tar.ts";
import { type Layer, measureLayer } from "./layer.ts";

/** How a program makes a layer in a container of the base. */
export interface Recipe {
  /** Label of the images that have such a layer right above the base, and its value for what this recipe makes. */
  readonly label: string;
  readonly key: string;
  readonly words: WorkbenchOptions["words"];
  readonly environment?: WorkbenchOptions["environment"];
  readonly network: boolean;
  /** Puts the program's input into the container. */
  readonly fill?: (bench: Workbench) => Promise<void>;
  /** The folder that it fills, and all that the layer holds. */
  readonly folder: string;
  /** What it has said, as an error. */
  readonly failure: (lines: readonly string[]) => MillwrightError;
}

/** A layer on an engine: made just now, or that of an image that is there already. */
export interface MadeLayer extends AsyncDisposable {
  readonly diffId: string;
  /** Undefined when the engine has it; else to be had until this is disposed of. */
  readonly layer: Layer | undefined;
}

export interface MakeLayerOptions {
  readonly store: ImageStore;
  readonly base: StoredImage;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Makes a layer once for each engine, base and key. */
export async function makeLayer(recipe: Recipe, options: MakeLayerOptions): Promise<MadeLayer> {
  const { store, base } = options;
  for (const image of await store.images(`${recipe.label}=${recipe.key}`)) {
    const diffId = image.layers[base.layers.length];
    if (diffId !== undefined && base.layers.every((layer, index) => image.layers[index] === layer)) {
      return { diffId, layer: undefined, [Symbol.asyncDispose]: async () => {} };
    }
  }
  const { words, environment = {}, network } = recipe;
  const bench = await store.workbench({ image: base.id, words, user: "0:0", environment, network });
  try {
    const layer = await run(bench, recipe, options);
    return { diffId: layer.diffId, layer, [Symbol.asyncDispose]: async () => await bench[Symbol.asyncDispose]() };
  } catch (error) {
    await bench[Symbol.asyncDispose]();
    throw error;
  }
}

async function run(bench: Workbench, { fill, folder, failure }: Recipe, { onLine, signal }: MakeLayerOptions): Promise<Layer> {
  await fill?.(bench);
  const lines: string[] = [];
  const code = await bench.run((line) => {
    lines.push(line);
    onLine(line);
  }, signal);
  if (code !== 0) throw withoutSpace(lines) ?? failure(lines.filter((line) => line.trim() !== ""));
  return await measureLayer(async () => layerOfArchive(await bench.take(folder), folder, "none"));
}

function withoutSpace(lines: readonly string[]): MillwrightError | undefined {
  if (!lines.some((line) => /no space left on device/i.test(line))) return undefined;
  return new MillwrightError("BUILD_FAILED", "There is no space left on the disk of the Docker engine.", {
    hint: "Free space on the engine, then run the command again.",
    details: lines.filter((line) => line.trim() !== "").slice(-15),
  });
}
