import { describe, expect, it } from "vitest";
import { agentResources } from "../../src/bootstrap/resources/agent-files.ts";
import { wantedHost } from "../../src/bootstrap/wanted.ts";
import { HOST_FILE, parseHostFile } from "../../src/deploy/host-file.ts";
import { environment, facts, KEY, wanted } from "./fixtures.ts";

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

describe("wantedHost", () => {
  it("keeps type and base64 of a deploy key and drops its comment", () => {
    expect(wantedHost(environment(), { deployKeys: [{ name: "alice", key: `${KEY} alice@laptop\n` }] }).deployKeys).toEqual([{ name: "alice", key: KEY }]);
  });

  it.each([
    ["an option before the type", `command="sh" ${KEY}`],
    ["a second line", `${KEY}\nssh-ed25519 AAAA`],
    ["a type that is not the blob's", KEY.replace("ssh-ed25519", "ssh-rsa")],
    ["nothing", ""],
  ])("refuses a deploy key with %s, or takes only its harmless first two words", (_what, key) => {
    const code = codeOf(() => wantedHost(environment(), { deployKeys: [{ name: "alice", key }] }));
    if (code === undefined) expect(wantedHost(environment(), { deployKeys: [{ name: "alice", key }] }).deployKeys[0]?.key).toBe(KEY);
    else expect(code).toBe("SITE_INVALID");
  });

  it("brings the site's waivers to the host, where who deploys cannot change them", () => {
    const waivers = [{ rule: "host-path", service: "backup", reason: "The plant's NAS." }];
    expect(wanted({ waivers }).waivers).toEqual(waivers);
    const file = agentResources(wanted({ waivers }), facts()).find((resource) => resource.kind === "file" && resource.path === HOST_FILE);
    expect(parseHostFile(file?.kind === "file" ? file.content : "").waivers).toEqual(waivers);
  });

  it("refuses a name for a key that could end the words of sudoers", () => {
    expect(codeOf(() => wantedHost(environment(), { deployKeys: [{ name: "alice, ALL", key: KEY }] }))).toBe("SITE_INVALID");
  });

  it("refuses two keys of one name", () => {
    expect(
      codeOf(() =>
        wantedHost(environment(), {
          deployKeys: [
            { name: "alice", key: KEY },
            { name: "alice", key: KEY },
          ],
        }),
      ),
    ).toBe("SITE_INVALID");
  });

  it("refuses root as the admin account", () => {
    const { host } = environment();
    expect(codeOf(() => wanted({ host: { ...host, admin: "root" } }))).toBe("SITE_INVALID");
  });

  it("refuses one account for both purposes", () => {
    const { host } = environment();
    expect(codeOf(() => wanted({ host: { ...host, deploy: "admin" } }))).toBe("SITE_INVALID");
  });
});
