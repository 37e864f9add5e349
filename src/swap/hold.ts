import { isIP } from "node:net";
import { timestamp } from "../kernel/clock.ts";
import { messageOf } from "../kernel/errors.ts";
import { containerOf, targetOf } from "./colour-view.ts";
import { loginPageProbe } from "./probes/login-page.ts";
import { readServing } from "./serving.ts";
import type { SwapDeps } from "./swap-deps.ts";

/**
 * Users wait while what Odoo needs is renewed: the web container is frozen (the engine's pause), so that connections stand in its queue
 * and at the proxy instead of being answered with errors, and the same processes go on where they were. A transaction that was under way
 * would be lost with the database's connection, so the moment is chosen when there is none. When Odoo takes a pooled connection it
 * resets it first and drops one that is dead.
 */

export type HoldDeps = Pick<SwapDeps, "stack" | "paths" | "docker" | "http" | "psql" | "clock" | "events">;

const POLL_MILLISECONDS = 25;
/** How long a moment without a transaction is looked for. A report that runs longer loses its connection, and its user is told. */
const QUIET_MILLISECONDS = 10_000;
const ANSWER_MILLISECONDS = 30_000;
/** A request has opened a connection or taken a pooled one, which Odoo's driver resets with these words, and has not asked its first question: it would not notice its end. */
const TAKEN = "(query IN ('', 'DISCARD ALL') AND state_change > clock_timestamp() - interval '1 second')";

/** From here on requests wait. Nothing while no release serves. */
export async function holdUsers(deps: HoldDeps, signal: AbortSignal): Promise<void> {
  const web = await servingWeb(deps);
  if (web === undefined || web.state !== "running") return;
  const deadline = deps.clock.now() + QUIET_MILLISECONDS;
  for (;;) {
    await deps.docker.pause(web.id);
    const active = await transactions(deps, Object.values(web.addresses));
    if (active === 0) return;
    if (deps.clock.now() >= deadline) {
      warn(deps, `${active} transactions ran on after ${QUIET_MILLISECONDS / 1000} s and are cut off; users see their requests fail.`);
      return;
    }
    await deps.docker.unpause(web.id);
    await deps.clock.sleep(POLL_MILLISECONDS, signal);
  }
}

/** Requests are answered again. Says so, and does not fail, when the page is not good after a while: waiting longer helps nobody. */
export async function letUsersIn(deps: HoldDeps): Promise<void> {
  const web = await servingWeb(deps);
  if (web === undefined) return;
  if (web.state === "paused") await deps.docker.unpause(web.id);
  const deadline = deps.clock.now() + ANSWER_MILLISECONDS;
  for (;;) {
    const problem = await pageProblem(deps);
    if (problem === undefined) return;
    if (deps.clock.now() >= deadline) {
      warn(deps, `Users are let in although the login page is not good: ${problem}`);
      return;
    }
    await deps.clock.sleep(POLL_MILLISECONDS);
  }
}

async function servingWeb(deps: HoldDeps): ReturnType<typeof containerOf> {
  const serving = await readServing(deps.paths);
  return serving === undefined ? undefined : await containerOf(deps, serving.colour, "web");
}

/** A database that does not answer has none that could be saved; that it could not be asked is told all the same. */
async function transactions(deps: HoldDeps, addresses: readonly string[]): Promise<number> {
  const clients = addresses.filter((address) => isIP(address) !== 0).map((address) => `'${address}'`);
  if (clients.length === 0) return 0;
  const sql = `SELECT count(*) FROM pg_stat_activity WHERE client_addr IN (${clients.join(", ")}) AND (state <> 'idle' OR ${TAKEN});`;
  try {
    return Number((await deps.psql.query("postgres", sql))[0]?.[0] ?? 0);
  } catch (error) {
    warn(deps, `Whether a request is in the middle of something could not be asked: ${messageOf(error)}`);
    return 0;
  }
}

/** Why the login page of what serves is not good; undefined when it is, or when nothing serves. */
export async function pageProblem(deps: Pick<HoldDeps, "stack" | "paths" | "docker" | "http">): Promise<string | undefined> {
  try {
    const serving = await readServing(deps.paths);
    if (serving === undefined) return undefined;
    const finding = await loginPageProbe(await targetOf(deps, serving.colour)).look();
    return finding.verdict === "pass" ? undefined : finding.detail;
  } catch (error) {
    return messageOf(error);
  }
}

function warn(deps: HoldDeps, text: string): void {
  deps.events.emit({ kind: "note", at: timestamp(deps.clock), level: "warning", text });
}
