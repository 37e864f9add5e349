import { describe, expect, it } from "vitest";
import type { ComposeDocument } from "../../src/blueprint/compose-document.ts";
import { judge, judgeAll, RULES } from "../../src/blueprint/policy.ts";
import type { Json } from "../../src/kernel/canonical.ts";

const good: { readonly [key: string]: Json } = {
  image: `redis:8@sha256:${"a".repeat(64)}`,
  user: "999:999",
  read_only: true,
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  mem_limit: 1_000_000,
  pids_limit: 100,
  healthcheck: { test: ["CMD", "true"] },
  networks: { data: {} },
  volumes: [
    { type: "bind", source: "/srv/millwright/acme-production/data/redis", target: "/data" },
    { type: "bind", source: "../cache/redis.conf", target: "/etc/redis.conf" },
  ],
};

function document(changes: { readonly [key: string]: Json | undefined }, name = "cache"): ComposeDocument {
  const service = Object.fromEntries(Object.entries({ ...good, ...changes }).filter((entry): entry is [string, Json] => entry[1] !== undefined));
  return { name: "acme-production", services: { [name]: service }, networks: { data: { name: "acme-production_data", internal: true } } };
}

const VIOLATIONS: readonly (readonly [rule: string, changes: { readonly [key: string]: Json | undefined }])[] = [
  ["privileged", { privileged: true }],
  ["privileged", { privileged: "yes" }],
  ["host-namespace", { network_mode: "host" }],
  ["host-namespace", { pid: "host" }],
  ["host-namespace", { pid: "container:database" }],
  ["host-namespace", { userns_mode: "host" }],
  ["docker-socket", { volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"] }],
  ["docker-socket", { volumes: [{ type: "bind", source: "/run/docker", target: "/x" }] }],
  ["host-path", { volumes: ["/:/host:ro"] }],
  ["host-path", { volumes: [{ type: "bind", source: "/etc", target: "/x", read_only: true }] }],
  ["host-path", { volumes: [{ type: "bind", source: "/proc", target: "/host/proc", read_only: true }] }],
  ["host-path", { volumes: ["/srv/millwright/acme-production/secrets:/x"] }],
  ["host-path", { volumes: ["/srv/millwright/acme-production/data/../../../etc:/x"] }],
  ["host-path", { volumes: ["/srv/millwright/acme-production/data/${X-..}/${X-..}/${X-..}/etc:/x"] }],
  ["host-path", { volumes: ["/srv/millwright/acme-production/data/filestore/a-link-of-the-container:/x"] }],
  ["host-path", { volumes: ["../data/filestore/a-link-of-the-container:/x"] }],
  ["host-path", { volumes: ["../data:/x"] }],
  ["host-path", { volumes: ["../../../etc/shadow:/x"] }],
  ["host-path", { volumes: ["..:/x"] }],
  ["host-path", { volumes: ["~/.ssh:/x"] }],
  ["host-path", { volumes: ["named:/x"] }],
  ["capabilities", { cap_add: ["NET_ADMIN"] }],
  ["capabilities", { cap_drop: undefined }],
  ["capabilities", { cap_drop: ["NET_RAW"] }],
  ["no-new-privileges", { security_opt: undefined }],
  ["no-new-privileges", { security_opt: ["no-new-privileges:true", "seccomp=unconfined"] }],
  ["no-new-privileges", { security_opt: ["no-new-privileges:false"] }],
  ["read-only", { read_only: false }],
  ["read-only", { read_only: "true" }],
  ["non-root", { user: undefined }],
  ["non-root", { user: "0:0" }],
  ["non-root", { user: "999:0" }],
  ["non-root", { user: "root" }],
  ["pinned-image", { image: "redis:8" }],
  ["pinned-image", { image: "redis@sha256:abc" }],
  ["published-port", { ports: [{ host_ip: "127.0.0.1", target: 6379, published: "6379" }] }],
  ["healthcheck", { healthcheck: undefined }],
  ["healthcheck", { healthcheck: { test: ["NONE"] } }],
  ["healthcheck", { healthcheck: { disable: true, test: ["CMD", "true"] } }],
  ["limits", { mem_limit: undefined }],
  ["limits", { mem_limit: 0 }],
  ["limits", { pids_limit: -1 }],
  ["networks", { networks: undefined }],
  ["networks", { networks: ["host"] }],
  ["networks", { networks: { data: {}, plant: {} } }],
  ["container-name", { container_name: "redis" }],
  ["environment-secret", { environment: { REDIS_PASSWORD: "x" } }],
  ["environment-secret", { environment: ["API_TOKEN=x"] }],
  ["environment-secret", { environment: { A: "<<secret db_odoo>>" } }],
  ["environment-secret", { environment: { DSN: "postgres://u:p@h/d" } }],
  ["known-keys", { env_file: "/etc/passwd" }],
  ["known-keys", { extends: { file: "/etc/shadow", service: "x" } }],
  ["known-keys", { devices: ["/dev/sda"] }],
  ["known-keys", { build: "." }],
];

describe("policy", () => {
  it("finds nothing in a hardened service", () => {
    expect(judge([document({})], [])).toEqual([]);
  });

  it.each(VIOLATIONS)("finds %s in %j", (rule, changes) => {
    expect(judge([document(changes)], []).map((finding) => finding.rule)).toContain(rule);
  });

  it("lets a name pass that stands for an image made of a pinned one, and no other name", () => {
    const derived = "millwright/database:0123456789abcdef";
    expect(judge([document({ image: derived, pull_policy: "never" })], [], [derived])).toEqual([]);
    for (const pull of [undefined, "missing", "always"])
      expect(judge([document({ image: derived, pull_policy: pull })], [], [derived])).toMatchObject([{ rule: "pinned-image", path: "pull_policy" }]);
    expect(judge([document({ image: derived })], [])).toMatchObject([{ rule: "pinned-image" }]);
    expect(judge([document({ image: "millwright/database:0123456789abcdee" })], [], [derived])).toMatchObject([{ rule: "pinned-image" }]);
    expect(judge([document({ image: `${derived}x` })], [], [derived])).toMatchObject([{ rule: "pinned-image" }]);
  });

  it("has a violation in this table for every rule", () => {
    expect(new Set(VIOLATIONS.map(([rule]) => rule))).toEqual(new Set(RULES.map(({ name }) => name)));
  });

  it("lets only the edge publish ports, and only on a named address", () => {
    const port = { host_ip: "192.0.2.20", target: 8443, published: "443" };
    expect(judge([document({ ports: [port] }, "edge")], [])).toEqual([]);
    expect(judge([document({ ports: ["192.0.2.20:443:8443"] }, "edge")], [])).toEqual([]);
    expect(judge([document({ ports: [{ ...port, host_ip: "2001:db8::1", protocol: "tcp" }, "[2001:db8::1]:443:8443/tcp"] }, "edge")], [])).toEqual([]);
    const bads = [
      { target: 8443, published: "443" },
      "443:8443",
      8443,
      // What stands here goes into a rule of the host's firewall.
      { ...port, host_ip: "192.0.2.20 accept; } } flush ruleset" },
      { ...port, host_ip: "" },
      { ...port, host_ip: ["192.0.2.20"] },
      { ...port, published: "443-445" },
      { ...port, published: "443; flush ruleset" },
      { ...port, target: "8443 accept" },
      { ...port, published: "70000" },
      { ...port, mode: "host" },
      "999.0.2.20:443:8443",
      "192.0.2.20:443:8443/udp; x",
    ];
    for (const bad of bads) {
      expect(judge([document({ ports: [bad] }, "edge")], [])).toMatchObject([{ rule: "published-port", service: "edge", path: "ports[0]" }]);
    }
  });

  it("takes the files that the agent laid out and a release's image id", () => {
    const volumes = [{ type: "bind", source: "/srv/millwright/acme-production/secrets/0123abcd-web.conf", target: "/etc/odoo/odoo.conf" }];
    expect(judge([document({ volumes, image: `sha256:${"b".repeat(64)}` })], [])).toEqual([]);
  });

  it.each(["volumes", "secrets", "configs", "include"])("refuses %s at the top of a document", (key) => {
    expect(judge([{ ...document({}), [key]: {} }], [])).toMatchObject([{ rule: "known-keys", service: "", path: key }]);
  });

  it("refuses a way out for an internal network", () => {
    expect(judge([{ ...document({}), networks: { data: { name: "acme-production_data" } } }], [])).toMatchObject([{ rule: "networks", path: "networks.data" }]);
  });

  it.each([
    ["of the host itself", { name: "host", external: true }],
    ["that Docker gives everybody", { name: "bridge", external: true }],
    ["of another purpose", { name: "acme-production_edge", internal: true }],
    ["without a name of the stack's", { external: true }],
    ["on a card of the host", { name: "acme-production_data", internal: true, driver: "macvlan", driver_opts: { parent: "eth0" } }],
  ])("refuses a network %s", (_what, network) => {
    expect(judge([{ ...document({}), networks: { data: network } }], [])).toMatchObject([{ rule: "networks", service: "", path: "networks.data" }]);
  });

  it("takes the platform's networks in a colour", () => {
    expect(judge([{ ...document({}), networks: { data: { name: "acme-production_data", external: true } } }], [])).toEqual([]);
  });

  it("lets a finding pass for the waived service and rule alone, and says so", () => {
    const waiver = { rule: "host-path", service: "cache", reason: "Backups go to the plant's NAS." };
    const bad = document({ volumes: ["/mnt/nas:/x"], privileged: true });
    expect(judgeAll([bad], [waiver, { ...waiver, service: "edge" }])).toMatchObject({ findings: [{ rule: "privileged" }], waived: [waiver] });
  });

  it("does not take a waiver without a reason", () => {
    expect(judge([document({ read_only: false })], [{ rule: "read-only", service: "cache", reason: " " }])).toHaveLength(1);
  });
});
