import type { HostFacts } from "../../src/bootstrap/host-facts.ts";
import { wantedHost, type WantedHost } from "../../src/bootstrap/wanted.ts";
import type { Environment } from "../../src/site/environment.ts";

export const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFqw1vWIpG2tP0qHxzC+nyowAMxoNFiu9T1RgBuI16m4";

/** Only what bootstrap reads of an environment. */
export function environment(overrides: Partial<Environment> = {}): Environment {
  return {
    site: "acme",
    name: "production",
    stack: "acme-production",
    company: "Acme",
    domain: "erp.acme.example",
    odoo: { series: "19.0", users: 10, modules: [], database: "acme", language: "en_US" },
    certificate: { kind: "ca" },
    sessions: "files",
    host: { address: "192.0.2.10", port: 22, admin: "admin", deploy: "deploy", listen: "0.0.0.0", memoryBytes: 4 * 1024 ** 3, cpus: 2 },
    docker: { source: "distribution", mirrors: [], pool: "10.201.0.0/16" },
    firewall: { ssh: [], web: [] },
    dataDisk: undefined,
    smoke: [],
    backup: { at: "02:30", full: 0, drill: 0, keepDays: 14 },
    monitoring: false,
    waivers: [],
    ...overrides,
  } as Environment;
}

export function wanted(overrides: Partial<Environment> = {}): WantedHost {
  return wantedHost(environment(overrides), { deployKeys: [{ name: "alice", key: KEY }] });
}

export function facts(overrides: Partial<HostFacts> = {}): HostFacts {
  return {
    distribution: "debian 13",
    apparmor: true,
    systemd: 257,
    now: 0,
    freeBytes: 100 * 1024 ** 3,
    routes: [{ destination: "default", device: "eth0" }],
    listeners: [],
    containers: [],
    stack: undefined,
    ssh: { ports: [22], socket: false, hostKeys: ["/etc/ssh/ssh_host_ed25519_key"], kex: ["curve25519-sha256"], ciphers: ["aes256-ctr"], macs: [] },
    firewalls: [],
    ...overrides,
  };
}
