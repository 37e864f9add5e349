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

function contentOf(stack: Stack, path: string): string {
  return stack.files.find((file) => file.path === path)?.content ?? expect.fail(`no ${path}`);
}

describe("a stack with an offsite repository", () => {
  const stack = renderStack(exampleInput(environment(BUCKET)));
  const without = renderStack(exampleInput(environment()));

  it("leads nothing out of the host but the database and the backups of files, by a network of their own", () => {
    const out = (one: Stack): string[] =>
      Object.entries(compose(one, "platform").services).flatMap(([name, { networks }]) => (networks !== undefined && "offsite" in networks ? [name] : []));
    expect(out(stack).sort()).toEqual(["backup", "database"]);
    expect(out(without)).toEqual([]);
    expect(compose(stack, "platform").services["database"]?.networks).toEqual({ data: {}, offsite: {} });
  });

  it("tells the database of it in a file beside that of the host's own, which is the same as without", () => {
    expect(contentOf(stack, "backup/pgbackrest.conf")).toBe(contentOf(without, "backup/pgbackrest.conf"));
    expect(contentOf(stack, "backup/offsite.conf")).toContain("repo1-path=/a/database\nrepo1-s3-endpoint=nas.plant.lan\nrepo1-storage-port=9000\n");
    expect(contentOf(stack, "backup/offsite.conf")).toContain("repo1-storage-ca-file=/etc/pgbackrest/offsite-ca.pem");
    expect(contentOf(stack, "backup/offsite-ca.pem")).toContain("certificates/nas.pem");
    expect(contentOf(stack, "backup/offsite.sh")).toContain("RESTIC_REPOSITORY='s3:https://nas.plant.lan:9000/acme/a/files'");
    expect(without.files.filter(({ path }) => path.startsWith("backup/offsite"))).toEqual([]);
  });

  it("archives the log by a program that knows both, and without one as ever", () => {
    expect(contentOf(stack, "database/postgresql.conf")).toContain("archive_command = '/bin/sh /opt/millwright/pgbackrest-push.sh %p'\n");
    expect(contentOf(without, "database/postgresql.conf")).toContain("archive_command = 'pgbackrest --stanza=main archive-push %p'\n");
    expect(compose(stack, "platform").services["database"]?.volumes.map(({ target }) => target)).toEqual(
      expect.arrayContaining(["/opt/millwright/pgbackrest-push.sh", "/etc/pgbackrest/offsite.conf", "/etc/pgbackrest/offsite-ca.pem"]),
    );
  });

  it("has its account in files for their users' eyes only, and nowhere else", () => {
    const holders = stack.files.filter(({ content }) => content.includes("<<secret backup_s3"));
    expect(holders.map(({ path, secret }) => [path, secret])).toEqual([
      ["backup/offsite.conf", true],
      ["backup/offsite.sh", true],
    ]);
  });

  it("may have a bucket to itself", () => {
    const plain = renderStack(exampleInput(environment({ ...BUCKET, path: "/" })));
    expect(contentOf(plain, "backup/offsite.sh")).toContain("/acme/files'");
    expect(contentOf(plain, "backup/offsite.conf")).toContain("repo1-path=/database\n");
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

  it("needs an account that nobody can make up", () => {
    const site = environment(BUCKET);
    expect(secretNames(site, odooBlueprint())).toEqual(expect.arrayContaining(["backup_s3_key", "backup_s3_secret", "tls_key"]));
    const made = randomSecretNames(site, odooBlueprint());
    expect(made).toContain("backup_database_key");
    expect(made.filter((name) => name.startsWith("backup_s3") || name === "tls_key")).toEqual([]);
  });
});
