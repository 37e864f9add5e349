import { chmod, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as fc from "../properties.ts";
import { type Header, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { layerOfArchive, layerOfTree } from "../../src/release/layer-tar.ts";
import { FakeEngine, untar } from "../fakes/fake-engine.ts";
import { tree } from "./fixtures.ts";

type Entry = Pick<Header, "name"> & Partial<Header>;

const TARGET = "/opt/millwright/addons";
const files = { "scale/__init__.py": "", "scale/static/src/scale.js": "let a = 1;", "scale.md": "Scales" };
const bytesOf = async (root: string): Promise<Buffer> => await buffer(layerOfTree(root, TARGET));

describe("a layer of a folder", () => {
  it("is the same to the byte for the same content, whenever and with whatever umask it was written", async () => {
    const [first, second] = [await tree(files), await tree(files)];
    await utimes(join(second, "scale.md"), 1, 1);
    await chmod(join(second, "scale.md"), 0o660);
    await chmod(join(second, "scale"), 0o700);
    expect((await bytesOf(second)).equals(await bytesOf(first))).toBe(true);
  });

  it("names every folder down to its own, root's and open to all, and each folder before what is in it", async () => {
    const entries = await untar(layerOfTree(await tree(files), TARGET));
    expect([...entries].map(([name, { header }]) => `${header.mode?.toString(8)} ${header.uid}:${header.gid} ${name}`)).toEqual([
      "755 0:0 opt",
      "755 0:0 opt/millwright",
      "755 0:0 opt/millwright/addons",
      "755 0:0 opt/millwright/addons/scale",
      "644 0:0 opt/millwright/addons/scale/__init__.py",
      "755 0:0 opt/millwright/addons/scale/static",
      "755 0:0 opt/millwright/addons/scale/static/src",
      "644 0:0 opt/millwright/addons/scale/static/src/scale.js",
      "644 0:0 opt/millwright/addons/scale.md",
    ]);
  });

  it("gives a file another time when its content changes at the same size, so that nobody goes on with the file of before", async () => {
    const timeOf = async (script: string): Promise<number> => {
      const entries = await untar(layerOfTree(await tree({ ...files, "scale/static/src/scale.js": script }), TARGET));
      return entries.get("opt/millwright/addons/scale/static/src/scale.js")?.header.mtime?.getTime() ?? 0;
    };
    expect(await timeOf("let a = 1;")).toBe(await timeOf("let a = 1;"));
    expect(await timeOf("let a = 1;")).not.toBe(await timeOf("let a = 2;"));
    expect(await timeOf("let a = 2;")).toBeLessThan(Date.parse("2018-01-01"));
  });

  it("comes out of a container as it went in, whatever the names", async () => {
    const engine = new FakeEngine();
    engine.addImage("odoo:19");
    const name = fc.oneof(
      fc.constantFrom("a", "a.py", "a-b", "a b", "A", "é", "\u{1F4A9}", "\uFFFD", "x".repeat(120)),
      fc.stringMatching(/^[a-z0-9_.~+-]{1,12}$/).filter((text) => !/^\.+$|_$/.test(text)),
    );
    // Only a folder's name ends in "_": no tree has a file and a folder of the same name.
    const trees = fc.dictionary(
      fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.map((part, index) => (index < parts.length - 1 ? `${part}_` : part)).join("/")),
      fc.string({ maxLength: 20 }),
      { maxKeys: 12 },
    );
    await fc.assert(
      fc.asyncProperty(trees, async (some) => {
        const root = await tree(some);
        const went = await bytesOf(root);
        await using bench = await engine.workbench({ image: "odoo:19", words: [], network: false });
        await bench.put(Readable.from([went]));
        const came = await buffer(layerOfArchive(await bench.take(TARGET), TARGET, "own"));
        expect(came.equals(went)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a layer of what a container holds", () => {
  const archive = (...entries: readonly Entry[]): Readable => {
    const out = pack();
    for (const entry of entries) out.entry(entry, entry.type === undefined || entry.type === "file" ? "x" : "");
    out.finalize();
    return Readable.from(out, { objectMode: false });
  };

  it("forgets the times and the owners of an installation", async () => {
    const installed = (mtime: Date, uid: number): Readable =>
      archive(
        { name: "python/", type: "directory", mtime },
        { name: "python/bin/scale", mode: 0o775, mtime, uid },
        { name: "python/scale.py", mode: 0o600, mtime },
      );
    const bytes = async (from: Readable): Promise<Buffer> => await buffer(layerOfArchive(from, "/opt/millwright/python", "none"));
    expect((await bytes(installed(new Date(1e12), 7))).equals(await bytes(installed(new Date(2e12), 0)))).toBe(true);
    const entries = await untar(Readable.from([await bytes(installed(new Date(1e12), 7))]));
    expect(entries.get("opt/millwright/python/bin/scale")?.header).toMatchObject({ mode: 0o755, uid: 0 });
    expect(entries.get("opt/millwright/python/scale.py")?.header).toMatchObject({ mode: 0o644 });
  });

  it.each<readonly [string, Entry]>([
    ["a link out of the folder", { name: "python/etc", type: "symlink", linkname: "/etc" }],
    ["a hard link", { name: "python/shadow", type: "link", linkname: "python/a" }],
    ["a device", { name: "python/sda", type: "block-device" }],
    ["a pipe", { name: "python/pipe", type: "fifo" }],
    ["a path that leads out", { name: "python/../../etc/passwd" }],
    ["an absolute path", { name: "/etc/passwd" }],
  ])("is refused with %s", async (_, entry) => {
    const layer = layerOfArchive(archive({ name: "python/", type: "directory" }, entry), "/opt/millwright/python", "none");
    await expect(buffer(layer)).rejects.toMatchObject({ code: "BUILD_FAILED" });
  });

  it("fails when the engine's answer breaks off", async () => {
    const whole = await buffer(archive({ name: "python/", type: "directory" }, { name: "python/a" }));
    await expect(buffer(layerOfArchive(Readable.from([whole.subarray(0, 700)]), "/opt/millwright/python", "none"))).rejects.toThrow();
  });
});
