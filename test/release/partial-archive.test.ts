import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { partialArchive } from "../../src/release/partial-archive.ts";
import { hex, layer, tar, texts } from "./fixtures.ts";

const SAVED = {
  [`blobs/sha256/${hex("base")}`]: "B".repeat(5000),
  [`blobs/sha256/${hex("addons")}`]: "A".repeat(3000),
  [`blobs/sha256/${hex("config")}`]: "{}",
  "index.json": "{}",
  "manifest.json": "[]",
  "oci-layout": "{}",
};

describe("a partial archive", () => {
  it("leaves out exactly the layers that are known", async () => {
    const files = await texts(partialArchive(tar(SAVED), [layer("base"), layer("addons")], [layer("addons")]));
    const { [`blobs/sha256/${hex("base")}`]: _, ...rest } = SAVED;
    expect(files).toEqual(rest);
  });

  it("keeps a layer that also occurs among the missing ones", async () => {
    const files = await texts(partialArchive(tar(SAVED), [layer("base"), layer("addons"), layer("base")], [layer("addons"), layer("base")]));
    expect(files).toEqual(SAVED);
  });

  it("passes an archive of the older layout whole", async () => {
    const old = { "abc/layer.tar": "x", "manifest.json": "[]" };
    expect(await texts(partialArchive(tar(old), [layer("base")], []))).toEqual(old);
  });

  it("fails when the archive breaks off", async () => {
    const whole = await buffer(tar(SAVED));
    const cut = Readable.from([whole.subarray(0, 4000)]);
    await expect(buffer(partialArchive(cut, [], []))).rejects.toThrow();
  });
});
