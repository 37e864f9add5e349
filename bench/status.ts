import * as z from "zod";
import { type Plant, STACK, dataOf } from "../test/live/plant.ts";
import { type Row, median, repeat, show, timed } from "./bench.ts";

const statusData = z.object({ channels: z.number() });

/** One look at a plant that serves: what it takes here, on the link and of the host's processors. */
export async function benchStatus(plant: Plant, runs: number): Promise<readonly Row[]> {
  const looks = await repeat(runs, async () => {
    const outcome = await plant.run("status");
    return { seconds: outcome.seconds, channels: statusData.parse(dataOf(outcome)).channels };
  });
  const plain = await repeat(runs, async () => timed(() => plant.ssh("admin", "sudo", "docker", "ps")));
  const own = await repeat(runs, () => processorSeconds(plant, `/opt/millwright/bin/agent verb status ${STACK}`));
  const docker = await repeat(runs, () => processorSeconds(plant, "docker ps"));
  return [
    {
      what: "`status`",
      ours: show(median(looks.map(({ seconds }) => seconds)), "s", 2),
      baseline: show(median(plain), "s", 2),
      against: "`ssh host docker ps`",
    },
    { what: "SSH channels of `status`", ours: String(median(looks.map(({ channels }) => channels))), baseline: "1", against: "the same" },
    {
      what: "processor time of the host for `status`",
      ours: show(median(own), "s", 2),
      baseline: show(median(docker), "s", 2),
      against: "`docker ps` on the host",
    },
  ];
}

/** User and system time of a command and its children, by the shell's own count. */
async function processorSeconds(plant: Plant, command: string): Promise<number> {
  const times = await plant.sh("bash", "-c", `TIMEFORMAT="%U %S"; { time ${command} > /dev/null; } 2>&1`);
  return times
    .split(/\s+/)
    .map(Number)
    .reduce((sum, seconds) => sum + seconds, 0);
}
