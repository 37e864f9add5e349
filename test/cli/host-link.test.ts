import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CliContext } from "../../src/cli/context.ts";
import { deployKeys } from "../../src/cli/host-link.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFqw1vWIpG2tP0qHxzC+nyowAMxoNFiu9T1RgBuI16m4";
const context = { user: "Anna Müller", environment: {}, home: "/nowhere" } as unknown as CliContext;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-keys-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function named(text: string): Promise<ReturnType<typeof deployKeys>> {
  await writeFile(join(folder, "key"), text);
  return await deployKeys([join(folder, "key")], {}, context);
}

describe("a key that may deploy", () => {
  it("is named by its comment, or by the account, in letters that sudoers and the journal can hold", async () => {
    expect(await named(`${KEY} Jo Smith@Laptop\n`)).toEqual([{ name: "jo", key: KEY }]);
    expect(await named(`${KEY}\n`)).toEqual([{ name: "anna-m-ller", key: KEY }]);
  });

  it.each(["-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n", "ssh-ed25519 AAAA\n", "", `command="sh" ${KEY}\n`])(
    "is refused, and nothing of it repeated, when the file holds another thing: %j",
    async (text) => {
      const refusal: unknown = await named(text).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: "KEY_UNUSABLE", subject: join(folder, "key") });
      expect(String(refusal)).not.toContain("b3Blbn");
    },
  );
});
