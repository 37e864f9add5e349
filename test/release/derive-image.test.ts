import { describe, expect, it } from "vitest";
import { deriveImage, packageError } from "../../src/release/derive-image.ts";
import { type DerivedImage, derivedName, isTrulyNamed } from "../../src/release/derived-name.ts";
import { ADDONS_PATH } from "../../src/release/image-config.ts";
import { layerOfTree } from "../../src/release/layer-tar.ts";
import { measureLayer } from "../../src/release/layer.ts";
import { derivedLoad, releaseExport, releaseMissing } from "../../src/release/move-release.ts";
import { PACKAGES_PATH } from "../../src/release/package-script.ts";
import { putImage } from "../../src/release/put-image.ts";
import { releaseImage } from "../../src/release/release-image.ts";
import { FakeEngine, type FakeRun, putFile } from "../fakes/fake-engine.ts";
import { DIGEST, tree } from "./fixtures.ts";

const base = `postgres:18@${DIGEST}`;
const packages = ["pgbackrest"];
const derived: DerivedImage = { image: derivedName("database", { base, packages }), base, packages };

/** An engine whose apt works, with the base image. */
function engineWithApt(version = "2.60"): FakeEngine & { readonly runs: FakeRun[] } {
  const engine = Object.assign(new FakeEngine(), { runs: [] as FakeRun[] });
  engine.addImage(base, {
    config: { Env: ["LANG=C", "PATH=/usr/bin:/bin"], Cmd: ["postgres"], Volumes: { "/var/lib/postgresql": {} }, Labels: { vendor: "x" } },
  });
  engine.onRun = (run) => {
    engine.runs.push(run);
    putFile(run.files, PACKAGES_PATH);
    putFile(run.files, `${PACKAGES_PATH}/bin`);
    putFile(run.files, `${PACKAGES_PATH}/bin/pgbackrest`, version);
    run.onLine("Get:1 pgbackrest");
    return 0;
  };
  return engine;
}

const derive = async (engine: FakeEngine, onLine: (line: string) => void = () => {}): ReturnType<typeof deriveImage> =>
  await deriveImage({ store: engine, derived, onLine });

describe("the name of a derived image", () => {
  it("stays the same from version to version of millwright, or all hosts make their images anew", () => {
    expect(derived.image).toMatchInlineSnapshot(`"millwright/database:3a392083c6be643b"`);
  });

  it("is another one when base, packages or its use are", () => {
    const names = [
      derived.image,
      derivedName("files", derived),
      derivedName("database", { base: base.replace("aaaa", "bbbb"), packages }),
      derivedName("database", { base, packages: ["pgbackrest", "zstd"] }),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  it("is true only of what it was made from", () => {
    expect(isTrulyNamed(derived)).toBe(true);
    expect(isTrulyNamed({ ...derived, packages: ["nmap"] })).toBe(false);
    expect(isTrulyNamed({ ...derived, base: `evil@${DIGEST}` })).toBe(false);
    expect(isTrulyNamed({ ...derived, image: "postgres:18" })).toBe(false);
    expect(isTrulyNamed({ ...derived, image: derived.image.replace("database", "acme-production") })).toBe(false);
  });
});

describe("a derived image", () => {
  it("is its base with one layer on top, whose programs are found first", async () => {
    const engine = engineWithApt();
    const { config, layers } = await derive(engine);
    expect(layers.slice(0, -1)).toEqual((await engine.image(base))?.layers);
    expect(config).toMatchObject({
      Env: ["LANG=C", `PATH=${PACKAGES_PATH}/bin:/usr/bin:/bin`],
      Cmd: ["postgres"],
      Volumes: { "/var/lib/postgresql": {} },
      Labels: { vendor: "x", "millwright.derived": derived.image, "org.opencontainers.image.base.digest": DIGEST },
    });
    expect(engine.brought).toEqual([[`${layers.at(-1)?.slice(7)}.tar`]]);
  });

  it("is kept by its name", async () => {
    const engine = engineWithApt();
    const { id } = await derive(engine);
    expect((await engine.image(derived.image))?.id).toBe(id);
  });

  it("is the same wherever the same packages came out", async () => {
    expect(await derive(engineWithApt())).toEqual(await derive(engineWithApt()));
    expect((await derive(engineWithApt("2.61"))).id).not.toBe((await derive(engineWithApt())).id);
  });

  it("is made by a script that no name of a package gets into, as root, and apt's lines are told", async () => {
    const [engine, lines] = [engineWithApt(), [] as string[]];
    await derive(engine, (line) => lines.push(line));
    const options = engine.runs[0]?.options;
    expect(options).toMatchObject({ words: ["sh", "-c", expect.not.stringContaining("pgbackrest") as string, "sh", "pgbackrest"], user: "0:0", network: true });
    expect(lines).toEqual(["Get:1 pgbackrest"]);
  });

  it("is made once, and named anew without apt where it has lost its name", async () => {
    const engine = engineWithApt();
    const { id } = await derive(engine);
    await derive(engine);
    engine.untag(derived.image);
    expect((await derive(engine)).id).toBe(id);
    expect({ runs: engine.runs.length, open: engine.open }).toEqual({ runs: 1, open: 0 });
  });

  it("needs its base, which is pulled where it is missing", async () => {
    const engine = engineWithApt();
    engine.remove((await engine.image(base))?.id ?? "");
    engine.addToRegistry(base);
    const lines: string[] = [];
    await derive(engine, (line) => lines.push(line));
    expect(lines[0]).toBe(`Pulling ${base} …`);
  });

  it("is not taken for good when it came from another kind of processor", async () => {
    const engine = engineWithApt();
    engine.addImage(derived.image, { architecture: "arm64", layers: [DIGEST] });
    await expect(derive(engine)).rejects.toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining("arm64") as string });
  });

  it("leaves nothing behind when apt fails", async () => {
    const engine = engineWithApt();
    engine.onRun = ({ onLine }) => {
      onLine("E: Unable to locate package pgbackrest");
      return 100;
    };
    await expect(derive(engine)).rejects.toMatchObject({ code: "BUILD_FAILED", subject: "pgbackrest" });
    expect({ open: engine.open, image: await engine.image(derived.image) }).toEqual({ open: 0, image: undefined });
  });

  it("refuses an engine that keeps its images in containerd", async () => {
    const engine = engineWithApt();
    engine.driver = "overlayfs";
    await expect(derive(engine)).rejects.toMatchObject({ code: "ENGINE_UNSUITABLE" });
  });
});

describe("a failure of apt", () => {
  it("is told with apt's own reason when the sources lack the package", () => {
    const error = packageError(derived, ["Reading package lists...", "E: Unable to locate package pgbackrest"]);
    expect(error.message).toBe("pgbackrest could not be put into postgres:18: Unable to locate package pgbackrest");
    expect(error.hint).toContain("millwright lock");
  });

  it("names the operator's engine when the sources cannot be reached", () => {
    const lines = ["W: Failed to fetch http://packages.example/x  Temporary failure resolving 'packages.example'", "E: Unable to locate package pgbackrest"];
    const error = packageError(derived, lines);
    expect(error.message).toContain("cannot be reached");
    expect(error.hint).toContain("millwright deploy --docker <socket>");
  });
});

describe("a derived image for a host that cannot reach its packages", () => {
  it("comes from another engine, which sends the new layer alone, and has its name there", async () => {
    const [operator, host] = [engineWithApt(), engineWithApt()];
    const { id, layers } = await derive(operator);
    const { missing } = await releaseMissing(host, { image: id, layers: [...layers] });
    expect(missing).toEqual(layers.slice(-1));
    expect(await derivedLoad(host, id, await releaseExport(operator, id, missing))).toEqual({ image: id, name: derived.image });
    expect({ saves: operator.saves, there: (await derive(host)).id, runs: host.runs.length }).toEqual({ saves: 0, there: id, runs: 0 });
  });

  it("gets its name also when only that was missing", async () => {
    const [operator, host] = [engineWithApt(), engineWithApt()];
    const { id } = await derive(operator);
    await derive(host);
    host.untag(derived.image);
    await derivedLoad(host, id, await releaseExport(operator, id, []));
    expect((await host.image(derived.image))?.id).toBe(id);
  });

  it("is refused when it is none, such as a release", async () => {
    const [operator, host] = [engineWithApt(), engineWithApt()];
    const stored = await operator.image(base);
    const addons = await measureLayer(async () => layerOfTree(await tree({ "scale/a.py": "" }), ADDONS_PATH));
    if (stored === undefined) throw new Error("no base");
    const id = await putImage(operator, releaseImage(stored, { baseDigest: DIGEST, requirements: undefined, addons: addons.diffId }), [addons]);
    const sent = derivedLoad(host, id, await releaseExport(operator, id, [addons.diffId]));
    await expect(sent).rejects.toMatchObject({ code: "RELEASE_TRANSFER", message: expect.stringContaining("derives from another") as string });
  });
});
