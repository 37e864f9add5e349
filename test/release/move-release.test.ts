import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { buildContext } from "../../src/release/build-context.ts";
import { releaseExport, releaseLoad, releaseMissing } from "../../src/release/move-release.ts";
import { releaseBuild } from "../../src/release/release-build.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeEngine } from "../fakes/fake-engine.ts";
import { BASE, layer, texts, tree } from "./fixtures.ts";

let source: FakeEngine;
let target: FakeEngine;
let built: { readonly image: string; readonly layers: readonly string[] };

const wanted = (): { image: string; layers: string[] } => ({ image: built.image, layers: [...built.layers] });
const own = (): readonly string[] => built.layers.slice(1);
const sent = async (missing: readonly string[]): Promise<Buffer> => await buffer(await releaseExport(source, built.image, missing));
const filesOf = async (archive: Buffer): Promise<readonly string[]> => Object.keys(await texts(Readable.from([gunzipSync(archive)])));

beforeEach(async () => {
  [source, target] = [new FakeEngine(), new FakeEngine()];
  for (const engine of [source, target]) engine.addImage(BASE);
  built = await releaseBuild({
    store: source,
    clock: new FakeClock(),
    context: await buildContext({ base: BASE, addons: await tree({ "scale/__manifest__.py": "{}", "scale/models/a.py": "a = 1" }) }),
    tag: () => "millwright/acme:1",
    directory: await mkdtemp(join(tmpdir(), "millwright-")),
    onLine: () => {},
  });
});

describe("what an engine lacks of a release", () => {
  it("is nothing when the image is there", async () => {
    expect(await releaseMissing(source, wanted())).toEqual({ present: true, missing: [] });
  });

  it("is the layers above the base image", async () => {
    expect(await releaseMissing(target, wanted())).toEqual({ present: false, missing: own() });
  });

  it("is everything when it lacks the base too", async () => {
    expect(await releaseMissing(new FakeEngine(), wanted())).toEqual({ present: false, missing: built.layers });
  });

  it("does not matter when it keeps its images in containerd", async () => {
    target.driver = "overlayfs";
    await expect(releaseMissing(target, wanted())).rejects.toMatchObject({ code: "ENGINE_UNSUITABLE" });
  });
});

describe("a release on its way", () => {
  it("arrives as the image that was built, by its own layers alone", async () => {
    await releaseLoad(target, built.image, Readable.from([await sent(own())]), "millwright/acme:1");
    expect((await target.image("millwright/acme:1"))?.id).toBe(built.image);
    expect(target.brought).toEqual([own().map((diffId) => `${diffId.slice(7)}.tar`)]);
  });

  it("is never read whole, and leaves no container where it came from", async () => {
    await sent(own());
    expect({ saves: source.saves, open: source.open }).toEqual({ saves: 0, open: 0 });
  });

  it("goes on from the engine where it arrived", async () => {
    await releaseLoad(target, built.image, Readable.from([await sent(own())]));
    const [third, back] = [new FakeEngine(), source];
    third.addImage(BASE);
    source = target;
    await releaseLoad(third, built.image, Readable.from([await sent(own())]));
    source = back;
    expect((await third.image(built.image))?.layers).toEqual(built.layers);
  });

  it("is saved by the engine when a layer of the base must travel too", async () => {
    const files = await filesOf(await sent(built.layers));
    expect(files).toEqual(expect.arrayContaining(built.layers.map((diffId) => `blobs/sha256/${diffId.slice(7)}`)));
  });

  it("is saved by the engine when it was built another way, with the missing layers alone", async () => {
    source.addImage("built-otherwise", { id: built.image, layers: [layer("base"), layer("addons")] });
    const files = await filesOf(await sent([layer("addons")]));
    expect(files).toEqual([`blobs/sha256/${layer("addons").slice(7)}`, "manifest.json"]);
  });

  it("is saved by the engine when its addons do not come out as they went in", async () => {
    const workbench = source.workbench.bind(source);
    source.workbench = async (options) => {
      const bench = await workbench(options);
      return { ...bench, take: async () => await bench.take("/opt") };
    };
    await sent(own());
    expect({ saves: source.saves, open: source.open }).toEqual({ saves: 1, open: 0 });
  });

  it("is not to be had from an engine without it", async () => {
    await expect(releaseExport(target, built.image, own())).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND" });
  });

  it("is proven by its id after the load", async () => {
    await expect(releaseLoad(target, layer("another"), Readable.from([await sent(own())]))).rejects.toMatchObject({ code: "RELEASE_TRANSFER" });
  });

  it("tells a stream that broke off, and can be sent again", async () => {
    const whole = await sent(own());
    await expect(releaseLoad(target, built.image, Readable.from([whole.subarray(0, 200)]))).rejects.toMatchObject({ code: "RELEASE_TRANSFER" });
    await releaseLoad(target, built.image, Readable.from([whole]));
    expect((await target.image(built.image))?.id).toBe(built.image);
  });
});
