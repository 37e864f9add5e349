import { errorShare } from "../metrics.ts";
import type { Baseline, Note } from "../series.ts";
import { HOLDS, isDue, lastWith, percent, type Rule, span } from "./rule.ts";

/** Takes in all that no other router does: nearly the whole, which is judged as a whole. */
const MAIN_ROUTER = "odoo";

/**
 * More failed answers than the old release gave. While there are fewer requests than the site wants to judge by, the share is that of
 * those: a few failures at the start weigh little, and many need not wait for the rest.
 */
export const errorsRule: Rule = (policy, series) => {
  const { errors: rules, traffic: wanted } = policy.rules;
  const counted = lastWith(series.rounds, "traffic");
  const traffic = counted ?? series.rounds.at(-1)?.synthetic;
  if (traffic === undefined) return HOLDS;
  const before = usual(series.baseline);
  const notes: Note[] = [];
  const note = (about: string, text: string): void => void notes.push({ rule: "errors", about, level: "warning", text });
  if (counted === undefined) note("metrics", "the proxy's counts could not be read: only millwright's own requests were judged");
  if (before.share > rules.share && before.errors >= rules.minimum)
    note(
      "baseline",
      `the old release was bad already: ${percent(before.share)} of its ${before.requests} answers in the ${before.span} before the swap were 5xx. The new one is held against that`,
    );

  const share = traffic.errors / Math.max(traffic.requests, wanted.minimumRequests);
  if (traffic.errors >= rules.minimum && share - before.share > rules.share) {
    const seen = `${traffic.errors} of ${traffic.requests} requests (${percent(errorShare(traffic))}) were answered 5xx`;
    return { verdict: "fail", detail: `${seen}; ${before.text}, and ${percent(rules.share)} more is allowed`, notes };
  }
  for (const [router, count] of Object.entries(traffic.routers)) {
    if (router === MAIN_ROUTER) continue;
    const old = errorShare(series.baseline?.traffic?.routers[router] ?? { requests: 0, errors: 0 });
    if (count.errors < rules.minimum || errorShare(count) - old <= rules.routeShare) continue;
    const seen = `${count.errors} of ${count.requests} requests that ${router} took in (${percent(errorShare(count))}) were answered 5xx`;
    return { verdict: "fail", detail: `${seen}; with the old release it was ${percent(old)}, and ${percent(rules.routeShare)} more is allowed`, notes };
  }
  if (isDue(policy, series) && traffic.requests < wanted.minimumRequests) {
    const detail = `only ${traffic.requests} of the ${wanted.minimumRequests} requests wanted to judge its share of errors have come`;
    return { verdict: "unknown", detail, otherwise: "pass", notes };
  }
  return { ...HOLDS, notes };
};

interface Usual {
  readonly share: number;
  readonly requests: number;
  readonly errors: number;
  readonly span: string;
  readonly text: string;
}

function usual(baseline: Baseline | undefined): Usual {
  if (baseline === undefined) return { share: 0, requests: 0, errors: 0, span: "", text: "there is no old release to compare with" };
  const { requests, errors } = baseline.traffic ?? baseline.synthetic;
  const share = errorShare({ requests, errors });
  return {
    share,
    requests,
    errors,
    span: span(baseline.seconds),
    text: `with the old release it was ${percent(share)} of ${requests} in the ${span(baseline.seconds)} before`,
  };
}
