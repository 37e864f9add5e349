import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { renderStack } from "../../src/blueprint/render-stack.ts";
import { randomSecretNames, secretNames } from "../../src/blueprint/secret-names.ts";
import type { Stack } from "../../src/blueprint/stack.ts";
import type { OffsitePolicy } from "../../src/site/environment.ts";
import { exampleEnvironment } from "./fixtures/example-environment.ts";
import { exampleInput, odooBlueprint } from "./fixtures/example-input.ts";

const BUCKET: OffsitePolicy = {
  kind: "s3",
  host: "nas.plant.lan",
  port: 9000,
  bucket: "acme",
  region: "us-east-1",
  path: "/a",
  ca: "certificates/nas.pem",
  keepDays: 35,
};

const OTHER_HOST: OffsitePolicy = {
  kind: "sftp",
  host: "nas.plant.lan",
  port: 2222,
  user: "backup",
  path: "/a",
  hostKeys: ["ecdsa-sha2-nistp256 AAAAone", "ssh-ed25519 AAAAtwo"],
  keepDays: 35,
};

function environment(offsite?: OffsitePolicy) {
  const plain = exampleEnvironment();
  return offsite === undefined ? plain : exampleEnvironment({ backup: { ...plain.backup, offsite } });
}

interface Service {
  readonly image: string;
  readonly restart: string;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly network_mode?: string;
  readonly volumes: readonly { readonly target: string }[];
}

function compose(stack: Stack, project: string): { readonly services: Readonly<Record<string, Service>>; readonly networks?: unknown } {
  return parse(contentOf(stack, `${project}/compose.yaml`)) as never;
}

function targets(stack: Stack, project: string, service: string): string[] {
  return compose(stack, project).services[service]?.volumes.map(({ target }) => target) ?? [];
}

function contentOf(stack: Stack, path: string): string {
  return stack.files.find((file) => file.path === path)?.content ?? expect.fail(`no ${path}`);
}

const without = renderStack(exampleInput(environment()));

describe.each([BUCKET, OTHER_HOST])("a stack with an offsite repository of the kind $kind", (offsite) => {
  const stack = renderStack(exampleInput(environment(offsite)));

  it("leads nothing out of the host but the database and the backups of files, by a network of their own", () => {
    const out = (one: Stack): string[] =>
      Object.entries(compose(one, "platform").services).flatMap(([name, { networks }]) => (networks !== undefined && "offsite" in networks ? [name] : []));
    expect(out(stack).sort()).toEqual(["backup", "database"]);
    expect(out(without)).toEqual([]);
    expect(compose(stack, "platform").services["database"]?.networks).toEqual({ data: {}, offsite: {} });
  });

  it("tells the database of it in a file beside that of the host's own, which is the same as without", () => {
    expect(contentOf(stack, "backup/pgbackrest.conf")).toBe(contentOf(without, "backup/pgbackrest.conf"));
    expect(contentOf(stack, "backup/offsite.conf")).toContain(`repo1-type=${offsite.kind}\nrepo1-path=/a/database\n`);
    expect(without.files.filter(({ path }) => path.startsWith("backup/offsite"))).toEqual([]);
  });

  it("archives the log by a program that knows both, and without one as ever", () => {
    expect(contentOf(stack, "database/postgresql.conf")).toContain("archive_command = '/bin/sh /opt/millwright/pgbackrest-push.sh %p'\n");
    expect(contentOf(without, "database/postgresql.conf")).toContain("archive_command = 'pgbackrest --stanza=main archive-push %p'\n");
    expect(targets(stack, "platform", "database")).toEqual(expect.arrayContaining(["/opt/millwright/pgbackrest-push.sh", "/etc/pgbackrest/offsite.conf"]));
  });

  it("fetches what is restored by a database that has a way out and not the host's repository; what it is restored to has neither", () => {
    const { services, networks } = compose(stack, "recovery");
    const { database, "database-offsite": fetching } = services;
    expect(fetching).toMatchObject({ networks: { offsite: {} }, restart: "no", image: database?.image });
    expect(fetching?.volumes.map(({ target }) => target)).not.toContain("/var/lib/pgbackrest");
    expect(networks).toEqual({ offsite: { name: "acme-production_offsite", external: true } });
    expect(database).toMatchObject({ network_mode: "none" });
    expect(services["odoo"]).toMatchObject({ network_mode: "none" });
    expect(Object.keys(compose(without, "recovery").services)).toEqual(["database", "odoo"]);
    expect(compose(without, "recovery").networks).toBeUndefined();
  });

  it("gives the database that fetches all that the one that writes has to get in", () => {
    const wayIn = (project: string, service: string): string[] =>
      targets(stack, project, service).filter((target) => target.startsWith("/etc/pgbackrest/offsite-"));
    expect(wayIn("recovery", "database-offsite")).toEqual(wayIn("platform", "database"));
    expect(wayIn("platform", "database")).not.toEqual([]);
  });
});

describe("a bucket", () => {
  const stack = renderStack(exampleInput(environment(BUCKET)));

  it("is named to both programs, and the authorities of its server", () => {
    expect(contentOf(stack, "backup/offsite.conf")).toContain("\nrepo1-s3-endpoint=nas.plant.lan\nrepo1-storage-port=9000\n");
    expect(contentOf(stack, "backup/offsite.conf")).toContain("repo1-storage-ca-file=/etc/pgbackrest/offsite-ca.pem");
    expect(contentOf(stack, "backup/offsite-ca.pem")).toContain("certificates/nas.pem");
    expect(contentOf(stack, "backup/offsite.sh")).toContain("RESTIC_REPOSITORY='s3:https://nas.plant.lan:9000/acme/a/files'");
    expect(targets(stack, "platform", "database")).toContain("/etc/pgbackrest/offsite-ca.pem");
  });

  it("has its account in files for their users' eyes only, and nowhere else", () => {
    const holders = stack.files.filter(({ content }) => content.includes("<<secret backup_s3"));
    expect(holders.map(({ path, secret }) => [path, secret])).toEqual([
      ["backup/offsite.conf", true],
      ["backup/offsite.sh", true],
    ]);
  });

  it("may be had by one environment alone", () => {
    const plain = renderStack(exampleInput(environment({ ...BUCKET, path: "/" })));
    expect(contentOf(plain, "backup/offsite.sh")).toContain("/acme/files'");
    expect(contentOf(plain, "backup/offsite.conf")).toContain("repo1-path=/database\n");
  });

  it("needs an account that nobody can make up", () => {
    expect(onlyFromOutside(BUCKET)).toEqual(["backup_s3_key", "backup_s3_secret", "tls_key"]);
  });
});

describe("another host by SFTP", () => {
  const stack = renderStack(exampleInput(environment(OTHER_HOST)));

  it("is named to both programs, and the keys that it may show, with none taken beside them", () => {
    expect(contentOf(stack, "backup/offsite.conf")).toContain("\nrepo1-sftp-host=nas.plant.lan\nrepo1-sftp-host-port=2222\nrepo1-sftp-host-user=backup\n");
    expect(contentOf(stack, "backup/offsite.conf")).toContain("\nrepo1-sftp-host-key-check-type=strict\n");
    expect(contentOf(stack, "backup/offsite.sh")).toContain("RESTIC_REPOSITORY='sftp://backup@nas.plant.lan:2222//a/files'");
    expect(contentOf(stack, "backup/offsite-ssh_config")).toContain("\n  StrictHostKeyChecking yes\n");
    const keys = "[nas.plant.lan]:2222 ecdsa-sha2-nistp256 AAAAone\n[nas.plant.lan]:2222 ssh-ed25519 AAAAtwo\n";
    expect(contentOf(stack, "backup/offsite-known_hosts")).toBe(keys);
  });

  it("is let in by a key that each program has as a file of its own user, and nowhere else", () => {
    const holders = stack.files.filter(({ content }) => content.includes("<<secret backup_sftp"));
    expect(holders.map(({ path, secret, uid }) => [path, secret, uid])).toEqual([
      ["backup/offsite-key-database", true, 999],
      ["backup/offsite-key-files", true, 100],
    ]);
    expect(contentOf(stack, "backup/offsite-passwd")).toMatch(/^odoo:x:100:101:/);
  });

  it("needs a key that nobody can make up", () => {
    expect(onlyFromOutside(OTHER_HOST)).toEqual(["backup_sftp_key", "tls_key"]);
  });
});

function onlyFromOutside(offsite: OffsitePolicy): readonly string[] {
  const site = environment(offsite);
  const made = randomSecretNames(site, odooBlueprint());
  expect(made).toContain("backup_database_key");
  return secretNames(site, odooBlueprint()).filter((name) => !made.includes(name));
}
