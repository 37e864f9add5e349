import { HOLDS, type Rule } from "./rule.ts";

/** A container that ends, is restarted or runs out of memory has spoken for its release. */
export const containersRule: Rule = (_policy, { before, rounds }) => {
  const now = rounds.at(-1)?.containers ?? before;
  for (const good of before) {
    const found = now.find(({ service }) => service === good.service);
    const problem =
      found === undefined
        ? "is gone"
        : found.oomKilled && !good.oomKilled
          ? "ran out of memory"
          : found.restartCount > good.restartCount
            ? `ended and was restarted${often(found.restartCount - good.restartCount)}`
            : found.state !== "running"
              ? `is ${found.state}`
              : undefined;
    if (problem !== undefined) return { verdict: "fail", service: good.service, detail: `the ${good.service} container ${problem}` };
  }
  return HOLDS;
};

function often(times: number): string {
  return times === 1 ? "" : ` ${times} times`;
}
