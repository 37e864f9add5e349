import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { siteKeepVerb, siteKept } from "../../src/agent/verbs/site.ts";
import { readKeptSite } from "../../src/recovery/kept-site.ts";
import { type AgentHost, agentHost, STACK } from "./agent-host.ts";

const SENT = {
  hash: "a".repeat(64),
  hasRecoveryKey: true,
  archive: "-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n-----END AGE ENCRYPTED FILE-----\n",
};

async function send(host: AgentHost, payload: unknown): Promise<unknown> {
  return await siteKeepVerb(host.deps)({ args: { stack: STACK }, payload, who: "jo", events: { emit: () => {} }, signal: new AbortController().signal });
}

describe("a site folder that was sent", () => {
  it("is kept for the backups to come, and known by its hash from then on", async () => {
    await using host = await agentHost();
    expect(await siteKept(host.deps, STACK)).toBeNull();
    await send(host, SENT);
    expect(await siteKept(host.deps, STACK)).toBe(SENT.hash);
    expect(await readKeptSite(host.store.paths)).toMatchObject({ who: "jo", archive: SENT.archive });
    await send(host, { ...SENT, hash: "b".repeat(64) });
    expect(await siteKept(host.deps, STACK)).toBe("b".repeat(64));
  });

  it("is brought anew when what is kept cannot be read", async () => {
    await using host = await agentHost();
    await send(host, SENT);
    await writeFile(host.store.paths.site, "{");
    expect(await siteKept(host.deps, STACK)).toBeNull();
    await expect(readKeptSite(host.store.paths)).rejects.toMatchObject({ code: "STATE_DAMAGED", hint: expect.stringContaining("millwright deploy") });
  });

  it("is refused unless it is encrypted: it will lie in plain view", async () => {
    await using host = await agentHost();
    for (const archive of ["site.yaml", "", `${SENT.archive}password: x\n`]) {
      await expect(send(host, { ...SENT, archive })).rejects.toMatchObject({ code: "PAYLOAD_INVALID" });
    }
    expect(await siteKept(host.deps, STACK)).toBeNull();
  });
});
