import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabHost, labHost } from "../lab/lab.ts";
import { type LabStore, type Reach, labStore } from "../lab/stores.ts";
import { eventually } from "./eventually.ts";

/** The lab's own equipment is tried when somebody asks, with MILLWRIGHT_STORES=1: building its programs takes minutes. */
const ASKED = (process.env["MILLWRIGHT_STORES"] ?? "") !== "";

/** A restic repository as its client names it. */
interface Repository {
  readonly at: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
}

describe.skipIf(!ASKED)("the stores for backups", () => {
  let client: LabHost;
  let s3: LabStore<"s3">;
  let byTime: LabStore<"s3-by-time">;
  let sftp: LabStore<"sftp">;
  let rest: LabStore<"rest">;
  const repositories = new Map<string, Repository>();

  const exits = async (...words: string[]): Promise<number> => (await client.sh(words)).code;
  const sh = async (script: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await client.sh(["sh", "-ec", script], input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr || stdout}`);
    return stdout.trim();
  };
  const restic = (kind: string, command: readonly string[], before: readonly string[] = []): Promise<number> => {
    const { at, options = [] } = repositories.get(kind) ?? { at: "" };
    const inContainer = ["docker", "exec", "--env-file", `/root/client/${kind}.env`, "restic"];
    return exits(...inContainer, ...before, "restic", "--cacert", "/client/ca.crt", "-r", at, ...options, ...command);
  };
  const backsUp = (kind: string, before?: readonly string[]): Promise<number> => restic(kind, ["backup", "--host", "plant", "/client/data"], before);
  const has = async (kind: string): Promise<boolean> => (await restic(kind, ["snapshots", "--host", "plant", "latest"])) === 0;
  const pgbackrest = (words: string): Promise<string> => sh(`docker exec -u postgres database pgbackrest --stanza=plant ${words}`);
  /** Rows in what a repository gives back, once a server has started from it. */
  const restored = async (repo: number, ...options: string[]): Promise<string> => {
    const server = `-D /tmp/restored -w -o "-p 5433" -l /tmp/restored.log`;
    await pgbackrest(`--repo=${repo} --pg1-path=/tmp/restored --archive-mode=off ${options.map((option) => `'${option}'`).join(" ")} restore`);
    return sh(
      `docker exec -u postgres database sh -ec 'pg_ctl start ${server} >/dev/null; psql -p 5433 -Atc "SELECT count(*) FROM proof"; pg_ctl stop -D /tmp/restored -m immediate >/dev/null; rm -r /tmp/restored'`,
    );
  };

  beforeAll(async () => {
    client = await labHost(`stores-client-${process.pid}`, { template: "loaded" });
    [s3, byTime, sftp, rest] = await Promise.all([
      labStore({ kind: "s3" }),
      labStore({ kind: "s3-by-time" }),
      labStore({ kind: "sftp" }),
      labStore({ kind: "rest" }),
    ]);
    const write = (name: string, text: string): Promise<string> => sh(`cd /root/client; umask 077; cat >${name}; chown 999 ${name}`, text);
    await sh("mkdir -p /root/client/data && head -c 3000000 /dev/urandom >/root/client/data/filestore");
    await write("ca.crt", s3.reach.authority);
    await write("known_hosts", sftp.reach.hostKeys.map((key) => `[${sftp.reach.address}]:${sftp.reach.port} ${key}\n`).join(""));
    await write("id", sftp.reach.privateKey);
    await write("id.pub", sftp.reach.publicKey);
    await write("pgbackrest.conf", pgbackrestConf(s3.reach, byTime.reach, sftp.reach));
    // OpenSSH wants the key to be its caller's.
    await sh("install -m 600 /root/client/id /root/client/root-id");
    repositories.set("s3", inBucket(s3.reach)).set("s3-by-time", inBucket(byTime.reach)).set("sftp", overSftp(sftp.reach)).set("rest", overRest(rest.reach));
    for (const [kind, { environment }] of repositories)
      await write(
        `${kind}.env`,
        Object.entries({ RESTIC_PASSWORD: "plant", ...environment })
          .map(([name, value]) => `${name}=${value}\n`)
          .join(""),
      );
    const settings = "-c archive_mode=on -c 'archive_command=pgbackrest --stanza=plant archive-push %p'";
    const environment = "-e POSTGRES_HOST_AUTH_METHOD=trust -e PGBACKREST_CONFIG=/client/pgbackrest.conf";
    await sh("docker run -d --name restic --init -v /root/client:/client --entrypoint sleep restic/restic:0.19.1 infinity");
    await sh(`docker run -d --name database ${environment} -v /root/client:/client postgres:18 postgres ${settings}`);
    await sh("docker exec database sh -ec 'apt-get -qq update; apt-get -qqy --no-install-recommends install pgbackrest' >/dev/null 2>&1");
    await eventually(() => sh(`docker exec database psql -U postgres -h 127.0.0.1 -c 'CREATE TABLE proof AS SELECT generate_series(1, 1000)'`));
    await pgbackrest("stanza-create");
  });
  afterAll(async () => {
    for (const each of [s3, byTime, sftp, rest]) await each?.[Symbol.asyncDispose]();
    await client?.destroy();
  });

  it.concurrent.each(["s3", "s3-by-time", "sftp", "rest"])("restic makes a repository in %s, a backup, and restores it", async (kind) => {
    expect(await restic(kind, ["init"])).toBe(0);
    expect(await backsUp(kind)).toBe(0);
    expect(await restic(kind, ["restore", "latest", "--target", `/client/from-${kind}`])).toBe(0);
    expect(await exits("cmp", `/root/client/from-${kind}/client/data/filestore`, "/root/client/data/filestore")).toBe(0);
  });

  it.each([
    { repo: 1, kind: "s3" },
    { repo: 2, kind: "s3-by-time" },
    { repo: 3, kind: "sftp" },
  ])("pgBackRest makes a backup in $kind, and a server starts from it", async ({ repo }) => {
    await pgbackrest(`--repo=${repo} --type=full backup`);
    expect(await restored(repo)).toBe("1000");
  });

  it("the client's key destroys no version in a bucket, and in versitygw's neither does the owner's", async () => {
    for (const [store, as] of [
      [s3, "client"],
      [s3, "owner"],
      [byTime, "client"],
    ] as const) {
      const { before, left } = await store.destroyVersions(as);
      expect({ kind: store.kind, as, some: before > 0, lost: before - left }).toEqual({ kind: store.kind, as, some: true, lost: 0 });
    }
  });

  it("a bucket that was wiped is read back as it was at a time", async () => {
    // Times of objects are whole seconds: the one asked for is over before the first object goes.
    const time = Math.floor(Date.now() / 1000) + 1;
    await eventually(() => Date.now() >= (time + 1) * 1000);
    expect(await byTime.wipe()).toBeGreaterThan(0);
    expect(JSON.parse(await pgbackrest("--repo=2 --output=json info"))).toMatchObject([{ status: { code: 3 } }]);
    const then = `${new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ")}+00`;
    expect(await restored(2, `--repo-target-time=${then}`)).toBe("1000");
  });

  it("rest-server takes snapshots and gives none up", async () => {
    expect(await restic("rest", ["forget", "latest", "--prune"])).toBe(3);
    expect(await has("rest")).toBe(true);
  });

  const faults = [
    { state: "gone", kind: "rest", breaks: () => rest.stop(), mends: () => rest.start() },
    { state: "full", kind: "s3", breaks: () => s3.fill(), mends: () => s3.makeRoom() },
    { state: "read-only", kind: "sftp", breaks: () => sftp.readOnly(), mends: () => sftp.writable() },
  ];
  it.each(faults)("a store that is $state takes no backup until that ends", async ({ kind, breaks, mends }) => {
    await sh("head -c 1000000 /dev/urandom >/root/client/data/more");
    await breaks();
    // It would go on trying for a quarter of an hour.
    expect(await backsUp(kind, ["timeout", "-s", "KILL", "4"])).not.toBe(0);
    await mends();
    expect(await backsUp(kind)).toBe(0);
  });

  it("a store has what it had after a slow network and a power cut", async () => {
    await s3.slow("4mbit");
    expect(await has("s3")).toBe(true);
    await s3.fast();
    await s3.host.powerCut();
    await s3.host.powerOn();
    await eventually(() => has("s3"));
  });
});

function inBucket({ endpoint, bucket, client }: Reach<"s3">): Repository {
  return { at: `s3:${endpoint}/${bucket}/restic`, environment: { AWS_ACCESS_KEY_ID: client.key, AWS_SECRET_ACCESS_KEY: client.secret } };
}

function overSftp({ user, address, port, path }: Reach<"sftp">): Repository {
  const options = "-i /client/root-id -oUserKnownHostsFile=/client/known_hosts -oStrictHostKeyChecking=yes -oBatchMode=yes";
  return { at: `sftp://${user}@${address}:${port}/${path}/restic`, environment: {}, options: ["-o", `sftp.args=${options}`] };
}

function overRest({ url, user, password }: Reach<"rest">): Repository {
  return { at: `rest:${url}/restic`, environment: { RESTIC_REST_USERNAME: user, RESTIC_REST_PASSWORD: password } };
}

function pgbackrestConf(s3: Reach<"s3">, byTime: Reach<"s3-by-time">, sftp: Reach<"sftp">): string {
  const bucket = ({ endpoint, region, bucket: name, client }: Reach<"s3">, repo: string): Record<string, string> => {
    const { hostname, port } = new URL(endpoint);
    return {
      [`${repo}-type`]: "s3",
      [`${repo}-path`]: "/pgbackrest",
      [`${repo}-s3-endpoint`]: hostname,
      [`${repo}-storage-port`]: port,
      [`${repo}-s3-bucket`]: name,
      [`${repo}-s3-region`]: region,
      [`${repo}-s3-uri-style`]: "path",
      [`${repo}-s3-key`]: client.key,
      [`${repo}-s3-key-secret`]: client.secret,
      [`${repo}-storage-ca-file`]: "/client/ca.crt",
    };
  };
  const options = {
    ...bucket(s3, "repo1"),
    ...bucket(byTime, "repo2"),
    "repo3-type": "sftp",
    "repo3-path": `${sftp.path}/pgbackrest`,
    "repo3-sftp-host": sftp.address,
    "repo3-sftp-host-port": String(sftp.port),
    "repo3-sftp-host-user": sftp.user,
    "repo3-sftp-private-key-file": "/client/id",
    "repo3-sftp-public-key-file": "/client/id.pub",
    "repo3-sftp-host-key-hash-type": "sha256",
    "repo3-sftp-host-key-check-type": "strict",
    "repo3-sftp-known-host": "/client/known_hosts",
    ...Object.fromEntries([1, 2, 3].flatMap((repo) => Object.entries({ [`repo${repo}-bundle`]: "y", [`repo${repo}-retention-full`]: "2" }))),
    "start-fast": "y",
    "log-level-file": "off",
  };
  const lines = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return ["[global]", ...lines, "[plant]", "pg1-path=/var/lib/postgresql/18/docker", ""].join("\n");
}
