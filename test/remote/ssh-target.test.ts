import { describe, expect, it } from "vitest";
import { describeAddress, describePlace } from "../../src/remote/ssh-target.ts";

describe("a host's address for people", () => {
  it("is account, name and every port but 22", () => {
    expect(describeAddress({ address: "erp.acme.example", port: 22, user: "deploy" })).toBe("deploy@erp.acme.example");
    expect(describeAddress({ address: "192.0.2.10", port: 2222, user: "deploy" })).toBe("deploy@192.0.2.10:2222");
  });

  it("keeps the port apart from the colons of IPv6", () => {
    expect(describeAddress({ address: "2001:db8::5", port: 2222, user: "deploy" })).toBe("deploy@[2001:db8::5]:2222");
    expect(describeAddress({ address: "2001:db8::5", port: 22, user: "deploy" })).toBe("deploy@2001:db8::5");
    expect(describePlace({ address: "2001:db8::5", port: 22 })).toBe("[2001:db8::5]:22");
    expect(describePlace({ address: "192.0.2.10", port: 22 })).toBe("192.0.2.10:22");
  });
});
