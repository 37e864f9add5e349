import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { builderDocker, type LabHost, labHost } from "../lab/lab.ts";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./fixture-release.ts";
import { DOMAIN, ENVIRONMENT, type Plant, createPlant, errorOf, fingerprintOf } from "./plant.ts";
import { story } from "./steps.ts";

describe("a plant without internet behind a jump host", () => {
  let jump: LabHost;
  let plant: Plant;
  const step = story(() => plant);
  /** What the host itself sees at its front door: nobody else reaches it. */
  const shown = (): Promise<string> => plant.sh("curl", "--silent", "--insecure", "--resolve", `${DOMAIN}:443:127.0.0.1`, `https://${DOMAIN}/plant/version`);

  beforeAll(async () => {
    jump = await labHost(`jump-${process.pid}`, { template: "bare" });
    plant = await createPlant({
      host: "inner",
      template: "loaded",
      onlyVia: jump,
      trust: false,
      site: { [`environments.${ENVIRONMENT}.host.jump`]: { address: jump.address, user: jump.user } },
    });
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
    await jump?.destroy();
  });

  step("a jump host that is not pinned is not trusted", async () => {
    expect(errorOf(await plant.run("host", "trust", "--fingerprint", fingerprintOf(plant.host.hostKey))).code).toBe("ANSWER_MISSING");
    // As a person does who has the key from elsewhere.
    await appendFile(join(plant.directory, "known_hosts"), `${jump.address} ${jump.hostKey}\n`);
  });

  step("a wrong fingerprint pins nothing", async () => {
    const outcome = await plant.run(
      "host",
      "trust",
      "--fingerprint",
      fingerprintOf("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBlR8qgC3sBTVXRbJBiXTuKW0Mxzz8gBtVbaVnS6n0v5"),
    );
    expect({ code: outcome.code, after: errorOf(await plant.run("status")).code }).toEqual({ code: 4, after: "HOST_KEY_UNKNOWN" });
  });

  step("the host's key is pinned through the jump host", async () => {
    await plant.must("host", "trust", "--fingerprint", fingerprintOf(plant.host.hostKey));
    // It lets us in now; that it has no agent yet is all it says.
    expect(errorOf(await plant.run("host", "check")).code).toBe("AGENT_MISSING");
  });

  step("bootstrap and deploy go through the jump host, and nothing is fetched from the internet", async () => {
    await plant.bootstrap();
    await plant.must("lock");
    await plant.must("deploy", "--yes", "--docker", await builderDocker());
    const health = await eventually(async () => (await plant.sh("docker", "ps", "--filter", "health=healthy", "--quiet")).split("\n").length, {
      what: "healthy services",
    });
    expect(health).toBeGreaterThan(0);
  });

  step("the database's image came with pgBackRest from the operator's own Docker: the host had nothing left to make", async () => {
    const { events } = await plant.lastRun();
    const made = events.filter(({ id, state }) => id?.startsWith("derive:") === true && state === "done");
    expect(made.map(({ detail }) => detail)).toEqual(["there already"]);
    expect(await plant.sh("docker", "exec", "--user", "postgres", `${plant.stack}-database-1`, "pgbackrest", "version")).toMatch(/^pgBackRest 2\.\d+/);
  });

  step("releases go through it from the operator's own Docker, and one is swapped for the next", async () => {
    const docker = await builderDocker();
    for (const fixture of [FIXTURES.first, FIXTURES.good]) {
      const release = await plant.release(fixture, "--docker", docker);
      await plant.must("release", "push", release, "--docker", docker);
      await plant.must("upgrade", "--release", release, "--yes");
    }
    expect(await shown()).toBe(`release ${FIXTURES.good}`);
    expect(await plant.coloursUp()).toEqual(["green/cron", "green/web"]);
  });

  step("new settings leave the way back to the release before as it was", async () => {
    await plant.configure({ "swap.cron": "6min" });
    await plant.must("deploy", "--yes");
    expect(await shown()).toBe(`release ${FIXTURES.good}`);
    await plant.must("rollback", "--yes");
    expect(await shown()).toBe(`release ${FIXTURES.first}`);
    expect(await plant.coloursUp()).toEqual(["green/cron", "green/web"]);
  });

  step("a jump host that is off is named as the cause", async () => {
    await jump.powerCut();
    const outcome = await plant.run("plan");
    const error = errorOf(outcome);
    expect({ code: outcome.code, error: error.code, names: JSON.stringify(error).includes(jump.address) }).toEqual({
      code: 4,
      error: "HOST_UNREACHABLE",
      names: true,
    });
  });
});
