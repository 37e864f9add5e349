import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bringSite } from "../../src/cli/bring-site.ts";
import { checkCommand } from "../../src/cli/commands/check.ts";
import { recoveryKeyCommand } from "../../src/cli/commands/recovery-key.ts";
import { secretsListCommand, secretsRekeyCommand } from "../../src/cli/commands/secrets.ts";
import type { HostLink } from "../../src/cli/host-link.ts";
import { loadTarget } from "../../src/cli/target.ts";
import { readIdentity } from "../../src/secrets/identity.ts";
import { openSiteVault } from "../../src/secrets/site-secrets.ts";
import { SiteFixture } from "./site-fixture.ts";

/** Makes a recovery key, and writes what was printed into a file, as an operator does. */
async function makeKey(fixture: SiteFixture, name = "safe.txt"): Promise<string> {
  const context = fixture.context();
  fixture.written = { stdout: "", stderr: "" };
  context.output.result("secrets recovery-key", await recoveryKeyCommand({ yes: true }, context));
  const file = join(fixture.folder, name);
  await writeFile(file, fixture.written.stdout, { mode: 0o600 });
  return file;
}

describe("a recovery key", () => {
  it("is printed once, alone on standard output, and opens every vault of the site", async () => {
    await using fixture = await SiteFixture.make();
    const { identity, recipient } = await readIdentity(await makeKey(fixture));
    expect(fixture.written.stdout).toMatch(/^# millwright: recovery key of the site minimal\..*\n# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/);
    expect(fixture.written.stderr).not.toContain("AGE-SECRET-KEY");
    expect(Object.keys(await openSiteVault(fixture.site, "production", identity))).toContain("backup_files_key");
    expect(await readFile(join(fixture.site, "secrets/recipients.yaml"), "utf8")).toContain(`recovery: ${recipient}`);
  });

  it("is not replaced without a yes, and the one before opens nothing new", async () => {
    await using fixture = await SiteFixture.make();
    const old = await readIdentity(await makeKey(fixture));
    await expect(recoveryKeyCommand({}, fixture.context())).rejects.toMatchObject({ code: "ANSWER_MISSING" });
    await openSiteVault(fixture.site, "production", old.identity);
    await makeKey(fixture, "other.txt");
    await expect(openSiteVault(fixture.site, "production", old.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
  });

  it("stays when the vaults are encrypted anew for other operators", async () => {
    await using fixture = await SiteFixture.make();
    const { identity } = await readIdentity(await makeKey(fixture));
    expect((await secretsRekeyCommand({}, fixture.context())).text).toContain("ann and the recovery key");
    await openSiteVault(fixture.site, "production", identity);
  });

  it("is missed by check and secrets list as long as there is none", async () => {
    await using fixture = await SiteFixture.make();
    const said = async (): Promise<string> => (await checkCommand({}, fixture.context())).text + (await secretsListCommand({}, fixture.context())).text;
    expect((await said()).match(/millwright secrets recovery-key/g)).toHaveLength(2);
    await makeKey(fixture);
    expect(await said()).not.toContain("millwright secrets recovery-key");
    expect(await said()).toMatch(/recovery key +every vault +age1/);
  });
});

describe("a recovery key whose making was cut off", () => {
  it("is noticed by check and secrets list, and made again by the same command", async () => {
    await using fixture = await SiteFixture.make();
    const file = join(fixture.site, "secrets/recipients.yaml");
    const said = async (): Promise<string> => (await checkCommand({}, fixture.context())).text + (await secretsListCommand({}, fixture.context())).text;
    expect(await said()).not.toContain("cut off");
    await writeFile(file, `${await readFile(file, "utf8")}unfinished: true\n`);
    expect((await said()).match(/was cut off: .* Run `millwright secrets rekey`/g)).toHaveLength(2);
    await makeKey(fixture);
    expect(await said()).not.toContain("cut off");
  });
});

describe("the site folder on its way to the host", () => {
  function hostWith(calls: unknown[]): HostLink {
    return {
      call: async (verb, words, options) => {
        calls.push([verb, words, options?.payload]);
        return {};
      },
      channels: 0,
      [Symbol.asyncDispose]: async () => {},
    };
  }

  it("travels when the host has another one or none, and not when it has this one", async () => {
    await using fixture = await SiteFixture.make();
    const target = await loadTarget({}, fixture.context());
    const calls: [string, readonly string[], { readonly hash: string; readonly hasRecoveryKey: boolean }][] = [];
    const link = hostWith(calls);
    await bringSite(link, target, { siteKept: null }, fixture.context());
    expect(calls).toMatchObject([["site-keep", ["minimal-production"], { hasRecoveryKey: false }]]);
    const hash = calls[0]?.[2].hash;
    await bringSite(link, target, { siteKept: hash }, fixture.context());
    expect(calls).toHaveLength(1);

    await makeKey(fixture);
    await bringSite(link, target, { siteKept: hash }, fixture.context());
    expect(calls[1]).toMatchObject(["site-keep", ["minimal-production"], { hasRecoveryKey: true }]);
  });

  it("stays here where the host's agent is older and takes none", async () => {
    await using fixture = await SiteFixture.make();
    const calls: unknown[] = [];
    await bringSite(hostWith(calls), await loadTarget({}, fixture.context()), {}, fixture.context());
    expect(calls).toEqual([]);
  });
});
