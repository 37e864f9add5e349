import { setTimeout as wait } from "node:timers/promises";
import { eventually } from "../eventually.ts";
import { type Plant, STACK } from "../plant.ts";

/** Something that dies in the midst of a swap, for real. */
export interface Fault {
  readonly name: string;
  /**
   * Makes it happen and waits until what died is back by itself, or mends what only a person can. Resolves at the moment from which on users
   * must be served without fail; undefined when they must never notice.
   */
  readonly strike: (plant: Plant) => Promise<number | undefined>;
}

const LEFT_BYTES = 64 * 1024 ** 2;
const HELD_MILLISECONDS = 4000;

export const FAULTS: readonly Fault[] = [
  {
    name: "agent killed",
    strike: async (plant) => {
      // It may have ended in the meantime: then there is nothing to kill, which is a fine moment as well.
      const pid = await plant.runPid();
      if (pid !== undefined) await plant.host.sh(["kill", "-9", String(pid)]);
      return undefined;
    },
  },
  {
    name: "link dropped",
    strike: async (plant) => {
      await plant.sh("nft", "add table inet outage; add chain inet outage in { type filter hook input priority -300; tcp dport 22 drop; }");
      await plant.host.sh(["pkill", "-KILL", "-u", "deploy"]);
      await wait(HELD_MILLISECONDS);
      await plant.sh("nft", "delete table inet outage");
      return undefined;
    },
  },
  {
    name: "power cut",
    strike: async (plant) => {
      await plant.host.powerCut();
      await plant.host.powerOn();
      return await back(plant, "the plant after the power cut");
    },
  },
  {
    name: "engine restarted",
    strike: async (plant) => {
      await plant.sh("systemctl", "restart", "docker.service");
      // Its name service starts with it: until then the proxy cannot look up where to go.
      return await back(plant, "the plant after the engine's restart");
    },
  },
  {
    name: "proxy killed",
    strike: async (plant) => {
      await killMain(plant, "edge");
      return await back(plant, "the proxy");
    },
  },
  {
    name: "database killed",
    strike: async (plant) => {
      await killMain(plant, "database");
      return await back(plant, "the database");
    },
  },
  {
    name: "disk full",
    strike: async (plant) => {
      const free = Number(await plant.sh("sh", "-c", "df --output=avail --block-size=1 /srv | tail -1"));
      // All of it at once would fail when somebody has written meanwhile; what is left is taken byte by byte.
      await plant.host.sh(["sh", "-c", `fallocate --length ${free - LEFT_BYTES} /srv/filler && cat /dev/zero > /srv/filler2 2>/dev/null`]);
      await wait(HELD_MILLISECONDS);
      await plant.sh("rm", "--force", "/srv/filler", "/srv/filler2");
      return await back(plant, "the plant after the disk was full");
    },
  },
];

/** Kills a service's first process as the kernel would: to the engine the container died, and nobody stopped it. */
async function killMain(plant: Plant, service: string): Promise<void> {
  const [id = ""] = (
    await plant.sh(
      "docker",
      "ps",
      "--quiet",
      "--filter",
      `label=com.docker.compose.project=${STACK}`,
      "--filter",
      `label=com.docker.compose.service=${service}`,
    )
  ).split("\n");
  const pid = await plant.sh("docker", "inspect", "--format", "{{.State.Pid}}", id);
  await plant.sh("kill", "-9", pid);
}

/** The moment at which the login page, which asks the database too, has answered three times in a row. */
async function back(plant: Plant, what: string): Promise<number> {
  let row = 0;
  await eventually(
    async () => {
      const good = await plant.https("/web/login").then(
        (page) => page.status === 200,
        () => false,
      );
      row = good ? row + 1 : 0;
      return row === 3;
    },
    { timeout: 120_000, every: 100, what },
  );
  return Date.now();
}
