import { describe, expect, it } from "vitest";
import { harden } from "../../src/blueprint/harden.ts";
import { judge } from "../../src/blueprint/policy.ts";

const fragment = {
  "x-needs": { user: "999:999", memory: 1000, networks: ["data"], writable: [{ path: "/tmp", size: "8m" }] },
  image: `redis:8@sha256:${"a".repeat(64)}`,
  healthcheck: { test: ["CMD", "true"] },
};

describe("harden", () => {
  it("makes of a bare fragment a service that policy finds nothing in", () => {
    const service = harden("cache", fragment, {});
    expect(judge([{ name: "a-b", services: { cache: service }, networks: { data: { name: "a-b_data", internal: true } } }], [])).toEqual([]);
  });

  it("gives swap no share beyond the memory limit and keeps logs small", () => {
    expect(harden("cache", fragment, {})).toMatchObject({
      mem_limit: 1000,
      memswap_limit: 1000,
      init: true,
      logging: { driver: "local", options: { "max-size": "10m", "max-file": "5" } },
    });
  });

  it("gives folders in memory to the service's user, without programs in them", () => {
    expect(harden("cache", fragment, {})).toMatchObject({ tmpfs: ["/tmp:rw,noexec,nosuid,nodev,size=8m,uid=999,gid=999,mode=0700"] });
  });

  it("mounts read-only unless the fragment says writable, and never makes a missing source", () => {
    const volumes = [
      { source: "../a/b", target: "/b" },
      { source: "/srv/millwright/a-b/data/x", target: "/x", writable: true },
    ];
    const [conf, data] = (harden("cache", { ...fragment, volumes }, {}) as { volumes: readonly object[] }).volumes;
    expect(conf).toMatchObject({ read_only: true, bind: { create_host_path: false } });
    expect(data).not.toHaveProperty("read_only");
  });

  it.each(["read_only", "privileged", "cap_add", "user", "networks", "pid", "security_opt", "restart", "mem_limit"])(
    "does not let a fragment set %s",
    (key) => {
      expect(() => harden("cache", { ...fragment, [key]: "x" }, {})).toThrow(expect.objectContaining({ code: "BLUEPRINT_INVALID" }));
    },
  );

  it("wants a health check and a user that is not root", () => {
    const { healthcheck: _, ...without } = fragment;
    expect(() => harden("cache", without, {})).toThrow(/healthcheck/);
    expect(() => harden("cache", { ...fragment, "x-needs": { ...fragment["x-needs"], user: "0:0" } }, {})).toThrow(/user/);
  });
});
