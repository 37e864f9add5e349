import type { Answer } from "./http.ts";
import { judgeLoginPage } from "./probes/login-page.ts";
import { fail, type Finding, pass, requestTo, type Target } from "./probes/probe.ts";

const TIMEOUT_MILLISECONDS = 60_000;
/** A warm page takes some 35 ms, a worker's first more than a second; below this, a difference says nothing. */
const EVEN_MILLISECONDS = 400;
const EVEN_FACTOR = 3;

/**
 * Two requests to each worker: the first fills its caches, the second shows that they are full. Each half is sent over connections that
 * all stand before the first request goes out, so no worker can take two of them while another takes none. Passes when every answer is
 * good and the second half is even.
 */
export async function warmWorkers(target: Target, workers: number): Promise<Finding> {
  const request = requestTo(target, "/web/login", { timeoutMilliseconds: TIMEOUT_MILLISECONDS });
  const count = Math.max(1, workers);
  const first = await target.http.together(request, count);
  const second = await target.http.together(request, count);
  return judgeWarmth(first, second);
}

export function judgeWarmth(first: readonly (Answer | Error)[], second: readonly (Answer | Error)[]): Finding {
  const all = [...first, ...second];
  const problems = all.flatMap((answer) => {
    if (answer instanceof Error) return [answer.message];
    const finding = judgeLoginPage(answer);
    return finding.verdict === "pass" ? [] : [finding.detail];
  });
  const evidence = { first: first.map(millisecondsOf), second: second.map(millisecondsOf) };
  if (problems.length > 0) {
    const answered = all.every((answer) => !(answer instanceof Error));
    return { ...fail(`${problems.length} of ${all.length} warming requests failed: ${problems[0] ?? ""}`, evidence), answered };
  }
  const times = evidence.second.toSorted((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  const slowest = times.at(-1) ?? 0;
  if (slowest > Math.max(EVEN_MILLISECONDS, EVEN_FACTOR * median)) return fail(`a worker is still cold: ${slowest} ms against ${median} ms`, evidence);
  return pass(`${second.length} workers warm, slowest page ${slowest} ms`, evidence);
}

function millisecondsOf(answer: Answer | Error): number {
  return answer instanceof Error ? -1 : Math.round(answer.milliseconds);
}
