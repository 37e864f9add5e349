import { execFile } from "node:child_process";
import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { extract, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/kernel/canonical.ts";
import { buildContext } from "../../src/release/build-context.ts";
import { dockerfile, syntaxProblems } from "../../src/release/dockerfile.ts";
import type { ImageStore, StoredImage } from "../../src/release/image-store.ts";
import { releaseExport, releaseLoad, releaseMissing } from "../../src/release/move-release.ts";
import { partialArchive } from "../../src/release/partial-archive.ts";
import { buildError, releaseBuild } from "../../src/release/release-build.ts";
import { unpackContext } from "../../src/release/unpack-context.ts";
import { writeDockerfile } from "../../src/release/write-dockerfile.ts";

const hex = (name: string): string => sha256(name);
const layer = (name: string): string => `sha256:${hex(name)}`;
const PARTS = { base: `odoo:19@sha256:${"0".repeat(64)}`, user: "odoo", release: "2026-11-24-1", site: "acme", revision: "abc" };

function tar(files: Readonly<Record<string, string>>): Readable {
  const out = pack();
  for (const [name, content] of Object.entries(files)) out.entry({ name, mtime: new Date(0) }, content);
  out.finalize();
  return Readable.from(out, { objectMode: false });
}

async function untar(stream: Readable): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const from = extract();
  async function collect(): Promise<void> {
    for await (const entry of from) {
      const content = await buffer(Readable.from(entry));
      if (entry.header.type === "file") files[entry.header.name] = content.toString("utf8");
    }
  }
  await Promise.all([pipeline(stream, from), collect()]);
  return files;
}

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
    const files = await untar(partialArchive(tar(SAVED), [layer("base"), layer("addons")], [layer("addons")]));
    const { [`blobs/sha256/${hex("base")}`]: _, ...rest } = SAVED;
    expect(files).toEqual(rest);
  });

  it("keeps a layer that also occurs among the missing ones", async () => {
    const files = await untar(partialArchive(tar(SAVED), [layer("base"), layer("addons"), layer("base")], [layer("addons"), layer("base")]));
    expect(files).toEqual(SAVED);
  });

  it("passes an archive of the older layout whole", async () => {
    const old = { "abc/layer.tar": "x", "manifest.json": "[]" };
    expect(await untar(partialArchive(tar(old), [layer("base")], []))).toEqual(old);
  });

  it("fails when the archive breaks off", async () => {
    const whole = await buffer(tar(SAVED));
    const cut = Readable.from([whole.subarray(0, 4000)]);
    await expect(buffer(partialArchive(cut, [], []))).rejects.toThrow();
  });
});

describe("a build context", () => {
  const files = { "scale/__manifest__.py": "{}", "scale/models/a.py": "a = 1" };

  it("is the same to the byte for the same files", async () => {
    const [first, second] = [await addonsTree(files), await addonsTree(files)];
    const bytes = async (addons: string): Promise<string> => sha256(await buffer(await buildContext({ ...PARTS, addons })));
    expect(await bytes(first)).toBe(await bytes(second));
  });

  it("arrives on the other side with its content and modes", async () => {
    const addons = await addonsTree(files);
    const target = await mkdtemp(join(tmpdir(), "millwright-"));
    await unpackContext(await buildContext({ ...PARTS, addons }), target);
    expect(await readFile(join(target, "addons/scale/models/a.py"), "utf8")).toBe("a = 1");
    expect((await stat(join(target, "addons/scale/models/a.py"))).mode & 0o777).toBe(0o644);
    await writeDockerfile(target);
    expect(await readFile(join(target, "Dockerfile"), "utf8")).toContain("FROM odoo:19@sha256:0");
  });

  it.each([
    ["a Dockerfile of the sender's", { Dockerfile: "FROM x\n" }],
    ["a list of files to leave out", { ".dockerignore": "addons\n" }],
    ["a base image that is not named by digest", { "release.json": JSON.stringify({ ...PARTS, base: "odoo:19" }) }],
    ["a revision with a line end", { "release.json": JSON.stringify({ ...PARTS, revision: "abc\nRUN id" }) }],
    ["a user with a line end", { "release.json": JSON.stringify({ ...PARTS, user: "odoo\nRUN id" }) }],
  ])("is refused with %s", async (_, sent) => {
    const target = await mkdtemp(join(tmpdir(), "millwright-"));
    await unpackContext(tar({ "release.json": JSON.stringify(PARTS), ...sent }), target);
    await expect(writeDockerfile(target)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });

  for (const name of ["../evil", "/etc/evil", "a/../../evil"]) {
    it(`is refused when it holds ${name}`, async () => {
      const target = await mkdtemp(join(tmpdir(), "millwright-"));
      await expect(unpackContext(tar({ [name]: "x" }), target)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
    });
  }

  it("is refused when it holds a link", async () => {
    const out = pack();
    out.entry({ name: "addons", type: "symlink", linkname: "/etc" });
    out.finalize();
    const target = await mkdtemp(join(tmpdir(), "millwright-"));
    await expect(unpackContext(Readable.from(out, { objectMode: false }), target)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });
});

async function addonsTree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "millwright-"));
  await unpackContext(tar(files), root);
  return root;
}

describe("the Dockerfile", () => {
  it("goes back to the user of the base image", () => {
    expect(
      dockerfile({ ...PARTS, requirements: undefined, wheels: false })
        .trimEnd()
        .split("\n")
        .at(-1),
    ).toBe("USER odoo");
  });

  it("installs requirements before the addons, so that their layer is kept", () => {
    const text = dockerfile({ ...PARTS, requirements: "barcode==1.0", wheels: false });
    expect(text.indexOf("pip install")).toBeLessThan(text.indexOf("COPY addons"));
    expect(text).not.toContain("--require-hashes");
  });

  it("insists on hashes when the requirements have them", () => {
    expect(dockerfile({ ...PARTS, requirements: "barcode==1.0 --hash=sha256:0", wheels: false })).toContain("--require-hashes");
  });

  it("needs no network when the wheels are there", () => {
    expect(dockerfile({ ...PARTS, requirements: "barcode==1.0", wheels: true })).toContain("--no-index --find-links");
  });

  it("does not let a revision reach the builder's variables", () => {
    expect(dockerfile({ ...PARTS, revision: "$HOME", requirements: undefined, wheels: false })).toContain(String.raw`revision="\$HOME"`);
  });

  it("carries a syntax check that names file and line, and finds nothing in good files", async () => {
    const line = dockerfile({ ...PARTS, requirements: undefined, wheels: false })
      .split("\n")
      .find((text) => text.startsWith("RUN ["));
    const words = JSON.parse(line?.slice(4) ?? "[]") as string[];
    const good = await addonsTree({ "scale/a.py": "a = 1\n" });
    const bad = await addonsTree({ "scale/a.py": "a = 1\nb = (\n" });
    const check = async (root: string): Promise<readonly string[]> => {
      const script = (words.at(-1) ?? "").replaceAll("/opt/millwright/addons", root);
      const { stdout } = await promisify(execFile)("python3", ["-I", "-B", "-c", script]).catch((error: { stdout: string }) => error);
      return stdout.split("\n");
    };
    expect(syntaxProblems(await check(good))).toEqual([]);
    expect(syntaxProblems(await check(bad))).toMatchObject([{ file: "scale/a.py", line: 2 }]);
  });
});

describe("a failed build", () => {
  it("names the file and line of a syntax error behind the builder's own prefix", () => {
    const error = buildError(["#8 0.512 millwright-syntax: scale/models/a.py:7: invalid syntax", "ERROR: failed to solve"]);
    expect(error).toMatchObject({ code: "ADDON_SYNTAX", subject: "addons/scale/models/a.py:7" });
  });

  it("keeps the builder's last lines when it does not know better", () => {
    expect(buildError(["one", "two"])).toMatchObject({ code: "BUILD_FAILED", details: ["one", "two"] });
  });
});

/** An engine that keeps layers as a set of chains, as Docker's store does, and an archive as `name → content`. */
class FakeStore implements ImageStore {
  readonly known = new Map<string, StoredImage>();
  readonly loaded: Record<string, string>[] = [];
  driver = "overlay2";
  arrives: StoredImage | undefined;

  async version(): Promise<{ engine: string; storageDriver: string }> {
    return { engine: "26.1.5", storageDriver: this.driver };
  }
  async image(reference: string): Promise<StoredImage | undefined> {
    return this.known.get(reference);
  }
  async images(): Promise<readonly StoredImage[]> {
    return [...this.known.values()];
  }
  async tag(imageId: string, reference: string): Promise<void> {
    const image = this.known.get(imageId);
    if (image !== undefined) this.known.set(reference, image);
  }
  async load(archive: Readable): Promise<void> {
    this.loaded.push(await untar(archive));
    if (this.arrives !== undefined) this.known.set(this.arrives.id, this.arrives);
  }
  async save(): Promise<Readable> {
    return tar(SAVED);
  }
  async digestOf(): Promise<string> {
    return layer("digest");
  }
}

describe("moving a release", () => {
  const image: StoredImage = { id: layer("config"), layers: [layer("base"), layer("addons")], user: "odoo" };
  const wanted = { image: image.id, layers: [...image.layers] };
  const withBase = (): FakeStore => {
    const store = new FakeStore();
    store.known.set("odoo:19", { id: layer("odoo"), layers: [layer("base")], user: "odoo" });
    return store;
  };

  it("asks for nothing when the image is there", async () => {
    const store = withBase();
    store.known.set(image.id, image);
    expect(await releaseMissing(store, wanted)).toMatchObject({ present: true, missing: [] });
  });

  it("asks for the layers above the base image", async () => {
    expect(await releaseMissing(withBase(), wanted)).toEqual({ present: false, missing: [layer("addons")], wholeOnly: false });
  });

  it("asks for everything when the engine's image store wants whole archives", async () => {
    const store = withBase();
    store.driver = "overlayfs";
    expect(await releaseMissing(store, wanted)).toEqual({ present: false, missing: wanted.layers, wholeOnly: true });
  });

  it("sends only those layers, gzipped", async () => {
    const source = new FakeStore();
    source.known.set(image.id, image);
    const sent = await buffer(await releaseExport(source, image.id, [layer("addons")]));
    expect(Object.keys(await untar(Readable.from([gunzipSync(sent)])))).not.toContain(`blobs/sha256/${hex("base")}`);
  });

  it("proves after the load that it is the image that was meant", async () => {
    const source = new FakeStore();
    source.known.set(image.id, image);
    const target = withBase();
    target.arrives = { ...image, id: layer("another") };
    const archive = await releaseExport(source, image.id, [layer("addons")]);
    await expect(releaseLoad(target, image.id, archive)).rejects.toMatchObject({ code: "RELEASE_TRANSFER" });
  });

  it("tags what has arrived, so that it is not pruned", async () => {
    const source = new FakeStore();
    source.known.set(image.id, image);
    const target = withBase();
    target.arrives = image;
    await releaseLoad(target, image.id, await releaseExport(source, image.id, [layer("addons")]), "millwright/acme:1");
    expect(await target.image("millwright/acme:1")).toEqual(image);
  });

  it("tells a stream that broke off", async () => {
    const cut = Readable.from([Buffer.from([0x1f, 0x8b, 8, 0])]);
    await expect(releaseLoad(withBase(), image.id, cut)).rejects.toMatchObject({ code: "RELEASE_TRANSFER" });
  });

  it("builds in a folder that is gone afterwards, also when the build fails", async () => {
    const work = await mkdtemp(join(tmpdir(), "millwright-"));
    let built = "";
    const shell = {
      run: async (words: readonly string[]) => {
        built = words.at(-1) ?? "";
        await stat(join(built, "Dockerfile"));
        return { code: 1, stdout: "", stderr: "" };
      },
    };
    const context = tar({ "release.json": JSON.stringify(PARTS) });
    const options = { store: withBase(), shell, context, tag: "millwright/acme:1", workFolder: work, onLine: () => {} };
    await expect(releaseBuild(options)).rejects.toMatchObject({ code: "BUILD_FAILED" });
    await expect(stat(built)).rejects.toThrow();
    await writeFile(join(work, "still-there"), "");
  });
});
