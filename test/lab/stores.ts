import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type LabHost, labHost } from "./lab.ts";

const keyPair = z.object({ key: z.string(), secret: z.string() });
const bucket = z.object({
  /** `https://10.77.0.x:port`; addressed by path. */
  endpoint: z.string(),
  region: z.string(),
  /** Versioned, and locked: COMPLIANCE, for a day. */
  bucket: z.string(),
  owner: keyPair,
  /** Whose key a host gets: it reads, writes and deletes, but no versions. */
  client: keyPair,
  /** PEM of the authority that signs the certificates of all stores. */
  authority: z.string(),
});

const REACH = {
  /** versitygw. It gives an old version the time of its end, so it proves all but recovery by time. */
  s3: bucket,
  /** moto, which gives versions their own times, but keeps everything in memory and lets the owner do what AWS does not. */
  "s3-by-time": bucket,
  /** OpenSSH's own server, in a chroot. */
  sftp: z.object({
    address: z.string(),
    port: z.number(),
    user: z.string(),
    path: z.string(),
    privateKey: z.string(),
    publicKey: z.string(),
    /** One of each type, as in known_hosts without the name. */
    hostKeys: z.array(z.string()),
  }),
  /** rest-server that only appends. `url` is what restic puts after `rest:`, without the credentials. */
  rest: z.object({ url: z.string(), user: z.string(), password: z.string(), authority: z.string() }),
} as const;

const PORTS = { s3: 7070, "s3-by-time": 7071, sftp: 2222, rest: 8000 } as const;

/** All but a little at once and the rest as it comes: the file system does not say to a byte what it has. */
const FILL = `
  fallocate -l "$(( $(stat -f -c '%a * %S' /srv) - 16777216 ))" /srv/ballast
  ! dd if=/dev/zero of=/srv/ballast bs=4K oflag=append conv=notrunc 2>/dev/null
  sync`;

export type StoreKind = keyof typeof REACH;

/** How clients reach a store and get in. */
export type Reach<Kind extends StoreKind> = z.infer<(typeof REACH)[Kind]>;

/** A place for backups on a lab host of its own, with data on a disk of its own. A power cut of `host` is a store that does not answer at all. */
export interface LabStore<Kind extends StoreKind = StoreKind> extends AsyncDisposable {
  readonly kind: Kind;
  readonly host: LabHost;
  readonly reach: Reach<Kind>;
  /** Connections are refused and those there are reset, until `start`. Nothing is lost. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Not a byte is left on its disk until `makeRoom`. */
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  /** Its disk takes no writes until `writable`. */
  readOnly(): Promise<void>;
  writable(): Promise<void>;
  /** It sends and takes so much, as tc writes it (`2mbit`), until `fast`. */
  slow(rate: string): Promise<void>;
  fast(): Promise<void>;
  /** Removes everything, as somebody does who holds the owner's key; of a bucket old versions stay. The number of objects. */
  wipe(): Promise<number>;
  /** Overwrites and removes every object of a bucket, as somebody does who holds the client's key. The number of objects. */
  attack(): Promise<number>;
  /** Makes a bucket what it was at a time, with the owner's key; needs versions with their own times. The number of objects. */
  asOf(time: Date): Promise<number>;
  /** Brings back what `wipe` has hidden in a bucket, with the owner's key. The number of objects. */
  unwipe(): Promise<number>;
  /** Tries in every way to destroy the versions in a bucket, with one of its keys. */
  destroyVersions(as: "owner" | "client"): Promise<{ readonly before: number; readonly left: number }>;
}

export interface LabStoreOptions<Kind extends StoreKind> {
  readonly kind: Kind;
  /** Of its disk. */
  readonly size?: string;
}

/** A new store that answers. */
export async function labStore<Kind extends StoreKind>({ kind, size = "1G" }: LabStoreOptions<Kind>): Promise<LabStore<Kind>> {
  const host = await labHost(`${kind}-${process.pid}`, { template: "stores", disk: size, memory: "2G" });
  const must = async (words: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await host.sh(words, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`${words.join(" ")} on ${host.name}: exit ${code}: ${stderr || stdout}`);
    return stdout;
  };
  const shell = async (script: string): Promise<void> => void (await must(["sh", "-ec", script]));
  const program = await readFile(join(import.meta.dirname, "store.py"), "utf8");
  const store = async (...words: string[]): Promise<unknown> => JSON.parse(await must(["python3", "-", ...words], program));
  const onDisk = async (script: string): Promise<void> => {
    if (kind === "s3-by-time") throw new Error("moto keeps its objects in memory: it has no disk to do this to.");
    await shell(script);
  };
  try {
    const reach = REACH[kind].parse(await store("serve", kind, host.address)) as Reach<Kind>;
    return {
      kind,
      host,
      reach,
      stop: () => shell(`nft "table inet gone { chain in { type filter hook input priority 0; tcp dport ${PORTS[kind]} reject with tcp reset; }; }"`),
      start: () => shell("nft delete table inet gone"),
      fill: () => onDisk(FILL),
      makeRoom: () => onDisk("rm /srv/ballast"),
      readOnly: () => onDisk("mount -o remount,ro /srv"),
      writable: () => onDisk("mount -o remount,rw /srv"),
      slow: (rate) => host.slowNetwork(rate),
      fast: () => host.slowNetwork(undefined),
      wipe: async () => z.object({ removed: z.number() }).parse(await store("wipe")).removed,
      attack: async () => z.object({ removed: z.number() }).parse(await store("attack")).removed,
      asOf: async (time) => z.object({ back: z.number() }).parse(await store("as-of", String(time.getTime() / 1000))).back,
      unwipe: async () => z.object({ back: z.number() }).parse(await store("unwipe")).back,
      destroyVersions: async (as) => z.object({ before: z.number(), left: z.number() }).parse(await store("versions", as)),
      [Symbol.asyncDispose]: () => host.destroy(),
    };
  } catch (error) {
    await host.destroy();
    throw error;
  }
}
