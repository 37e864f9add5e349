import { describe, expect, it } from "vitest";
import type { Stack } from "../../src/blueprint/stack.ts";
import { redirectRules } from "../../src/deploy/nft-redirect.ts";
import { fixtureStack, image, STACK } from "./fixture-stack.ts";
import { Cut, Host, MemoryJournal } from "./host.ts";

const OPEN = { ports: ["0.0.0.0:80:8080", "0.0.0.0:443:8443"] };
const stackWith = (proxy: Record<string, unknown>): Stack => fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, OPEN, proxy));
const NEXT = { image: image("traefik:v3.8") };
const STAND_IN = `${STACK}-edge-stand-in`;

/** A host on which a release serves users through the proxy. */
async function served(): Promise<Host> {
  const host = await Host.make();
  expect((await host.deploy(stackWith({}))).error).toBeUndefined();
  host.docker.addContainer({ project: `${STACK}-blue`, service: "web", image: `sha256:${"f".repeat(64)}` });
  host.offer(stackWith(NEXT));
  host.docker.calls.length = 0;
  return host;
}

async function proxies(host: Host): Promise<readonly string[]> {
  const all = await host.docker.allContainers();
  return all.filter((container) => container.service === "edge").map((container) => `${container.name} ${container.state} ${container.image.split("@")[0]}`);
}

describe("a new proxy while users are served", () => {
  it("is probed beside the old one, and new connections are led past the one that is renewed", async () => {
    const host = await served();
    const { plan, notes } = await host.prepare(stackWith(NEXT));
    expect(plan.steps.map((step) => step.id)).toEqual([
      "keep",
      "pull:traefik:v3.8",
      "files",
      "stand-in",
      "lead-away",
      "up:edge",
      "lead-back",
      "record",
      "tidy",
    ]);
    expect(notes.join()).not.toContain("No page answers");
    expect((await host.run(plan)).outcome).toBe("done");
    expect(host.docker.calls.slice(1)).toEqual([
      `run ${STAND_IN} 8080 8443`,
      "lead away",
      `recreate ${STACK}/edge`,
      "lead back",
      `stop ${STACK}/edge`,
      `remove ${STACK}/edge`,
    ]);
    expect(await proxies(host)).toEqual([`${STACK}-edge-1 running traefik:v3.8`]);
  });

  it("that shows users something else than what serves is removed, and nobody was led to it", async () => {
    const host = await served();
    host.proxyProblem = "it answers 404";
    const { outcome, error } = await host.run((await host.prepare(stackWith(NEXT))).plan);
    expect(outcome).toBe("undone");
    expect(error).toMatchObject({ code: "SERVICE_UNHEALTHY", message: expect.stringContaining("it answers 404") });
    expect(host.docker.calls).not.toContain("lead away");
    expect(await proxies(host)).toEqual([`${STACK}-edge-1 running traefik:v3.7`]);
  });

  it("that does not stay up is removed, with its last words", async () => {
    const host = await served();
    host.docker.behave("edge", { exits: 1, logs: ["field not found: entryPointz"] });
    const { error } = await host.run((await host.prepare(stackWith(NEXT))).plan);
    expect(error).toMatchObject({ code: "SERVICE_UNHEALTHY", details: ["field not found: entryPointz"] });
    expect(host.docker.calls).not.toContain("lead away");
  });

  it("is put back over a stand-in as well when a later step fails", async () => {
    const host = await served();
    const next = fixtureStack(({ services }) => {
      Object.assign(services["edge"] ?? {}, OPEN, NEXT);
      Object.assign(services["exporter"] ?? {}, { image: image("exporter:2") });
    });
    host.offer(next);
    host.docker.behave(image("exporter:2"), { exits: 1 });
    expect((await host.run((await host.prepare(next)).plan)).outcome).toBe("undone");
    const led = host.docker.calls.filter((call) => call.startsWith("lead") || call === `recreate ${STACK}/edge`);
    expect(led).toEqual(["lead away", `recreate ${STACK}/edge`, "lead back", "lead away", `recreate ${STACK}/edge`, "lead back"]);
    expect(await proxies(host)).toEqual([`${STACK}-edge-1 running traefik:v3.7`]);
    expect(host.led).toEqual([]);
  });

  it("leaves no stand-in and no rule behind, wherever the deploy is cut off", async () => {
    let cuts = 0;
    for (let line = 0; ; line += 1) {
      const host = await served();
      const { plan } = await host.prepare(stackWith(NEXT));
      const journal = new MemoryJournal();
      journal.cutAt = line;
      const first = await host.run(plan, journal).catch((error: unknown) => {
        if (error instanceof Cut) return undefined;
        throw error;
      });
      if (first !== undefined) break;
      cuts += 1;
      journal.cutAt = Infinity;
      expect((await host.run(plan, journal)).outcome, `line ${line}`).toMatch(/done|undone/);
      expect(await proxies(host), `line ${line}`).toHaveLength(1);
      expect(host.led, `line ${line}`).toEqual([]);
    }
    expect(cuts).toBeGreaterThan(10);
  });

  it("is simply renewed where connections do not come through the kernel's translation, and the plan says what that costs", async () => {
    const host = await Host.make();
    await host.deploy(fixtureStack());
    host.docker.addContainer({ project: `${STACK}-blue`, service: "web", image: `sha256:${"f".repeat(64)}` });
    const { plan, notes } = await host.prepare(fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, NEXT)));
    expect(plan.steps.map((step) => step.kind)).not.toContain("stand-in");
    expect(notes.join()).toContain("No page answers");
  });
});

describe("the rules that lead connections away", () => {
  it("replace what was led before in one step, and ask for the address that is published", () => {
    const rules = redirectRules([
      { asked: "0.0.0.0", port: 443, address: "10.1.0.3", target: 8443 },
      { asked: "192.0.2.7", port: 80, address: "10.1.0.3", target: 8080 },
    ]);
    expect(rules).toBe(`table ip millwright_redirect
delete table ip millwright_redirect
table ip millwright_redirect {
  chain prerouting {
    type nat hook prerouting priority dstnat - 10; policy accept;
    fib daddr type local tcp dport 443 dnat to 10.1.0.3:8443
    ip daddr 192.0.2.7 tcp dport 80 dnat to 10.1.0.3:8080
  }
}
`);
  });

  it.each([{ asked: "192.0.2.7 accept } } flush ruleset" }, { asked: "2001:db8::1" }, { address: "10.1.0.3; x" }, { port: Number.NaN }, { target: 0 }])(
    "is not made of anything but addresses and ports: %j",
    (part) => {
      expect(() => redirectRules([{ asked: "192.0.2.7", port: 443, address: "10.1.0.3", target: 8443, ...part }])).toThrow(
        expect.objectContaining({ code: "REDIRECT_FAILED" }),
      );
    },
  );
});
