import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { canonicalJson } from "../kernel/canonical.ts";
import type { Layer } from "./layer.ts";
import { packed, plainHeader } from "./plain-tar.ts";
import { imageId } from "./image-config.ts";

/**
 * An image as `docker load` takes it, with the files of those layers only that are given. An engine with a layer store looks each chain
 * of layers up before it opens a file, so the layers that it has need none.
 */
export function imageArchive(config: string, chain: readonly string[], layers: readonly Layer[]): Readable {
  const configFile = `${hexOf(imageId(config))}.json`;
  const manifest = [{ Config: configFile, RepoTags: null, Layers: chain.map(fileOf) }];
  return packed(async (tar) => {
    tar.entry(plainHeader("manifest.json", 0o644), canonicalJson(manifest));
    tar.entry(plainHeader(configFile, 0o644), config);
    for (const layer of layers) {
      const entry = tar.entry({ ...plainHeader(fileOf(layer.diffId), 0o644), size: layer.sizeBytes });
      await pipeline(await layer.open(), entry);
    }
  });
}

function fileOf(diffId: string): string {
  return `${hexOf(diffId)}.tar`;
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}
