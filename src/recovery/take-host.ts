import { createWriteStream } from "node:fs";
import { chown, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeDirectory, namesIn, readIfThere, readShort } from "../kernel/durable-file.ts";
import type { BackupRecord } from "./backup-record.ts";
import type { FileRepository } from "./file-repository.ts";
import { type KeptSite, readKeptSite, SITE_ARCHIVE } from "./kept-site.ts";
import { RECORD_FILE, RELEASE_ARCHIVE } from "./known-backups.ts";
import { planOf, type RecoveryRun } from "./recovery-context.ts";

const CERTIFICATES_LIMIT = 4 * 1024 * 1024;

type TakenHost = { readonly snapshot: string } & Pick<BackupRecord, "site">;

interface TakeHost {
  readonly files: FileRepository;
  readonly draft: BackupRecord;
  /** Lays the site folder in plain view beside the repositories of the same place. */
  readonly lay: (kept: KeptSite) => Promise<void>;
}

/** What the host keeps beside data, laid out for the snapshot as files of the user that takes it. */
export async function takeHost(run: RecoveryRun, { files, draft, lay }: TakeHost, signal: AbortSignal): Promise<TakenHost> {
  const { paths, stack } = run;
  const kept = await readKeptSite(paths);
  const site = kept === undefined ? {} : { site: { hash: kept.hash, hasRecoveryKey: kept.hasRecoveryKey } };
  const folder = join(paths.data, "recovery-host");
  const sources: Readonly<Record<string, string>> = {
    [RECORD_FILE]: `${JSON.stringify({ ...draft, ...site }, null, 2)}\n`,
    ...(kept === undefined ? {} : { [SITE_ARCHIVE]: kept.archive }),
    "stack.json": `${JSON.stringify(stack)}\n`,
    ...(await texts({
      "serving.json": join(paths.state, "serving.json"),
      "journal.jsonl": paths.journal,
      "host.yaml": "/etc/millwright/host.yaml",
    })),
    ...(await certificates(join(paths.data, "acme/acme.json"))),
  };
  await emptyFolder(folder);
  try {
    for (const [name, content] of Object.entries(sources)) await writeFile(join(folder, name), content, { mode: 0o400 });
    const archive = await run.saveRelease(planOf(run, "backup").release.image);
    await pipeline(archive, createWriteStream(join(folder, RELEASE_ARCHIVE), { mode: 0o400 }));
    const owner = stack.facts.directories.find(({ path }) => path.endsWith("/data/recovery-host"));
    if (owner !== undefined) for (const name of await namesIn(folder)) await chown(join(folder, name), owner.uid, owner.gid);
    const { id: snapshot } = await files.take("host", run.run, signal);
    if (kept !== undefined) await lay(kept);
    return { snapshot, ...site };
  } finally {
    await emptyFolder(folder);
  }
}

/** Texts of the files that are there, by name. */
async function texts(sources: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(Object.entries(sources).map(async ([name, path]) => [name, await readIfThere(path)] as const));
  return Object.fromEntries(found.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

/** The proxy writes this file itself, in a folder of its own. */
async function certificates(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readShort(path, CERTIFICATES_LIMIT);
  return text === undefined ? {} : { "acme.json": text };
}

async function emptyFolder(folder: string): Promise<void> {
  await makeDirectory(folder, 0o700);
  for (const name of await namesIn(folder)) await rm(join(folder, name), { recursive: true, force: true });
}
