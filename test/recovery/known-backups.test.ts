import { describe, expect, it } from "vitest";
import { type BackupRecord, writeBackupRecord } from "../../src/recovery/backup-record.ts";
import type { FileRepository } from "../../src/recovery/file-repository.ts";
import { knownBackups } from "../../src/recovery/known-backups.ts";
import type { RecoveryDeps } from "../../src/recovery/recovery-deps.ts";
import { FakePlant, RECORD } from "./fake-plant.ts";

function record(id: string, label: string): BackupRecord {
  const { at, ended, files } = RECORD;
  return { ...RECORD, id, offsite: { at, ended, files, place: "nas/", database: { ...RECORD.database, label }, host: { snapshot: `host-${id}` } } };
}

/** An offsite repository that tells of some backups, with what was read of it. */
function offsiteOf(plant: FakePlant, told: readonly BackupRecord[], read: string[] = []): RecoveryDeps {
  const files: FileRepository = {
    ...plant.deps.files,
    snapshots: async () => told.map(({ id, ended }) => ({ id: `host-${id}`, at: ended, tags: [] })),
    read: async (snapshot) => {
      read.push(snapshot);
      return JSON.stringify(told.find(({ id }) => `host-${id}` === snapshot));
    },
  };
  return { ...plant.deps, offsite: { archive: plant.deps.archive, files } };
}

const known = async (deps: RecoveryDeps, from: "local" | "offsite"): Promise<readonly (readonly [string, string])[]> =>
  (await knownBackups(deps, from)).map(({ id, database }) => [id, database.label] as const);

describe("the backups that a host knows in the offsite repository", () => {
  const [before, after] = [record("20261120-1", "theirs"), record("20261124-1", "mine")];

  it("are those that another host made as well: one that took over has none of its own from before", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, after);
    const read: string[] = [];
    const deps = offsiteOf(plant, [before, { ...after, database: { ...after.database, label: "as told" } }], read);
    expect(await known(deps, "offsite")).toEqual([
      ["20261120-1", "theirs"],
      ["20261124-1", "mine"],
    ]);
    // What this host has made it need not read there.
    expect(read).toEqual(["host-20261120-1"]);
  });

  it("are all that it tells of on a host that has made none, and none twice", async () => {
    using plant = await FakePlant.make();
    expect(await known(offsiteOf(plant, [before, after]), "offsite")).toEqual([
      ["20261120-1", "theirs"],
      ["20261124-1", "mine"],
    ]);
    const { host: _host, ...unnamed } = after.offsite ?? expect.fail("none");
    await writeBackupRecord(plant.paths, { ...after, offsite: unnamed });
    expect(await known(offsiteOf(plant, [after]), "offsite")).toEqual([["20261124-1", "mine"]]);
  });

  it("are no backups of the host's own repository", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, after);
    expect((await knownBackups(offsiteOf(plant, [before]), "local")).map(({ id }) => id)).toEqual(["20261124-1"]);
  });
});
