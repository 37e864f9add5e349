import { type ProbeHistory, probeHistory } from "../probe-history.ts";
import type { BakeSeries, Note, Round } from "../series.ts";
import { HOLDS, type Rule } from "./rule.ts";

type Look = Round["probes"][number];

/** A probe that fails again and again takes the release back, unless the old release failed it as well and the new one has never mended it. */
export const probesRule: Rule = (policy, series) => {
  const rules = policy.rules.probes;
  const failing: string[] = [];
  const open: string[] = [];
  const notes: Note[] = [];
  const note = (about: string, text: string): void => void notes.push({ rule: "probes", about, level: "warning", text });
  for (const [name, looks] of looksByProbe(series.rounds)) {
    const before = series.baseline?.failing.find((probe) => probe.name === name);
    const counted = before === undefined ? looks : sinceMended(looks, rules.passAfter);
    const history = probeHistory(
      counted.map(({ verdict }) => verdict),
      rules,
    );
    const last = looks.findLast(({ verdict }) => verdict === "fail")?.detail ?? "";
    if (before !== undefined && counted.length === 0) {
      const failures = looks.filter(({ verdict }) => verdict === "fail").length;
      note(
        `${name} before`,
        `${name} failed ${failures} of ${looks.length} times, and does not count: the old release had failed it before the swap (${before.detail})`,
      );
      continue;
    }
    if (before !== undefined) note(`${name} mended`, `${name} passes, which the old release had failed (${before.detail})`);
    if (history.isFlapping)
      note(
        `${name} flaps`,
        `${name} flaps: it changed ${history.changes} times in its last ${Math.min(rules.window, history.looks)} looks; last failure: ${last}`,
      );
    else if (history.failures > 0) note(name, `${name} failed ${history.failures} of ${history.looks} times, last: ${last}`);
    if (history.state === "failing")
      failing.push(`${name} failed ${history.failedRow > 1 ? `${history.failedRow} times in a row` : "again and again"}, last: ${last}`);
    else if (history.state === "unsettled" || history.isFlapping) open.push(`${name} ${whyOpen(history)}, last failure: ${last}`);
  }
  if (failing.length > 0) return { verdict: "fail", detail: failing.join("; "), notes };
  if (open.length > 0) return { verdict: "unknown", detail: open.join("; "), otherwise: "fail", notes };
  return { ...HOLDS, notes };
};

/** The looks since a probe first passed often enough in a row: what the new release can do is its own from then on. */
function sinceMended(looks: readonly Look[], passAfter: number): readonly Look[] {
  let row = 0;
  const index = looks.findIndex(({ verdict }) => {
    if (verdict !== "unknown") row = verdict === "pass" ? row + 1 : 0;
    return row === passAfter;
  });
  return index === -1 ? [] : looks.slice(index);
}

function whyOpen({ isFlapping, changes, failures, looks }: ProbeHistory): string {
  return isFlapping ? `flaps (${changes} changes)` : `failed ${failures} of ${looks} times and is not steady again`;
}

function looksByProbe(rounds: BakeSeries["rounds"]): ReadonlyMap<string, readonly Look[]> {
  const found = new Map<string, Look[]>();
  for (const look of rounds.flatMap(({ probes }) => probes)) {
    const looks = found.get(look.name) ?? [];
    looks.push(look);
    found.set(look.name, looks);
  }
  return found;
}
