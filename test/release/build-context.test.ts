import { mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/kernel/canonical.ts";
import { buildContext } from "../../src/release/build-context.ts";
import { readContext } from "../../src/release/read-context.ts";
import { unpackContext } from "../../src/release/unpack-context.ts";
import { BASE, tar, tree } from "./fixtures.ts";

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), "millwright-"));
const FACTS = { "release.json": JSON.stringify({ base: BASE }) };

describe("a build context", () => {
  const files = { "scale/__manifest__.py": "{}", "scale/models/a.py": "a = 1" };

  it("is the same to the byte for the same files", async () => {
    const bytes = async (): Promise<string> => sha256(await buffer(await buildContext({ base: BASE, addons: await tree(files) })));
    expect(await bytes()).toBe(await bytes());
  });

  it("arrives on the other side with its content and modes", async () => {
    const wheels = await tree({ "barcode-1.0-py3-none-any.whl": "wheel" });
    const requirements = join(await tree({ "requirements.txt": "barcode==1.0" }), "requirements.txt");
    const target = await folder();
    await unpackContext(await buildContext({ base: BASE, addons: await tree(files), requirements, wheels }), target);
    expect(await readFile(join(target, "addons/scale/models/a.py"), "utf8")).toBe("a = 1");
    expect((await stat(join(target, "addons/scale/models/a.py"))).mode & 0o777).toBe(0o644);
    expect(await readContext(target)).toEqual({
      base: BASE,
      addons: join(target, "addons"),
      requirements: "barcode==1.0",
      wheels: { folder: join(target, "wheels"), hashes: { "barcode-1.0-py3-none-any.whl": sha256("wheel") } },
    });
  });

  it.each([
    ["a Dockerfile of the sender's", { Dockerfile: "FROM x\n" }],
    ["a base image that is not named by digest", { "release.json": JSON.stringify({ base: "odoo:19" }) }],
    ["more facts than the base image", { "release.json": JSON.stringify({ base: BASE, user: "root" }) }],
  ])("is refused with %s", async (_, sent) => {
    const target = await folder();
    await unpackContext(tar({ ...FACTS, "addons/scale/__init__.py": "", ...sent }), target);
    await expect(readContext(target)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });

  it("is refused without a folder of addons", async () => {
    const target = await folder();
    await unpackContext(tar(FACTS), target);
    await expect(readContext(target)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });

  it.each(["../evil", "/etc/evil", "a/../../evil"])("is refused when it holds %s", async (name) => {
    await expect(unpackContext(tar({ [name]: "x" }), await folder())).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });

  it("is refused when it holds a link", async () => {
    const out = pack();
    out.entry({ name: "addons", type: "symlink", linkname: "/etc" });
    out.finalize();
    await expect(unpackContext(Readable.from(out, { objectMode: false }), await folder())).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });
});
