import type { RunRecord } from "../run-record.ts";
import { canarySection } from "./canary-section.ts";
import { definitions } from "./definitions.ts";
import { describeSpan } from "./describe-span.ts";
import { evidenceSection } from "./evidence-section.ts";
import { journalSection } from "./journal-section.ts";
import { lineChart } from "./line-chart.ts";
import { Markup, markup } from "./markup.ts";
import { measure } from "./measures.ts";
import { type Moment, type RunStory, tellRun } from "./run-story.ts";
import { clockOf } from "./scale.ts";
import { CONTENT_POLICY, STYLE } from "./style.ts";
import { timeline } from "./timeline.ts";
import { versionsSection } from "./versions-section.ts";

const OUTCOMES: Readonly<Record<RunStory["outcome"], readonly [sign: string, word: string]>> = {
  done: ["✔", "Done."],
  undone: ["↩", "Taken back."],
  failed: ["✘", "Could not be undone: a person is needed."],
  open: ["…", "Not ended."],
};
const MOMENTS: Readonly<Record<Exclude<Moment["name"], "stage">, string>> = {
  switch: "users were switched",
  decision: "decision: from here on a cut-off run went forward",
  back: "users were back on the old release",
  again: "the run was taken up again after a cut",
};

/** A run as one HTML page that needs nothing beside it: no script, no request, readable on paper and without colours. Pure. */
export function reportPage(record: RunRecord): string {
  const story = tellRun(record);
  const [sign, word] = OUTCOMES[story.outcome];
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(CONTENT_POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${record.plan.stack}: ${record.plan.kind} ${record.run}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<header class="${story.outcome}">
<h1><span aria-hidden="true">${sign}</span> ${record.plan.purpose}</h1>
<p><strong>${word}</strong> ${story.summary}</p>
${errorOf(story)}</header>
${facts(record, story)}<h2>Steps and probes</h2>
${moments(story)}${timeline(story)}
${canarySection(story, record)}${measured(story, record)}${notes(story)}${evidenceSection(record.evidence)}${versionsSection(record, story)}${journalSection(record)}
<footer class="faint">
<p>Written by millwright ${record.agent} from what ${record.host} had kept at ${record.at}.${leftOut(record)}</p>
</footer>
</main>
</body>
</html>
`.text;
}

function errorOf({ error }: RunStory): Markup | undefined {
  if (error === undefined) return undefined;
  const { code, message, details, hint } = error;
  return markup`<p>${message} <span class="tag">${code}</span></p>
${details && markup`<pre>${details.join("\n")}</pre>\n`}${hint && markup`<p>Next: ${hint}</p>\n`}`;
}

function facts({ run, plan, host, who }: RunRecord, { began, seconds, swap, probes }: RunStory): Markup {
  const failed = probes.filter(({ verdict }) => verdict === "fail").length;
  const from = swap?.from;
  return definitions([
    ["Run", `${run}, a ${plan.kind} of ${plan.stack} on ${host}`],
    ["By", who],
    ["Began", began],
    ["Took", describeSpan(seconds)],
    ["From", swap && (from === undefined ? "no release" : `${from.release.id} on ${from.serving.colour}`)],
    ["To", swap && `${swap.release.id} on ${swap.colour}`],
    ["Probes", `asked ${probes.length} times, failed ${failed} times`],
  ]);
}

function moments({ moments: all }: RunStory): Markup | undefined {
  if (all.length === 0) return undefined;
  const said = all.map((moment, index) => {
    const what = moment.name === "stage" ? `${moment.percent} of 100 browsers were led to the new release` : MOMENTS[moment.name];
    return markup`${index > 0 && " · "}<strong>${clockOf(moment.at)}</strong> ${what}`;
  });
  return markup`<p>${said}</p>
<p class="faint">Upright dashed lines are these moments. A full bar was done, an empty one with a ✘ failed, a low dashed one was undone.</p>
`;
}

function measured(story: RunStory, record: RunRecord): Markup | undefined {
  const charts = measure(story, record);
  if (charts.length === 0) return undefined;
  return markup`<h2>Measured</h2>
<p class="faint">Over the time of the run. Blue is a solid line with circles, green a dashed one with squares; a ✘ below is a failure.</p>
${charts.map((chart) => markup`<figure><figcaption>${chart.title}</figcaption>${lineChart(chart, story.seconds, story.moments)}<p class="faint">${chart.about}</p></figure>\n`)}`;
}

function notes({ notes: all }: RunStory): Markup | undefined {
  if (all.length === 0) return undefined;
  const rows = all.map(({ at, level, text }) => {
    const tag = level === "warning" && markup`<span class="tag">warning</span> `;
    return markup`<tr><td class="number">${clockOf(at)}</td><td>${tag}${text}</td></tr>\n`;
  });
  return markup`<h2>Notes</h2>\n<table><tbody>\n${rows}</tbody></table>\n`;
}

function leftOut({ leftOut: all }: RunRecord): string {
  return all.length === 0 ? "" : ` Left out for its size: ${all.join("; ")}.`;
}
