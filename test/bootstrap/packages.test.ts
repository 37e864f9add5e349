import { describe, expect, it } from "vitest";
import { packageDatabaseKind } from "../../src/bootstrap/kinds/packages.ts";
import type { System } from "../../src/bootstrap/system.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

/** A host whose dpkg lock is held by the apt of a killed run, for so many seconds. */
function hostWithLock(seconds: number): { readonly system: System; readonly calls: string[] } {
  const clock = new FakeClock();
  const free = clock.now() + seconds * 1000;
  const calls: string[] = [];
  const shell: System["shell"] = {
    run: async ([program = ""]) => {
      calls.push(program);
      if (program !== "dpkg" || clock.now() >= free) return { code: 0, stdout: "", stderr: "" };
      return { code: 2, stdout: "", stderr: "dpkg: error: dpkg frontend lock was locked by another process with pid 42" };
    },
  };
  return { system: { shell, clock } as unknown as System, calls };
}

const RESOURCE = { kind: "package-database", group: "packages" } as const;

describe("finishing an installation that was cut off", () => {
  it("waits for the lock that the cut-off run's apt still holds", async () => {
    const { system, calls } = hostWithLock(20);
    await packageDatabaseKind.apply(RESOURCE, system);
    expect(calls.at(-1)).toBe("apt-get");
  });

  it("gives up on a lock that is never freed, and shows who holds it", async () => {
    const { system } = hostWithLock(100_000);
    await expect(packageDatabaseKind.apply(RESOURCE, system)).rejects.toMatchObject({ code: "BOOTSTRAP_FAILED", details: [expect.stringContaining("pid 42")] });
  });
});
