import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { RunView } from "../kernel/run-plan.ts";
import { containerOf, lastLogLines } from "./colour-view.ts";
import { SeriesFile, writeEvidence } from "./evidence.ts";
import type { BakeSeries, Round, Verdict } from "./series.ts";
import type { SwapContext } from "./swap-context.ts";
import { syntheticNeed } from "./synthetic-need.ts";
import { trafficEvent } from "./traffic-event.ts";
import { judgeBake, judgeContainers } from "./verdict.ts";
import { BakeWatch, type Watch } from "./watch-bake.ts";

const LOOK_MILLISECONDS = 1000;

/** A watch as it is written down and told. */
interface NamedWatch extends Watch {
  /** Id of the step, which names its evidence. */
  readonly step: string;
  /** Name of its series, without the ending. */
  readonly series: string;
  /** As in "lost its bake". */
  readonly what: string;
}

export interface Watched {
  readonly summary: string;
  readonly evidence: string;
  readonly verdict: Verdict;
}

/** Watches a new colour that has users until the rules say that it may stay. Throws RELEASE_UNHEALTHY as soon as one is broken. */
export async function watchRelease(context: SwapContext, run: RunView, named: NamedWatch): Promise<Watched> {
  const { clock } = context;
  const { policy, baseline, before, since } = named;
  using watch = new BakeWatch(context, named);
  using file = await SeriesFile.open(context, named.series);
  const { colour, release } = context;
  const compared = baseline === undefined ? {} : { baseline };
  file.append({ kind: "begun", version: 1, at: timestamp(clock), since: new Date(since).toISOString(), colour, release: release.id, ...compared });
  const rounds: Round[] = [];
  const told = new Set<string>();
  for (;;) {
    const round = await watch.round();
    rounds.push(round);
    file.append({ kind: "round", ...round });
    const series = { before, baseline, rounds };
    let verdict = judgeBake(policy, series);
    tell(context, policy, verdict, told);
    showTraffic(context, { colour: context.colour, round, switchedAt: since, baseline });
    showProgress(context, named, round.seconds, verdict);
    if (verdict.verdict === "pass") {
      const evidence = await keep(context, named, watch, file, verdict);
      return { summary: verdict.detail, evidence, verdict };
    }
    if (verdict.verdict === "unknown") {
      watch.sendSynthetic(syntheticNeed(policy, series));
      const broken = await brokenMeanwhile(context, run, watch, policy, series);
      if (broken !== undefined) {
        // What decided is in the series, as it would be of a round.
        file.append({ kind: "round", ...broken.round });
        verdict = broken.verdict;
      }
    }
    if (verdict.verdict === "fail") throw await lost(context, named, watch, file, verdict);
  }
}

/** Waits for the next round with an eye on the containers: one that dies ends the watch within a second. */
async function brokenMeanwhile(
  context: SwapContext,
  run: RunView,
  watch: BakeWatch,
  policy: Watch["policy"],
  series: BakeSeries,
): Promise<{ readonly verdict: Verdict; readonly round: Round } | undefined> {
  const { clock } = context;
  const last = series.rounds.at(-1);
  const next = clock.now() + policy.probeSeconds * 1000;
  while (clock.now() < next) {
    await clock.sleep(Math.min(LOOK_MILLISECONDS, next - clock.now()), run.signal);
    if (last === undefined) continue;
    const round = { ...last, at: timestamp(clock), seconds: watch.seconds, containers: [...(await watch.containers())] };
    const verdict = judgeContainers(policy, { ...series, rounds: [...series.rounds, round] });
    if (verdict !== undefined) return { verdict, round };
  }
  return undefined;
}

/** Each thing worth a word is told once, when it is first seen. */
function tell(context: SwapContext, policy: Watch["policy"], verdict: Verdict, told: Set<string>): void {
  const { rule: open, detail, notes } = verdict;
  const longer = `Watched for up to ${policy.rules.extendSeconds} s longer: ${detail}.`;
  for (const { rule, about, level, text } of [
    ...notes,
    ...(isLonger(verdict) ? [{ rule: open, about: "longer", level: "info" as const, text: longer }] : []),
  ]) {
    const key = `${rule}: ${about}`;
    if (told.has(key)) continue;
    told.add(key);
    context.events.emit({ kind: "note", at: timestamp(context.clock), level, text });
  }
}

function showProgress(context: SwapContext, { policy, step }: NamedWatch, seconds: number, verdict: Verdict): void {
  const { bakeSeconds: total, rules } = policy;
  const whole = Math.floor(seconds);
  const longer = isLonger(verdict) ? { longer: { done: Math.max(0, whole - total), total: rules.extendSeconds, why: verdict.detail } } : {};
  context.events.emit({ kind: "progress", at: timestamp(context.clock), id: step, done: Math.min(whole, total), total, unit: "seconds", ...longer });
}

/** A rule that is still open keeps a watch going that has had its time. */
function isLonger({ verdict, rule }: Verdict): boolean {
  return verdict === "unknown" && rule !== "time";
}

function showTraffic(context: SwapContext, watched: Parameters<typeof trafficEvent>[0]): void {
  const event = trafficEvent(watched);
  if (event !== undefined) context.events.emit(event);
}

async function keep(context: SwapContext, { step }: NamedWatch, watch: BakeWatch, file: SeriesFile, verdict: Verdict): Promise<string> {
  file.append({ kind: "verdict", at: timestamp(context.clock), verdict });
  const { colour, release } = context;
  return await writeEvidence(context, step, { colour, release: release.id, verdict, series: file.path, ...watch.evidence });
}

async function lost(context: SwapContext, named: NamedWatch, watch: BakeWatch, file: SeriesFile, verdict: Verdict): Promise<MillwrightError> {
  const evidence = await keep(context, named, watch, file, verdict);
  const container = verdict.service === undefined ? undefined : await containerOf(context, context.colour, verdict.service === "cron" ? "cron" : "web");
  const log = container === undefined ? [] : await lastLogLines(context, container);
  return new MillwrightError("RELEASE_UNHEALTHY", `Release ${context.release.id} lost its ${named.what} by the rule \`${verdict.rule}\`: ${verdict.detail}.`, {
    subject: context.colour,
    details: [...verdict.notes.map(({ text }) => text), ...log, `Evidence on the host: ${evidence}`],
    hint: "The release before serves again. Mend the release, build a new one, and upgrade to that.",
  });
}
