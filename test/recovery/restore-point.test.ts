import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { dropOtherRestorePoints, exchange, exchangeBack } from "../../src/recovery/restore-point.ts";
import { exists } from "../../src/kernel/durable-file.ts";

const RUN = "20261129-030000-abcd";

interface Host {
  readonly paths: { readonly data: string; readonly restorePoints: string };
  /** What lies in a folder, by a word in its only file; undefined when the folder is not there. */
  readonly held: (folder: string) => Promise<string | undefined>;
  readonly state: () => Promise<readonly (string | undefined)[]>;
}

async function host(): Promise<Host> {
  const base = await mkdtemp(join(tmpdir(), "exchange-"));
  const paths = { data: join(base, "data"), restorePoints: join(base, "restore-points") };
  const put = async (folder: string, word: string): Promise<void> => {
    await mkdir(join(base, folder), { recursive: true });
    await writeFile(join(base, folder, "word"), word);
  };
  await put("data/postgres", "live rows");
  await put("data/filestore", "live files");
  await put("data/recovery-postgres", "restored rows");
  await put("data/recovery-filestore", "restored files");
  const held = async (folder: string): Promise<string | undefined> =>
    (await exists(join(base, folder, "word"))) ? await readFile(join(base, folder, "word"), "utf8") : undefined;
  const state = async (): Promise<readonly (string | undefined)[]> =>
    await Promise.all(["data/postgres", "data/filestore", `restore-points/${RUN}/postgres`, `restore-points/${RUN}/filestore`].map(held));
  return { paths, held, state };
}

const EXCHANGED = ["restored rows", "restored files", "live rows", "live files"];
const BEFORE = ["live rows", "live files", undefined, undefined];

describe("an exchange of what is there with what was restored", () => {
  it("keeps what was there as the restore point of the run, and can be done again", async () => {
    const { paths, state } = await host();
    await exchange(paths, RUN);
    expect(await state()).toEqual(EXCHANGED);
    await exchange(paths, RUN);
    expect(await state()).toEqual(EXCHANGED);
  });

  it("is taken back to the file, and taking it back can be done again", async () => {
    const { paths, state, held } = await host();
    await exchange(paths, RUN);
    await exchangeBack(paths, RUN);
    await exchangeBack(paths, RUN);
    expect(await state()).toEqual(BEFORE);
    expect(await held("data/recovery-postgres")).toBe("restored rows");
  });

  it("is taken back also when the folders for the next restore were made already", async () => {
    const { paths, state } = await host();
    await exchange(paths, RUN);
    for (const name of ["postgres", "filestore"]) await mkdir(join(paths.data, `recovery-${name}`));
    await exchangeBack(paths, RUN);
    expect(await state()).toEqual(BEFORE);
  });

  // The four renames in their order: cut off after so many, it is finished or taken back all the same.
  const MOVES: readonly (readonly [string, string])[] = [
    ["data/postgres", `restore-points/${RUN}/postgres`],
    ["data/recovery-postgres", "data/postgres"],
    ["data/filestore", `restore-points/${RUN}/filestore`],
    ["data/recovery-filestore", "data/filestore"],
  ];
  it.each([0, 1, 2, 3, 4])("is finished, or taken back, when it was cut off after %i of its renames", async (done) => {
    for (const [mend, wanted] of [
      [exchange, EXCHANGED],
      [exchangeBack, BEFORE],
    ] as const) {
      const { paths, state } = await host();
      const base = dirname(paths.data);
      await mkdir(join(paths.restorePoints, RUN), { recursive: true });
      for (const [from, to] of MOVES.slice(0, done)) await rename(join(base, from), join(base, to));
      await mend(paths, RUN);
      expect(await state()).toEqual(wanted);
    }
  });

  it("needs nothing to be there: of a lost disk an empty folder is kept", async () => {
    const { paths, held } = await host();
    await rm(join(paths.data, "postgres"), { recursive: true });
    await exchange(paths, RUN);
    expect(await held("data/postgres")).toBe("restored rows");
    await exchangeBack(paths, RUN);
    expect([await held("data/postgres"), await held("data/recovery-postgres")]).toEqual([undefined, "restored rows"]);
  });

  it("moves no link that a container has put in a folder's place", async () => {
    const { paths } = await host();
    await rename(join(paths.data, "filestore"), join(paths.data, "elsewhere"));
    await symlink("/etc", join(paths.data, "filestore"));
    await expect(exchange(paths, RUN)).rejects.toThrow("is not a folder");
  });

  it("leaves one restore point, the newest", async () => {
    const { paths, held } = await host();
    await mkdir(join(paths.restorePoints, "20261101-020000-aaaa", "postgres"), { recursive: true });
    await exchange(paths, RUN);
    expect(await dropOtherRestorePoints(paths, RUN)).toBe(1);
    expect(await held(`restore-points/${RUN}/postgres`)).toBe("live rows");
    expect(await exists(join(paths.restorePoints, "20261101-020000-aaaa"))).toBe(false);
  });
});
