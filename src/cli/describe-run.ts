import { describeInstant, describeSeconds } from "./describe-time.ts";
import { canaryPercent, currentStep, type RunView, usersOn, watchName } from "./run-view.ts";

/** Puts text in a colour, on streams that have them. */
export type Paint = (colour: "blue" | "green" | "red" | "yellow" | "dim", text: string) => string;
export const noPaint: Paint = (_colour, text) => text;

const BAR = 24;
const LABEL = 9;

/** What a run does now, as lines for a live view: users, probes, traffic of both colours, how far it is, what comes next, how to leave it. Pure. */
export function describeRun(view: RunView, now: number, paint: Paint = noPaint): readonly string[] {
  const rows: readonly (readonly [label: string, text: string | undefined])[] = [
    ["users", describeUsers(view, paint)],
    ...(view.preview === undefined ? [] : describePreview(view.preview).map((text, index) => [index === 0 ? "preview" : "", text] as const)),
    ["probes", describeProbes(view, paint)],
    ...describeTraffic(view, paint).map((text, index) => [index === 0 ? "traffic" : "", text] as const),
    [nameProgress(view), describeProgress(view, now)],
    ["note", view.note?.text],
    ["next", describeNext(view)],
    ["", paint("dim", "Ctrl-C leaves, the run goes on: millwright follow. It is undone by: millwright abort")],
  ];
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [`${label.padEnd(LABEL)}${text}`]));
}

/** Which colour has the users, by sign and word as well as by colour. */
export function describeUsers(view: RunView, paint: Paint = noPaint): string | undefined {
  const swap = view.plan?.swap;
  if (swap === undefined) return undefined;
  const on = usersOn(view);
  const percent = canaryPercent(view);
  const places = [swap.from, swap.to].flatMap((place) => (place === undefined ? [] : [place]));
  return places
    .map(({ colour, release }) => {
      if (colour === on) return paint(colour, `● ${colour} ${release} has the users`);
      if (colour === view.preview?.colour) return paint(colour, `◐ ${colour} ${release} has the testers`);
      if (percent === undefined) return paint("dim", `○ ${colour} ${release}`);
      return paint(colour, `◐ ${colour} ${release} has ${percent} % of them`);
    })
    .join("   ");
}

/** Who is led to a release in its preview, and what it waits for. */
export function describePreview({ colour, link, header, until }: NonNullable<RunView["preview"]>): readonly string[] {
  const ways = link === undefined || header === undefined ? [] : [`opens  ${link}`, `sends  ${header}`];
  return [
    ...(ways.length === 0 ? [`${colour} was shown to testers`] : [`${colour} is shown to whoever`, ...ways]),
    `goes on by: millwright resume   goes back by: millwright abort, or by itself at ${describeInstant(until)}`,
  ];
}

/** The new colour's traffic since it has users, the old one's beside it in a canary, and the old one's before. */
export function describeTraffic(view: RunView, paint: Paint = noPaint): readonly string[] {
  if (view.traffic === undefined) return [];
  const { now, beside, before } = view.traffic;
  return [
    describeSide(now, canaryPercent(view) === undefined ? "since the switch" : "of this stage", paint),
    ...(beside === undefined ? [] : [describeSide(beside, "beside it", paint)]),
    ...(before === undefined ? [] : [describeSide(before, "before it", paint)]),
  ];
}

export function describeProbes({ probes }: RunView, paint: Paint = noPaint): string | undefined {
  if (probes === undefined) return undefined;
  const all = [...probes.last.values()];
  const passed = all.filter(({ verdict }) => verdict === "pass").length;
  const failing = all.filter(({ verdict }) => verdict === "fail").sort((a, b) => (a.at < b.at ? 1 : -1))[0];
  const count = `${probes.colour}: ${passed} of ${all.length} pass`;
  if (failing !== undefined) return paint("red", `${count}; ${failing.name}: ${failing.detail}`);
  return probes.failures === 0 ? count : `${count} again, after ${probes.failures} failures`;
}

type Side = NonNullable<RunView["traffic"]>["now"];

function describeSide({ colour, requests, seconds, errors, p95Milliseconds }: Side, when: string, paint: Paint = noPaint): string {
  const speed = p95Milliseconds === undefined ? "" : `, 95 of 100 within ${p95Milliseconds} ms`;
  const failed = errors === 0 ? "none failed" : paint("red", `${errors} failed`);
  return `${paint(colour, colour)}: ${requests} requests in ${describeSeconds(seconds * 1000)} ${when}, ${failed}${speed}`;
}

function nameProgress({ progress, preview }: RunView): string {
  if (preview !== undefined) return "waits";
  return (progress && watchName(progress.id)?.replace(/ .*/, "")) ?? "so far";
}

/** Seconds are counted down between two words of the host. */
function describeProgress({ progress }: RunView, now: number): string | undefined {
  if (progress === undefined) return undefined;
  const { done, total, unit, heard, longer } = progress;
  if (longer !== undefined) return `${done} of ${total ?? "?"} s, ${describeLonger(longer, now - heard)}`;
  if (total === undefined) return unit === "bytes" ? megabytes(done) : `${done} ${unit}`;
  const reached = Math.min(total, unit === "seconds" ? done + Math.max(0, Math.floor((now - heard) / 1000)) : done);
  const full = total === 0 ? BAR : Math.round((BAR * reached) / total);
  const bar = `${"█".repeat(full)}${"░".repeat(BAR - full)}`;
  switch (unit) {
    case "seconds":
      return `${bar} ${reached} of ${total} s, ${total - reached} s left`;
    case "bytes":
      return `${bar} ${megabytes(done)} of ${megabytes(total)}`;
    case "steps":
      return `${bar} ${done} of ${total}`;
  }
}

/** Of a watch that has had its time: how much more it may take, and why. */
export function describeLonger({ done, total, why }: NonNullable<NonNullable<RunView["progress"]>["longer"]>, milliseconds = 0): string {
  const reached = Math.min(total, done + Math.max(0, Math.floor(milliseconds / 1000)));
  return `longer by up to ${total} s, ${reached} s so far: ${why}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What the run does after the step under way; while it goes back, what it comes to. */
export function describeNext(view: RunView): string | undefined {
  const { steps, undos, plan } = view;
  if (undos.length > 0) {
    const from = plan?.swap?.from;
    return from === undefined ? "everything is as it was before" : `release ${from.release} serves as before, on ${from.colour}`;
  }
  const current = currentStep(view);
  const next = steps.slice(current === undefined ? 0 : steps.indexOf(current) + 1).find(({ state }) => state === "waiting");
  return next?.title ?? (steps.length === 0 ? undefined : "the run ends");
}
