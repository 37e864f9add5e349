import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildContext } from "../../src/release/build-context.ts";
import { PYTHON_PATH } from "../../src/release/image-config.ts";
import { releaseBuild } from "../../src/release/release-build.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeEngine, type FakeRun, putFile } from "../fakes/fake-engine.ts";
import { BASE, tar, tree } from "./fixtures.ts";

const ADDONS = { "scale/__manifest__.py": "{}", "scale/models/a.py": "a = 1" };

interface Site {
  readonly addons?: Readonly<Record<string, string>>;
  readonly requirements?: string;
}

async function build(engine: FakeEngine, { addons = ADDONS, requirements }: Site = {}, work?: string): ReturnType<typeof releaseBuild> {
  const file = requirements === undefined ? undefined : join(await tree({ "requirements.txt": requirements }), "requirements.txt");
  return await releaseBuild({
    store: engine,
    clock: new FakeClock(),
    context: await buildContext({ base: BASE, addons: await tree(addons), ...(file === undefined ? {} : { requirements: file }) }),
    tag: (image) => `millwright/acme:${image.slice(7, 19)}`,
    directory: work ?? (await mkdtemp(join(tmpdir(), "millwright-"))),
    onLine: () => {},
  });
}

/** An engine with the base image on which pip works, at its own times. */
function engineWithPip(time = 1e12): FakeEngine & { installed: number } {
  const engine = Object.assign(new FakeEngine(), { installed: 0 });
  engine.addImage(BASE);
  engine.onRun = ({ options, files }: FakeRun) => {
    if (options.words[0] !== "sh") return 0;
    engine.installed += 1;
    putFile(files, PYTHON_PATH, undefined, time);
    putFile(files, `${PYTHON_PATH}/barcode.py`, files.get("millwright/requirements.txt")?.content.toString("utf8"), time);
    return 0;
  };
  return engine;
}

describe("a build", () => {
  it("gives the same image for the same content on any engine", async () => {
    const [first, second] = [engineWithPip(1e12), engineWithPip(2e12)];
    second.addImage("another:1");
    const site = { requirements: "barcode==1.0" };
    expect(await build(first, site)).toEqual(await build(second, site));
  });

  it("keeps the image by its tag", async () => {
    const engine = engineWithPip();
    const { image } = await build(engine);
    expect((await engine.image(`millwright/acme:${image.slice(7, 19)}`))?.id).toBe(image);
  });

  it("brings the engine no layer of the base", async () => {
    const engine = engineWithPip();
    const { layers } = await build(engine, { requirements: "barcode==1.0" });
    expect({ layers: layers.length, brought: engine.brought }).toEqual({ layers: 3, brought: [layers.slice(1).map((diffId) => `${diffId.slice(7)}.tar`)] });
  });

  it("loads nothing when the engine has that image", async () => {
    const engine = engineWithPip();
    await build(engine);
    await build(engine);
    expect(engine.brought).toHaveLength(1);
  });

  it("installs requirements once for all releases that have the same, and brings their layer once", async () => {
    const engine = engineWithPip();
    const first = await build(engine, { requirements: "barcode==1.0" });
    const second = await build(engine, { addons: { ...ADDONS, "scale/b.py": "" }, requirements: "barcode==1.0" });
    expect({ installed: engine.installed, same: second.layers[1] === first.layers[1] }).toEqual({ installed: 1, same: true });
    expect(engine.brought.map((files) => files.length)).toEqual([2, 1]);
    await build(engine, { requirements: "barcode==1.1" });
    expect(engine.installed).toBe(2);
  });

  it("pulls the base where the engine lacks it", async () => {
    const engine = new FakeEngine();
    engine.addToRegistry(BASE);
    expect((await build(engine)).layers).toHaveLength(2);
  });

  it("checks the addons as they will lie in the image, without a network, and makes no image of bad ones", async () => {
    const engine = engineWithPip();
    let run: FakeRun | undefined;
    engine.onRun = (seen) => {
      run = seen;
      seen.onLine("millwright-syntax: scale/models/a.py:1: invalid syntax");
      return 1;
    };
    const before = (await engine.images()).length;
    await expect(build(engine)).rejects.toMatchObject({ code: "ADDON_SYNTAX", subject: "addons/scale/models/a.py:1" });
    expect(run?.files.get("opt/millwright/addons/scale/models/a.py")?.content.toString()).toBe("a = 1");
    expect({ network: run?.options.network, images: (await engine.images()).length }).toEqual({ network: false, images: before });
  });

  it("leaves neither a folder nor a container behind, also when it fails", async () => {
    const work = await mkdtemp(join(tmpdir(), "millwright-"));
    const engine = engineWithPip();
    await build(engine, { requirements: "barcode==1.0" }, work);
    engine.onRun = ({ options }) => (options.words[0] === "sh" ? 1 : 0);
    await expect(build(engine, { requirements: "nowhere==1.0" }, work)).rejects.toMatchObject({ code: "BUILD_FAILED", subject: "requirements.txt" });
    expect({ open: engine.open, left: await readdir(work) }).toEqual({ open: 0, left: [] });
  });

  it("keeps the ids of releases from version to version of millwright, since release files name them", async () => {
    expect((await build(engineWithPip(), { requirements: "barcode==1.0" })).image).toMatchInlineSnapshot(
      `"sha256:e6f80b33f3c1549d7e2c9e80d4976cdae12bdb7f1a03cef4dbd69a9d2375acd6"`,
    );
  });

  it("tells a full disk, whatever the program made of it", async () => {
    const engine = engineWithPip();
    engine.onRun = ({ options, onLine }) => {
      if (options.words[0] !== "sh") return 0;
      for (const line of ["OSError: [Errno 28] No space left on device", "", "ERROR: it failed"]) onLine(line);
      return 1;
    };
    const failure = { code: "BUILD_FAILED", message: expect.stringContaining("no space left") as string };
    await expect(build(engine, { requirements: "barcode==1.0" })).rejects.toMatchObject(failure);
  });

  it("refuses an engine that keeps its images in containerd, before it does anything", async () => {
    const engine = engineWithPip();
    engine.driver = "overlayfs";
    await expect(build(engine)).rejects.toMatchObject({ code: "ENGINE_UNSUITABLE" });
  });

  it("is ended by its signal", async () => {
    const engine = engineWithPip();
    const options = { store: engine, clock: new FakeClock(), tag: () => "a:b", directory: await mkdtemp(join(tmpdir(), "millwright-")), onLine: () => {} };
    const context = tar({ "release.json": JSON.stringify({ base: BASE }), "addons/scale/__init__.py": "" });
    await expect(releaseBuild({ ...options, context, signal: AbortSignal.abort(new Error("Ctrl-C")) })).rejects.toThrow("Ctrl-C");
    expect(engine.open).toBe(0);
  });
});
