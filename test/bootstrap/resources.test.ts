import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { authorizedKey, sudoers } from "../../src/bootstrap/resources/accounts.ts";
import { daemonJson, dockerPackages, networkSize } from "../../src/bootstrap/resources/docker.ts";
import { firewallRules } from "../../src/bootstrap/resources/firewall.ts";
import { sshdDropIn } from "../../src/bootstrap/resources/ssh.ts";
import { hostResources } from "../../src/bootstrap/host-resources.ts";
import { lineDiff } from "../../src/bootstrap/line-diff.ts";
import { environment, facts, KEY, wanted } from "./fixtures.ts";

const linesOf = (text: string): readonly string[] => text.split("\n").map((line) => line.trim());

describe("the firewall", () => {
  it("lets the other one of two hosts reach the database's port, on both, and says nothing of it where there is one host", () => {
    const standby = { address: "192.0.2.11", port: 22, admin: "admin", deploy: "deploy", listen: "0.0.0.0" };
    const rule = (peer: string): string => `ip saddr ${peer} meta l4proto tcp ct status dnat ct original proto-dst 5432 accept`;
    expect(linesOf(firewallRules(wanted({ standby }), facts()))).toContain(rule("192.0.2.11"));
    expect(linesOf(firewallRules(wanted({ follows: "192.0.2.10" }), facts()))).toContain(rule("192.0.2.10"));
    expect(firewallRules(wanted(), facts())).not.toContain("5432");
  });

  it("drops by default in both directions that matter", () => {
    expect(firewallRules(wanted(), facts()).match(/policy drop/g)).toHaveLength(2);
  });

  it("never flushes the ruleset, which holds Docker's rules", () => {
    const commands = linesOf(firewallRules(wanted(), facts())).filter((line) => !line.startsWith("#"));
    expect(commands.join("\n")).not.toContain("flush");
  });

  it("opens sshd on the port it listens on, to the given ranges of both families only", () => {
    const rules = linesOf(
      firewallRules(wanted({ firewall: { ssh: ["192.0.2.0/24", "2001:db8::/64"], web: [] } }), facts({ ssh: { ...facts().ssh, ports: [2222] } })),
    );
    expect(rules).toContain("ip saddr 192.0.2.0/24 tcp dport { 2222 } accept");
    expect(rules).toContain("ip6 saddr 2001:db8::/64 tcp dport { 2222 } accept");
    expect(rules.filter((rule) => rule.includes("dport { 2222 }"))).toHaveLength(2);
  });

  it("judges published ports by the port that was asked for", () => {
    expect(linesOf(firewallRules(wanted({ firewall: { ssh: [], web: ["192.0.2.0/24"] } }), facts()))).toContain(
      "ip saddr 192.0.2.0/24 meta l4proto tcp ct status dnat ct original proto-dst 443 accept",
    );
  });

  it("keeps port 80 open to everybody when an authority checks the domain there", () => {
    const rules = linesOf(
      firewallRules(wanted({ certificate: { kind: "acme", email: "it@acme.example", directory: "" }, firewall: { ssh: [], web: ["192.0.2.0/24"] } }), facts()),
    );
    expect(rules).toContain("meta l4proto tcp ct status dnat ct original proto-dst 80 accept");
    expect(rules).not.toContain("meta l4proto tcp ct status dnat ct original proto-dst 443 accept");
  });

  it("opens the web ports on the stack's own address only, where it has one", () => {
    const { host } = environment();
    expect(firewallRules(wanted({ host: { ...host, listen: "192.0.2.10" } }), facts())).toContain(
      "ct original ip daddr 192.0.2.10 meta l4proto tcp ct status dnat ct original proto-dst 443 accept",
    );
  });

  it("is known by another mark as soon as a rule differs", () => {
    const mark = (rules: string): string | undefined => /millwright [0-9a-f]{12}/.exec(rules)?.[0];
    expect(mark(firewallRules(wanted(), facts()))).not.toBe(mark(firewallRules(wanted({ firewall: { ssh: ["192.0.2.0/24"], web: [] } }), facts())));
  });
});

describe("the unit of a run", () => {
  const restarts = (systemd: number): readonly string[] => {
    const file = hostResources(wanted(), facts({ systemd })).find((resource) => resource.kind === "file" && resource.path.endsWith("/millwright-run@.service"));
    return linesOf(file?.kind === "file" ? file.content : "").filter((line) => /^(Restart|StartLimit)/.test(line));
  };

  it("is tried again less and less often while the cause lasts, and without end", () => {
    expect(restarts(257)).toEqual([
      "StartLimitIntervalSec=0",
      "Restart=on-failure",
      "RestartSec=1",
      "RestartSteps=6",
      "RestartMaxDelaySec=60",
      "RestartPreventExitStatus=7",
    ]);
  });

  it("is tried again every five seconds where systemd knows no growing time", () => {
    for (const systemd of [252, 0]) {
      expect(restarts(systemd)).toEqual(["StartLimitIntervalSec=0", "Restart=on-failure", "RestartSec=5", "RestartPreventExitStatus=7"]);
    }
  });
});

describe("daemon.json", () => {
  it("keeps images as layers, whatever the engine would begin with, since releases are named by their configuration", () => {
    expect(JSON.parse(daemonJson(wanted()))).toMatchObject({ features: { "containerd-snapshotter": false } });
  });

  it("binds ports that name no address to loopback on every network", () => {
    const settings = JSON.parse(daemonJson(wanted())) as Record<string, unknown>;
    expect(settings).toMatchObject({ ip: "127.0.0.1", "default-network-opts": { bridge: { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" } } });
  });

  it("marks plain-http mirrors as insecure, and only those", () => {
    const mirrors = ["http://192.0.2.1:5000", "https://mirror.acme.example"];
    expect(JSON.parse(daemonJson(wanted({ docker: { ...environment().docker, mirrors } })))).toMatchObject({
      "registry-mirrors": mirrors,
      "insecure-registries": ["192.0.2.1:5000"],
    });
  });

  it("cuts a pool of any size into at least sixteen networks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 24 }), (prefix) => {
        const size = networkSize(`10.0.0.0/${prefix}`);
        expect(size - prefix).toBeGreaterThanOrEqual(4);
        expect(size).toBeLessThanOrEqual(28);
      }),
    );
  });
});

describe("sshd's drop-in", () => {
  it("keeps curve25519 and names nothing that this sshd does not know", () => {
    expect(linesOf(sshdDropIn(wanted(), facts()))).toContain("KexAlgorithms curve25519-sha256");
  });

  it("leaves a list to sshd when it knows none of ours", () => {
    expect(sshdDropIn(wanted(), facts())).not.toContain("MACs");
  });

  it("ends with the deploy account's block, so that nothing after it is conditional", () => {
    const lines = sshdDropIn(wanted(), facts()).trimEnd().split("\n");
    const match = lines.findIndex((line) => line.startsWith("Match "));
    expect(lines.slice(match + 1).every((line) => line.startsWith("  "))).toBe(true);
  });
});

describe("the deploy account", () => {
  it("has one forced command a key, and nothing else", () => {
    expect(authorizedKey({ name: "alice", key: KEY })).toBe(`restrict,command="sudo -n /opt/millwright/bin/agent gate --key alice" ${KEY} alice\n`);
  });

  it("is granted exact words by sudo, never a wildcard", () => {
    const granted = sudoers(wanted())
      .split("\n")
      .filter((line) => line.startsWith("deploy "));
    expect(granted).toEqual(["deploy ALL=(root) NOPASSWD: /opt/millwright/bin/agent gate --key alice"]);
  });

  it("is in no group but sshd's", () => {
    const membership = hostResources(wanted(), facts()).find((resource) => resource.kind === "membership" && resource.account === "deploy");
    expect(membership).toMatchObject({ groups: ["ssh-deploy"], only: true });
  });
});

describe("the host's resources", () => {
  it("put what can lock a person out behind everything else, under the guard", () => {
    const resources = hostResources(wanted({ dataDisk: "/dev/vdb" }), facts());
    const first = resources.findIndex((resource) => resource.guarded === true);
    expect(new Set(resources.slice(first).map(({ group }) => group))).toEqual(new Set(["firewall", "ssh"]));
  });

  it("run every action after each resource that asks for it", () => {
    const resources = hostResources(wanted(), facts());
    for (const [index, resource] of resources.entries()) {
      for (const name of resource.triggers ?? []) {
        expect(resources.findIndex((other) => other.kind === "action" && other.name === name)).toBeGreaterThan(index);
      }
    }
  });

  it("take the packages of the distribution, or those of Docker where the site says so", () => {
    const names = (distribution: string, source: "distribution" | "docker"): string =>
      hostResources(wanted({ docker: { ...environment().docker, source } }), facts({ distribution }))
        .flatMap((resource) => (resource.kind === "packages" ? resource.names : []))
        .join(" ");
    expect(names("debian 13", "distribution")).toContain("docker.io docker-cli docker-compose docker-buildx");
    expect(names("ubuntu 24.04", "distribution")).toContain("docker.io docker-compose-v2 docker-buildx");
    expect(names("debian 12", "docker")).toContain("docker-ce docker-ce-cli containerd.io");
  });
});

describe("security updates", () => {
  const conf = (distribution: string): string => {
    const file = hostResources(wanted(), facts({ distribution })).find((resource) => resource.kind === "file" && resource.path.endsWith("upgrades"));
    return file?.kind === "file" ? file.content : "";
  };

  it.each([
    ["debian 13", "distribution"],
    ["ubuntu 24.04", "distribution"],
    ["debian 12", "docker"],
    ["ubuntu 24.04", "docker"],
  ] as const)("leave alone every package of the engine that bootstrap installs on %s from the %s", (distribution, source) => {
    const never = [...conf(distribution).matchAll(/^ {2}"(.*\$)";$/gm)].map((match) => new RegExp(`^${match[1]}`));
    const installed = dockerPackages(wanted({ docker: { ...environment().docker, source } }), { distribution });
    expect(installed.filter((name) => !never.some((pattern) => pattern.test(name)))).toEqual([]);
  });

  it("come from the distribution's own archive of them", () => {
    expect(conf("ubuntu 24.04")).toContain('"origin=Ubuntu,archive=${distro_codename}-security,label=Ubuntu";');
    expect(conf("debian 13")).toContain('"origin=Debian,codename=${distro_codename}-security,label=Debian-Security";');
  });
});

describe("lineDiff", () => {
  it("holds exactly what turns the one text into the other", () => {
    const line = fc.constantFrom("a", "b", "c", "d");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.array(line, { maxLength: 8 }), (before, after) => {
        const diff = lineDiff(before.join("\n"), after.join("\n"));
        const counted = (lines: readonly string[], sign: string): readonly string[] =>
          lines.filter((entry) => entry.startsWith(sign)).map((entry) => entry.slice(2));
        const rest: string[] = [...before];
        for (const gone of counted(diff, "-")) rest.splice(rest.indexOf(gone), 1);
        expect([...rest, ...counted(diff, "+")].sort()).toEqual([...after].sort());
      }),
    );
  });

  it("says how much it leaves out of a long change", () => {
    expect(lineDiff("", Array.from({ length: 50 }, (_, index) => String(index)).join("\n")).at(-1)).toBe("… and 10 more lines");
  });
});
