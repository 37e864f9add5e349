import { describe, expect, it } from "vitest";
import { parseListener } from "../../src/bootstrap/host-facts.ts";
import { preflight } from "../../src/bootstrap/preflight.ts";
import type { Environment } from "../../src/site/environment.ts";
import type { HostFacts } from "../../src/bootstrap/host-facts.ts";
import { environment, facts, wanted } from "./fixtures.ts";

function refusal(host: Partial<HostFacts>, site: Partial<Environment> = {}, now = 0): { code?: string; message?: string } {
  try {
    preflight(wanted(site), facts(host), now);
  } catch (error) {
    return error as { code: string; message: string };
  }
  return {};
}

const docker = { ...environment().docker };

describe("preflight", () => {
  it("lets a bare Debian 13 pass without a word", () => {
    expect(preflight(wanted(), facts(), 0)).toEqual([]);
  });

  it("refuses a system that bootstrap does not know", () => {
    expect(refusal({ distribution: "fedora 43" }).code).toBe("HOST_UNSUPPORTED");
  });

  it("refuses Debian 12 with the distribution's Docker, which is too old, and takes it with Docker's own", () => {
    expect(refusal({ distribution: "debian 12" }).code).toBe("HOST_UNSUPPORTED");
    expect(refusal({ distribution: "debian 12" }, { docker: { ...docker, source: "docker" } }).code).toBeUndefined();
  });

  it("says by how much the clocks differ", () => {
    expect(refusal({ now: 0 }, {}, 90_000)).toMatchObject({ code: "CLOCK_WRONG", message: expect.stringContaining("90 s behind") as string });
    expect(refusal({ now: 59_000 }).code).toBeUndefined();
  });

  it("refuses a host that belongs to another stack", () => {
    expect(refusal({ stack: "acme-staging" }).code).toBe("HOST_TAKEN");
    expect(refusal({ stack: "acme-production" }).code).toBeUndefined();
  });

  it("refuses a disk without room for images", () => {
    expect(refusal({ freeBytes: 2 * 1024 ** 3 })).toMatchObject({ code: "NO_SPACE", message: expect.stringContaining("2.0 GiB") as string });
  });

  it("names the program that has port 80", () => {
    expect(refusal({ listeners: [{ address: "*", port: 80, program: "nginx" }] })).toMatchObject({
      code: "PORT_TAKEN",
      message: expect.stringContaining("nginx") as string,
    });
  });

  it("does not mind a port 80 on another address than the stack's", () => {
    const { host } = environment();
    expect(refusal({ listeners: [{ address: "127.0.0.1", port: 80, program: "nginx" }] }, { host: { ...host, listen: "192.0.2.10" } }).code).toBeUndefined();
  });

  it("names a foreign container that publishes port 443, and knows its own edge", () => {
    const listeners = [{ address: "0.0.0.0", port: 443, program: "dockerd" }];
    const container = { name: "shop", project: "shop", ports: "0.0.0.0:443->8443/tcp" };
    expect(refusal({ listeners, containers: [container] })).toMatchObject({ code: "PORT_TAKEN", message: expect.stringContaining("shop") as string });
    expect(refusal({ listeners, containers: [{ ...container, project: "acme-production" }] }).code).toBeUndefined();
  });

  it("refuses a pool inside a network that the host routes to, but not for Docker's own bridges", () => {
    expect(refusal({ routes: [{ destination: "10.0.0.0/8", device: "eth0" }] }).code).toBe("POOL_TAKEN");
    expect(refusal({ routes: [{ destination: "10.201.3.7", device: "wg0" }] }).code).toBe("POOL_TAKEN");
    expect(
      refusal({
        routes: [
          { destination: "10.201.1.0/24", device: "br-0123456789ab" },
          { destination: "10.201.0.0/24", device: "docker0" },
        ],
      }).code,
    ).toBeUndefined();
  });

  it("notes foreign containers and other firewalls without refusing them", () => {
    const notes = preflight(wanted(), facts({ firewalls: ["ufw"], containers: [{ name: "shop", project: "shop", ports: "" }] }), 0);
    expect(notes.join("\n")).toMatch(/shop[\s\S]*ufw/);
  });
});

describe("parseListener", () => {
  it.each([
    ['LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))', { address: "0.0.0.0", port: 80, program: "nginx" }],
    ['LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=7,fd=4))', { address: "::", port: 22, program: "sshd" }],
    ["LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*", { address: "127.0.0.53", port: 53, program: "" }],
  ])("reads %s", (line, listener) => {
    expect(parseListener(line)).toEqual(listener);
  });
});
