import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { judge } from "../../src/blueprint/policy.ts";
import { renderStack } from "../../src/blueprint/render-stack.ts";
import { secretNeeds } from "../../src/blueprint/secret-names.ts";
import type { Stack } from "../../src/blueprint/stack.ts";
import type { OffsitePolicy } from "../../src/site/environment.ts";
import { standbyOf } from "../../src/site/standby.ts";
import { exampleEnvironment } from "./fixtures/example-environment.ts";
import { exampleInput, odooBlueprint } from "./fixtures/example-input.ts";

const OFFSITE: OffsitePolicy = { kind: "sftp", host: "nas.plant.lan", port: 22, user: "backup", path: "/a", hostKeys: ["ssh-ed25519 AAAA"], keepDays: 35 };
const PLAIN = exampleEnvironment();
const ALONE = exampleEnvironment({ backup: { ...PLAIN.backup, offsite: OFFSITE } });
const FOLLOWED = { ...ALONE, standby: { address: "192.0.2.9", port: 22, admin: "admin", deploy: "deploy", listen: "0.0.0.0" } };
const FOLLOWS = standbyOf(FOLLOWED);

const host = renderStack(exampleInput(FOLLOWED));
const standby = renderStack(exampleInput(FOLLOWS));

function content(stack: Stack, path: string): string {
  return stack.files.find((file) => file.path === path)?.content ?? "";
}

interface Service {
  readonly command: readonly string[];
  readonly ports?: readonly unknown[];
  readonly volumes: readonly { readonly source: string; readonly target: string; readonly read_only?: boolean }[];
}

function services(stack: Stack): Readonly<Record<string, Service>> {
  return parse(content(stack, "platform/compose.yaml")).services as Readonly<Record<string, Service>>;
}

describe("the stack of a host that has a standby", () => {
  it("lets that in to the database's log, by TLS and with a password, and nobody else", () => {
    expect(
      content(host, "database/settings/pg_hba.conf")
        .split("\n")
        .filter((line) => line.includes("replication")),
    ).toEqual(["hostssl replication         replication  192.0.2.9/32  scram-sha-256"]);
    expect(services(host)["database"]?.ports).toEqual([{ host_ip: "0.0.0.0", published: "5432", target: 5432, protocol: "tcp" }]);
    expect(host.facts.roles).toContainEqual({ name: "replication", secret: "replication", purpose: "replication", connectionLimit: 3 });
    expect(secretNeeds(FOLLOWED, odooBlueprint())).toContainEqual({ name: "replication_tls", from: "key-pair" });
    expect(host.files.find(({ path }) => path === "database/replication.pem")).toMatchObject({ secret: true, uid: 999 });
  });

  it("starts the database only if the standby has not taken over", () => {
    expect(services(host)["database"]?.command.slice(0, 3)).toEqual(["/bin/sh", "/opt/millwright/start.sh", "postgres"]);
  });

  it("restores its backups into a scratch place without the key for the standby", () => {
    expect(content(host, "backup/scratch.conf")).toContain("ssl = off");
  });

  it("has nothing of it where there is no standby", () => {
    const alone = renderStack(exampleInput(ALONE));
    expect(JSON.stringify(alone.files)).not.toMatch(/replication|start\.sh|standby\.sql|ssl = /);
    expect(alone.facts).not.toHaveProperty("standby");
  });
});

describe("the stack of a standby", () => {
  it("runs the database and what brings the files, the database last, and has the images of all that it may have to run", () => {
    expect(standby.facts).toMatchObject({ follows: FOLLOWED.host.address, services: ["backup", "database"], roles: [], stack: host.facts.stack });
    expect(Object.keys(services(standby)).sort()).toEqual(["backup", "database"]);
    expect(standby.facts.images).toEqual(host.facts.images);
  });

  it("follows the host by TLS that is bound to the password, and opens no port", () => {
    expect(content(standby, "database/postgresql.conf")).toMatch(/primary_conninfo = 'host=192\.0\.2\.20 .*sslmode=require channel_binding=require/);
    expect(services(standby)["database"]?.ports).toBeUndefined();
    expect(content(standby, "database/replication-pgpass")).toBe("*:*:*:replication:<<secret replication>>\n");
  });

  it("counts as healthy while it follows, and lays files instead of taking them", () => {
    expect(content(standby, "database/health.sql")).toContain("pg_is_in_recovery() AS follows");
    expect(services(standby)["backup"]?.volumes.find(({ target }) => target === "/data")).not.toHaveProperty("read_only");
    expect(services(host)["backup"]?.volumes.find(({ target }) => target === "/data")).toMatchObject({ read_only: true });
  });
});

describe("the policy", () => {
  it("lets the database publish its own port and no other", () => {
    const judged = (published: number, target: number) =>
      judge([{ services: { database: { ports: [{ host_ip: "0.0.0.0", published, target, protocol: "tcp" }] } } }], []).filter(
        ({ rule }) => rule === "published-port",
      );
    expect(judged(5432, 5432)).toEqual([]);
    expect(judged(22, 5432)).toHaveLength(1);
    expect(judged(5432, 22)).toHaveLength(1);
  });
});
