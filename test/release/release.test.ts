import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { sealOf } from "../../src/release/release-file.ts";
import { hashAddons } from "../../src/release/hash-addons.ts";
import { nextReleaseId, releaseIds, serialiseRelease, writeRelease } from "../../src/release/make-release.ts";
import { missingLayers } from "../../src/release/missing-layers.ts";
import { parseRelease, readRelease } from "../../src/release/read-release.ts";
import { release, tree } from "./fixtures.ts";

const ADDON = {
  "scale/__manifest__.py": `{"name": "Scale", "version": "1.2"}`,
  "scale/__init__.py": "from . import models",
  "scale/models/scale.py": "from odoo import models",
  "scale/controllers/scale.py": `from odoo import http\n\nclass Scale(http.Controller):\n    pass\n`,
  "scale/static/src/scale.js": "export const a = 1;",
  "scale/tests/test_scale.py": "from odoo import models",
  "scale/i18n/de.po": "msgid",
  "scale/i18n/scale.pot": "msgid",
  "scale/README.rst": "Scale",
  "scale/data/neutralize.sql": "select 1",
};

async function hashesAfter(
  change: Readonly<Record<string, string>>,
): Promise<{ before: { content: string; schema: string }; after: { content: string; schema: string } }> {
  const before = (await hashAddons(await tree(ADDON)))["scale"];
  const after = (await hashAddons(await tree({ ...ADDON, ...change })))["scale"];
  if (before === undefined || after === undefined) throw new Error("no addon");
  return { before, after };
}

describe("addon hashes", () => {
  it("say what to do about a site without an addons folder", async () => {
    await expect(hashAddons(join(await tree({ "a.txt": "" }), "addons"))).rejects.toMatchObject({
      code: "ADDONS_INVALID",
      hint: expect.stringContaining("empty") as string,
    });
  });

  for (const path of ["scale/static/src/scale.js", "scale/tests/test_scale.py", "scale/i18n/scale.pot", "scale/README.rst"]) {
    it(`tell a change of ${path} as content only`, async () => {
      const { before, after } = await hashesAfter({ [path]: "changed" });
      expect(after.content).not.toBe(before.content);
      expect(after.schema).toBe(before.schema);
    });
  }

  for (const path of [
    "scale/__manifest__.py",
    "scale/__init__.py",
    "scale/models/scale.py",
    "scale/i18n/de.po",
    "scale/data/neutralize.sql",
    "scale/views/new.xml",
    "scale/migrations/2.0/pre.py",
  ]) {
    it(`tell a change of ${path} as a change of the database definition`, async () => {
      expect((await hashesAfter({ [path]: "x = 1" })).after.schema).not.toBe((await hashesAfter({})).before.schema);
    });
  }

  it("pass over a controller that can touch no model", async () => {
    const { before, after } = await hashesAfter({ "scale/controllers/scale.py": "from odoo import http\n\n\nclass Scale(http.Controller):\n    x = 1\n" });
    expect(after.schema).toBe(before.schema);
  });

  it("count a controller as soon as its text names fields", async () => {
    const { before, after } = await hashesAfter({ "scale/controllers/scale.py": "from odoo import fields, http" });
    expect(after.schema).not.toBe(before.schema);
  });

  it("do not depend on compiled files", async () => {
    const { before, after } = await hashesAfter({ "scale/models/__pycache__/scale.cpython-311.pyc": "x" });
    expect(after).toEqual(before);
  });

  it("read the version from the manifest", async () => {
    expect((await hashAddons(await tree(ADDON)))["scale"]?.version).toBe("1.2");
  });

  it("refuse a symbolic link that leads out of the folder", async () => {
    const root = await tree(ADDON);
    await symlink("/etc/hostname", join(root, "scale/data/link.csv"));
    await expect(hashAddons(root)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });

  it("refuse a link back to the folder itself instead of walking for ever", async () => {
    const root = await tree(ADDON);
    await symlink("..", join(root, "scale/data/loop"));
    await expect(hashAddons(root)).rejects.toMatchObject({ code: "ADDONS_INVALID" });
  });

  it("refuse a folder that is no addon", async () => {
    await expect(hashAddons(await tree({ "stray/notes.txt": "x" }))).rejects.toMatchObject({ code: "ADDONS_INVALID", subject: "stray" });
  });
});

describe("a release file", () => {
  it("comes back as it was written", async () => {
    const directory = await tree({});
    await writeRelease(directory, release());
    expect(await readRelease(directory, "2026-11-24-1")).toEqual(release());
  });

  it("is refused when a byte of its meaning was edited", () => {
    const edited = serialiseRelease(release()).replace("notes: First", "notes: Second");
    expect(() => parseRelease(edited, "releases/x.yaml")).toThrow(expect.objectContaining({ code: "RELEASE_EDITED" }));
  });

  it.each(["{", "id: *nothing", "- a", ""])("that is damaged reads as such: %j", (text) => {
    expect(() => parseRelease(text, "releases/x.yaml")).toThrow(expect.objectContaining({ code: "RELEASE_INVALID", subject: "releases/x.yaml" }));
  });

  it("may be reformatted: only its content is sealed", () => {
    expect(parseRelease(`# a remark\n${serialiseRelease(release())}`, "releases/x.yaml")).toEqual(release());
  });

  it("is never overwritten", async () => {
    const directory = await tree({});
    const path = await writeRelease(directory, release());
    await expect(writeRelease(directory, release({ notes: "other" }))).rejects.toMatchObject({ code: "RELEASE_EXISTS" });
    expect(await readFile(path, "utf8")).toBe(serialiseRelease(release()));
  });

  it("survives any notes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (notes) => {
        expect(parseRelease(serialiseRelease(release({ notes })), "x").notes).toBe(notes);
      }),
    );
  });

  it("has a seal over everything but the seal", () => {
    expect(release().seal).toBe(sealOf(release()));
  });

  it("that is not there is told with those that are", async () => {
    const directory = await tree({});
    await writeRelease(directory, release());
    await writeFile(join(directory, "..", "outside.yaml"), serialiseRelease(release({ id: "outside" })));
    await expect(readRelease(directory, "../outside")).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", subject: "../outside" });
    await expect(readRelease(directory, "2026-11-24-9")).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", hint: "Known releases: 2026-11-24-1." });
  });
});

describe("release ids", () => {
  it("count up within a day", () => {
    expect(nextReleaseId(["2026-11-23-4", "2026-11-24-1", "2026-11-24-9"], Date.UTC(2026, 10, 24))).toBe("2026-11-24-10");
  });

  it("start at one on a new day", () => {
    expect(nextReleaseId(["2026-11-23-4"], Date.UTC(2026, 10, 24))).toBe("2026-11-24-1");
  });

  it("are listed by time, not by text", async () => {
    const directory = await tree({ "2026-11-24-10.yaml": "", "2026-11-24-9.yaml": "", "notes.txt": "" });
    expect(await releaseIds(directory)).toEqual(["2026-11-24-9", "2026-11-24-10"]);
  });
});

describe("missing layers", () => {
  it("are those above the longest shared chain", () => {
    expect(missingLayers(["a", "b", "c"], [["a"], ["a", "b", "x"], ["b", "c"]])).toEqual(["c"]);
  });

  it("include a known layer that lies on an unknown one", () => {
    expect(missingLayers(["x", "b"], [["a", "b"]])).toEqual(["x", "b"]);
  });

  it("with those that are there always make up the image", () => {
    const layer = fc.constantFrom("a", "b", "c");
    fc.assert(
      fc.property(fc.array(layer), fc.array(fc.array(layer)), (layers, images) => {
        const missing = missingLayers(layers, images);
        const shared = layers.slice(0, layers.length - missing.length);
        expect([...shared, ...missing]).toEqual(layers);
        expect(shared.length === 0 || images.some((image) => shared.every((value, index) => image[index] === value))).toBe(true);
      }),
    );
  });
});
