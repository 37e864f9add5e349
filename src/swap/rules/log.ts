import { HOLDS, type Rule } from "./rule.ts";

/** Odoo complains of what it did not complain of with the old release. */
export const logRule: Rule = (policy, { rounds }) => {
  const rules = policy.rules.log;
  const { entries, kinds } = rounds.at(-1)?.log ?? { entries: 0, kinds: 0 };
  if (entries === 0) return HOLDS;
  const detail = `${entries} new ERROR or CRITICAL log entries of ${kinds} kinds that the old release did not write`;
  if (kinds >= rules.kinds || entries >= rules.entries) {
    return { verdict: "fail", detail: `${detail}; ${rules.kinds} kinds or ${rules.entries} entries are too many` };
  }
  return { ...HOLDS, notes: [{ rule: "log", about: "entries", level: "warning", text: detail }] };
};
