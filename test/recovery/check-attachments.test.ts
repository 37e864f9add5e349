import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Attachment, checkAttachments } from "../../src/recovery/check-attachments.ts";

const SNAPSHOT = "2026-11-29T02:30:00.000Z";
const signal = new AbortController().signal;
let folder: string;

async function store(content: string, at = "2026-11-28T10:00:00.000Z"): Promise<Attachment> {
  const hash = createHash("sha1").update(content).digest("hex");
  const file = `${hash.slice(0, 2)}/${hash}`;
  await mkdir(join(folder, dirname(file)), { recursive: true });
  await writeFile(join(folder, file), content);
  return { file, size: content.length, at };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "filestore-"));
});

describe("attachments", () => {
  it("are good when each is there, of its size and of its content", async () => {
    const all = await Promise.all(Array.from({ length: 40 }, (_, index) => store(`drawing ${index}`)));
    expect(await checkAttachments(folder, all, SNAPSHOT, signal)).toEqual({
      checked: 40,
      bytes: all.reduce((sum, { size }) => sum + size, 0),
      tooYoung: 0,
      problems: [],
      bad: 0,
    });
  });

  it("are named when one is missing, cut short, of another content or no file at all", async () => {
    const [gone, short, other, link] = [await store("gone"), await store("a long one"), await store("true"), await store("link")];
    await rm(join(folder, gone.file));
    await writeFile(join(folder, short.file), "a lo");
    await writeFile(join(folder, other.file), "fake");
    await rm(join(folder, link.file));
    await symlink("/etc/hostname", join(folder, link.file));
    const check = await checkAttachments(folder, [gone, short, other, link, { file: "../../etc/passwd", size: 1, at: SNAPSHOT }], SNAPSHOT, signal);
    expect(check.bad).toBe(5);
    expect([...check.problems].sort()).toEqual(
      [
        "../../etc/passwd is not a name of the filestore's",
        `${gone.file} is missing`,
        `${link.file} is a link`,
        `${other.file} has another content than its name says`,
        `${short.file} has 4 bytes instead of 10`,
      ].sort(),
    );
  });

  it("are no pipes and no folders: neither is waited for", async () => {
    const [pipe, nested] = [await store("pipe"), await store("nested")];
    for (const { file } of [pipe, nested]) await rm(join(folder, file));
    execFileSync("mkfifo", [join(folder, pipe.file)]);
    await mkdir(join(folder, nested.file));
    expect([...(await checkAttachments(folder, [pipe, nested], SNAPSHOT, signal)).problems].sort()).toEqual(
      [`${pipe.file} is no file`, `${nested.file} is no file`].sort(),
    );
  });

  it("may be missing when they are younger than the snapshot, but not damaged", async () => {
    const young = await store("young", "2026-11-29T02:30:20.000Z");
    await rm(join(folder, young.file));
    expect(await checkAttachments(folder, [young], SNAPSHOT, signal)).toMatchObject({ tooYoung: 1, bad: 0 });
    await writeFile(join(folder, young.file), "wrong");
    expect(await checkAttachments(folder, [young], SNAPSHOT, signal)).toMatchObject({ tooYoung: 0, bad: 1 });
  });
});
