import { quantileSeconds, type Traffic } from "../../swap/metrics.ts";
import { milliseconds } from "../../swap/rules/rule.ts";
import type { RunRecord } from "../run-record.ts";
import { describeSpan } from "./describe-span.ts";
import { type Markup, markup } from "./markup.ts";
import type { RunStory, StepStory } from "./run-story.ts";
import { clockOf } from "./scale.ts";
import { verdictTag } from "./verdict-tag.ts";
import { readSeries, type WatchSeries } from "./watch-series.ts";

/** The stages of a canary that were begun: how long each took, what both releases were asked in it, and its verdict. */
export function canarySection({ steps, swap }: RunStory, { stages }: Pick<RunRecord, "stages">): Markup | undefined {
  const begun = steps.filter(({ percent, did }) => percent !== undefined && did !== undefined);
  if (begun.length === 0 || swap === undefined) return undefined;
  const seen = new Map(stages.map(({ step, series }) => [step, readSeries(series)]));
  const { colour, from } = swap;
  return markup`<h2>Canary</h2>
<table>
<thead><tr><th scope="col">Share</th><th scope="col" class="number">From</th><th scope="col" class="number">Took</th><th scope="col">On ${colour}</th><th scope="col">On ${from?.serving.colour}</th><th scope="col">Verdict</th></tr></thead>
<tbody>
${begun.map((step) => stageRow(step, seen.get(step.id)))}</tbody>
</table>
`;
}

function stageRow({ percent, did, detail, state }: StepStory, series: WatchSeries | undefined): Markup {
  const last = series?.rounds.at(-1);
  const { verdict } = series ?? {};
  // Whoever aborts a stage, or cuts it off, ends it without a verdict.
  const judged =
    verdict === undefined
      ? `none: ${detail ?? state}`
      : [verdictTag(verdict.verdict), verdict.rule !== "none" && ` by the rule “${verdict.rule}”: ${verdict.detail}`];
  return markup`<tr><th scope="row">${percent} %</th><td class="number">${did && clockOf(did.from)}</td><td class="number">${did && describeSpan(did.to - did.from)}</td>
<td>${last?.traffic && inWords(last.traffic)}</td><td>${last?.old && inWords(last.old)}</td><td>${judged}</td></tr>
`;
}

function inWords(traffic: Traffic): string {
  const p95 = quantileSeconds(traffic, 0.95);
  return `${traffic.requests} requests, ${traffic.errors} of them 5xx${p95 === undefined ? "" : `, 95 of 100 within ${milliseconds(p95)}`}`;
}
