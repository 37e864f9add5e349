import * as z from "zod";
import { parseJson } from "../../kernel/parse-json.ts";
import type { RunRecord } from "../run-record.ts";
import { quantileSeconds } from "../../swap/metrics.ts";
import { type Baseline, baselineSchema } from "../../swap/series.ts";
import { definitions } from "./definitions.ts";
import { describeSpan } from "./describe-span.ts";
import { type Markup, markup } from "./markup.ts";
import { verdictTag } from "./verdict-tag.ts";

type Evidence = RunRecord["evidence"][number];

const verdictSchema = z.object({
  verdict: z.object({
    verdict: z.string(),
    rule: z.string(),
    detail: z.string(),
    numbers: z.record(z.string(), z.number()).default({}),
    notes: z.array(z.object({ text: z.string() })).default([]),
  }),
});
const findingSchema = z.object({ verdict: z.string(), detail: z.string() });
const resultsSchema = z.object({ results: z.array(findingSchema.extend({ name: z.string(), milliseconds: z.number() })) });
const linesSchema = z.array(z.string());

/** In the order in which they come in a swap. */
const TITLES: readonly (readonly [name: RegExp, title: string])[] = [
  [/^baseline$/, "The old release, before anything was begun"],
  [/^warm$/, "Before anyone was moved"],
  [/^check$/, "Before anyone was moved back"],
  [/^canary-(\d+)$/, "The canary at $1 %"],
  [/^front$/, "Through the front door, after the switch"],
  [/^bake$/, "The bake"],
  [/^cut-(\w+)$/, "Requests to $1 that were cut off"],
  [/^log-(\w+)-(\w+)$/, "Last log lines of $1 $2"],
];

/** Each verdict in words, then all that it rests on as the host has kept it. */
export function evidenceSection(evidence: readonly Evidence[]): Markup | undefined {
  if (evidence.length === 0) return undefined;
  return markup`<h2>Verdicts and their evidence</h2>
${inOrder(evidence).map(one)}`;
}

/** What this version does not know comes last. */
function inOrder(evidence: readonly Evidence[]): readonly Evidence[] {
  const place = ({ name }: Evidence): number => {
    const index = TITLES.findIndex(([known]) => known.test(name));
    return index === -1 ? TITLES.length : index;
  };
  return [...evidence].sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name, "en", { numeric: true }));
}

function one({ name, text }: Evidence): Markup {
  const data = parseJson(text);
  return markup`<h3>${titleOf(name)}</h3>
${inWords(data)}<details><summary>evidence/${name}.json</summary><pre>${pretty(data, text)}</pre></details>
`;
}

function titleOf(name: string): string {
  const known = TITLES.find(([pattern]) => pattern.test(name));
  return known === undefined ? name : name.replace(...known);
}

const SOURCES: Readonly<Record<Baseline["source"], string>> = {
  prometheus: "Prometheus",
  proxy: "all that the proxy had counted since its start",
  run: "the run itself, until the switch",
};

function baselineInWords({ release, colour, source, seconds, traffic, failing, memory }: Baseline): Markup {
  const p95 = traffic === undefined ? undefined : quantileSeconds(traffic, 0.95);
  return definitions([
    ["Release", `${release} on ${colour}`],
    ["By", SOURCES[source]],
    ["Over", describeSpan(seconds)],
    ["Requests", traffic && `${traffic.requests}, ${traffic.errors} of them answered 5xx`],
    ["95 of 100 within", p95 !== undefined && `${Math.round(p95 * 1000)} ms`],
    ["Memory", memory && `${Math.round(memory.usedBytes / 1024 ** 2)} of ${Math.round(memory.limitBytes / 1024 ** 2)} MiB`],
    ["Failing already", failing.length > 0 && failing.map(({ name, detail }) => `${name}: ${detail}`).join("; ")],
  ]);
}

function inWords(data: unknown): Markup | undefined {
  const judged = verdictSchema.safeParse(data).data?.verdict;
  if (judged !== undefined) {
    const rule = judged.rule === "none" ? "no rule is broken" : `by the rule “${judged.rule}”`;
    return markup`<p>${verdictTag(judged.verdict)} ${rule}: ${judged.detail}</p>
${judged.notes.map(({ text }) => markup`<p>${text}</p>\n`)}${definitions(
      Object.entries(judged.numbers).map(([name, value]) => [words(name), Number(value.toFixed(4))]),
      "numbers",
    )}`;
  }
  const results = resultsSchema.safeParse(data).data?.results;
  if (results !== undefined) return markup`<table><tbody>\n${results.map(resultRow)}</tbody></table>\n`;
  const baseline = baselineSchema.safeParse(data).data;
  if (baseline !== undefined) return baselineInWords(baseline);
  const finding = findingSchema.safeParse(data).data;
  return finding && markup`<p>${verdictTag(finding.verdict)} ${finding.detail}</p>\n`;
}

function resultRow({ verdict, name, detail, milliseconds }: z.infer<typeof resultsSchema>["results"][number]): Markup {
  return markup`<tr><td>${verdictTag(verdict)}</td><td>${name}</td><td>${detail}</td><td class="number">${milliseconds} ms</td></tr>\n`;
}

/** `oldErrorShare` → `old error share`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function pretty(data: unknown, text: string): string {
  const lines = linesSchema.safeParse(data).data;
  if (lines !== undefined) return lines.join("\n");
  return data === undefined ? text : JSON.stringify(data, null, 2);
}
