import { servingSchema } from "../../../../src/swap/serving.ts";
import { trafficPath } from "../../../../src/swap/write-traffic.ts";
import { ledTo } from "../../../fakes/led-to.ts";
import type { Machine } from "../machine.ts";
import type { Rest } from "../rest.ts";

/** Watches a machine for a preview that leads others than testers, or with which scheduled jobs of the new release run; returns what it has seen. */
export function watchPreviews(machine: Machine): readonly string[] {
  const seen: string[] = [];
  const path = trafficPath(machine.paths);
  machine.disk.watchers.add((changed) => {
    const routes = changed === path ? (machine.disk.text(path) ?? "") : "";
    if (!routes.includes("millwright-preview")) return;
    const { colour } = servingSchema.parse(JSON.parse(machine.disk.text(`${machine.paths.state}/serving.json`) ?? "{}"));
    for (const headers of [{}, { "X-Millwright-Preview": "0".repeat(32) }, { Cookie: "millwright-preview-run=0" }]) {
      const led = ledTo(routes, headers)?.colour;
      if (led !== colour) seen.push(`in a preview who sends ${JSON.stringify(headers)} was led to ${led ?? "nobody"}, and ${colour} serves`);
    }
  });
  return seen;
}

/** A preview was gone on from only by the word of somebody who asked for that, and none is open any more. */
export function previewsAreOver({ machine, journal, asked }: Rest): readonly string[] {
  const wrong = machine.disk.listing().flatMap(([path]) => (path.endsWith("/preview.json") ? [`${path} is left over`] : []));
  for (const { run, detail } of journal.filter(({ step, kind }) => step === "preview" && kind === "done")) {
    const who = String(detail["by"]);
    if (asked.get(who) !== "resume") wrong.push(`run ${run} went on from its preview by the word of ${who}, who asked for ${asked.get(who) ?? "nothing"}`);
  }
  return wrong;
}
