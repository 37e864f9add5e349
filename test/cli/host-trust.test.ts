import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostTrustCommand } from "../../src/cli/commands/host-trust.ts";
import { fingerprint } from "../../src/site/host-key.ts";
import { lacksSshd, type Sshd, startSshd } from "../remote/sshd.ts";
import { SiteFixture } from "./site-fixture.ts";

function printOf({ hostKeys }: Sshd): string {
  return fingerprint(Buffer.from(hostKeys[0]?.publicLine.split(" ")[1] ?? "", "base64"));
}

/** A site whose host is reached through another one. */
async function behind(jump: Sshd, inner: Sshd): Promise<SiteFixture> {
  const fixture = await SiteFixture.make();
  const file = join(fixture.site, "site.yaml");
  const way = `address: 127.0.0.1\n      port: ${inner.port}\n      jump: { address: 127.0.0.1, port: ${jump.port}, user: ${jump.user} }`;
  await writeFile(file, (await readFile(file, "utf8")).replace("address: 192.0.2.10", way));
  return fixture;
}

describe.skipIf(lacksSshd)("trusting a host behind a jump host without a terminal", () => {
  it("names the flag of the key that nobody has compared yet, and pins both by their flags", async () => {
    await using jump = await startSshd();
    await using inner = await startSshd();
    await using fixture = await behind(jump, inner);
    const identity = [jump.key.file];
    const hop = { fingerprint: printOf(inner), jumpFingerprint: printOf(jump) };
    const trust = async (options: Parameters<typeof hostTrustCommand>[0]) => await hostTrustCommand({ identity, ...options }, fixture.context());
    const missing = { code: "ANSWER_MISSING", subject: `127.0.0.1:${jump.port}`, hint: `Pass --jump-fingerprint ${hop.jumpFingerprint} if that is right.` };
    await expect(trust({ fingerprint: hop.fingerprint })).rejects.toMatchObject(missing);
    await expect(trust({ ...hop, jumpFingerprint: hop.fingerprint })).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
    expect((await trust(hop)).data).toMatchObject({ pinned: [{ added: true }, { host: `127.0.0.1:${inner.port}`, added: true }] });
  });
});

describe("trusting a host that is reached directly", () => {
  it("refuses the jump host's flag where there is none", async () => {
    await using fixture = await SiteFixture.make();
    await expect(hostTrustCommand({ jumpFingerprint: "SHA256:x" }, fixture.context())).rejects.toMatchObject({ code: "USAGE" });
  });
});
