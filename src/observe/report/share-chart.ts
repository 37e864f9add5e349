import type { Chart, Point } from "./chart.ts";
import type { RunStory } from "./run-story.ts";

/** How many of 100 browsers were on the new colour, of a run that moved them in stages. */
export function shareChart({ moments, seconds, swap }: RunStory): readonly Chart[] {
  if (swap === undefined || !moments.some(({ name }) => name === "stage")) return [];
  const points: Point[] = [{ at: 0, value: 0 }];
  const change = (at: number, value: number): void => void points.push({ at, value: points.at(-1)?.value ?? 0 }, { at, value });
  for (const moment of moments) {
    switch (moment.name) {
      case "stage":
        change(moment.at, moment.percent);
        break;
      case "switch":
        change(moment.at, 100);
        break;
      case "back":
        change(moment.at, 0);
        break;
      case "decision":
      case "again":
        break;
    }
  }
  points.push({ at: seconds, value: points.at(-1)?.value ?? 0 });
  return [
    {
      id: "share",
      title: "Browsers on the new release",
      about: `How many of 100 browsers were led to ${swap.colour}: stage by stage of the canary, and all of them with the switch.`,
      unit: "%",
      lines: [{ name: swap.colour, look: swap.colour, points }],
      references: [],
      faults: [],
    },
  ];
}
