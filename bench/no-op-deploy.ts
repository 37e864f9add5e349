import * as z from "zod";
import { type Plant, STACK, dataOf } from "../test/live/plant.ts";
import { type Row, median, repeat, show, timed } from "./bench.ts";

const deployData = z.object({ channels: z.number() });

/** A deploy that finds everything as it should be. */
export async function benchNoOpDeploy(plant: Plant, runs: number): Promise<readonly Row[]> {
  const deploys = await repeat(runs, async () => {
    const outcome = await plant.run("deploy", "--yes");
    return { seconds: outcome.seconds, channels: deployData.parse(dataOf(outcome)).channels, bytes: outcome.peakBytes };
  });
  const plain = await repeat(runs, async () =>
    timed(() => plant.ssh("admin", "sudo", "docker", "compose", "-f", `/srv/millwright/${STACK}/platform/compose.yaml`, "up", "-d")),
  );
  return [
    {
      what: "`deploy` with nothing to do",
      ours: show(median(deploys.map((deploy) => deploy.seconds)), "s", 2),
      baseline: show(median(plain), "s", 2),
      against: "`ssh host docker compose up -d` of the same platform",
    },
    { what: "SSH channels of that deploy", ours: String(median(deploys.map((deploy) => deploy.channels))), baseline: "1", against: "the same" },
    {
      what: "memory of the operator's process, `deploy`",
      ours: show(median(deploys.map((deploy) => deploy.bytes)) / 1024 ** 2, "MiB"),
      baseline: "",
      against: "",
    },
  ];
}
