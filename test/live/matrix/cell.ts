import { Crowd, mixedPages, type PageView } from "../crowd.ts";
import { eventually } from "../eventually.ts";
import { FIXTURES } from "../fixture-release.ts";
import { idleLoad } from "../measure.ts";
import { type Plant, errorOf } from "../plant.ts";
import type { Fault } from "./faults.ts";
import { badOf, type Moment, momentName } from "./moments.ts";

const BROWSERS = 8;
/** So often that both workers of the colour that serves are asked. */
const BOTH_WORKERS = { rate: 40, slowPath: "", websocket: false };
/** The proxy tells of a websocket once both its ends have closed. */
const LOG_MILLISECONDS = 1000;

/** One fault at one moment of one swap: what became of it. */
export interface Row {
  readonly fault: string;
  readonly moment: string;
  /** How the run ended, and which release serves now. */
  readonly outcome: string;
  readonly serves: string;
  readonly sent: number;
  readonly failed: number;
  /** From the strike to the end of the run, with what was left of the bake. */
  readonly seconds: number;
  /** What the operator's command said. */
  readonly told: string;
  /** What is wrong; empty when all is as promised. */
  readonly problems: readonly string[];
}

/** Swaps under load, strikes, waits until the host has come to an end of it by itself, and judges what it finds. */
export async function runCell(plant: Plant, releases: (fixture: number) => Promise<string>, fault: Fault, moment: Moment): Promise<Row> {
  const before = await plant.serving();
  const bad = badOf(moment);
  const wanted = bad ?? (before.number === FIXTURES.first ? FIXTURES.good : FIXTURES.first);
  const release = await releases(wanted);
  // After an engine's restart a worker of Odoo may fail to reach the database once more, seconds later: that is the doing of the strike before.
  await eventually(async () => (await idleLoad(plant, 2, BOTH_WORKERS)).failed === 0, { what: "two seconds in which nothing fails" });
  await using load = await plant.load({ rate: 10, slowPath: "", websocket: true });
  const crowd = moment.swap === "canary" ? new Crowd(`matrix-${Date.now()}`, plant.door, BROWSERS) : undefined;
  const command = plant.startUpgrade(release);
  const run = await eventually(() => plant.lockedBy(), { every: 20, what: "the lock" });
  if (moment.swap === "bad") await plant.breakInBake();
  await eventually(async () => (await plant.events(run)).some((event) => event.id === moment.step && event.state === moment.state), {
    every: 15,
    what: `step ${moment.step} ${moment.state}`,
  });
  const struckAt = Date.now();
  const backAt = await fault.strike(plant);
  const ended = await eventually(async () => plant.endOf(run), {
    timeout: 180_000,
    every: 50,
    what: `the end of run ${run}`,
  });
  const outcome = await command.done;
  await eventually(async () => (await plant.lockedBy()) === undefined, { what: "the lock's release" });
  await eventually(() => plant.serving(), { what: "an answer" });
  await crowd?.stop();
  const report = await load.stop();
  const after = await plant.serving();

  const problems: string[] = [];
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  const expected = ended.outcome === "done" ? wanted : before.number;
  claim(ended.outcome === "done" || ended.outcome === "undone", `the run ended as ${ended.outcome}`);
  claim(bad === undefined || ended.outcome === "undone", "a bad release stayed");
  claim(after.number === expected, `release ${after.number} serves instead of ${expected}`);
  const status = (await plant.must("status")) as { readonly serving?: { readonly colour?: string } };
  claim(status.serving?.colour === after.colour, `status says ${status.serving?.colour}, users are on ${after.colour}`);
  const routed = await plant.routed();
  claim(routed === after.colour, `the routes name ${routed}`);
  const up = (await plant.coloursUp()).join(" ");
  claim(up === `${after.colour}/cron ${after.colour}/web`, `up are ${up}`);
  const left = await plant.leftovers();
  claim(left.length === 0, `left over: ${left.join(", ")}`);
  // Broken pages of a bad release are not the fault's doing; what counts there is where users are in the end. A request that was under way when
  // the fault struck is its victim, however long before it began.
  const late = bad !== undefined ? [] : report.failedSpans.filter((span) => backAt === undefined || span.ended < struckAt || span.began > backAt);
  claim(late.length === 0, `${late.length} requests failed that should not have: ${report.failures.slice(0, 3).join("; ")}`);
  if (crowd === undefined) {
    // Each came to the release that served then: never back and forth, and never to both.
    const moves = report.moves.join(" ");
    const ways = ended.outcome === "done" ? [[before.colour, after.colour]] : [[before.colour], [before.colour, other(before.colour), before.colour]];
    claim(
      ways.some((way) => way.join(" ") === moves),
      `users went ${moves}`,
    );
  } else {
    const mixed = await mixedPages(plant, crowd.name, await untouched(plant, run, crowd.views, [struckAt - LOG_MILLISECONDS, backAt ?? struckAt]));
    claim(mixed.length === 0, `pages of two releases: ${mixed.join("; ")}`);
  }
  return {
    fault: fault.name,
    moment: momentName(moment),
    outcome: ended.outcome ?? "",
    serves: after.number === before.number ? "old" : "new",
    sent: report.sent,
    failed: report.failed,
    seconds: Math.round((Date.parse(ended.at) - struckAt) / 100) / 10,
    told: outcome.code === 0 ? "done" : `exit ${outcome.code ?? "none"}, ${errorOf(outcome).code}`,
    problems,
  };
}

/** Pages that were open neither while what had died was away nor while everybody was moved: those live through that. */
async function untouched(plant: Plant, run: string, views: readonly PageView[], away: readonly [number, number]): Promise<readonly PageView[]> {
  const events = await plant.events(run);
  const first = (id: string | undefined, state: string): number =>
    Date.parse(events.find((event) => event.state === state && (id === undefined || event.id === id))?.at ?? "");
  const last = (id: string | undefined, state: string): number =>
    Date.parse(events.findLast((event) => event.state === state && (id === undefined || event.id === id))?.at ?? "");
  const moved = [away, [first("switch", "begun"), last("front", "done")], [first(undefined, "undoing"), last(undefined, "undone")]] as const;
  // What did not begin is not a number and meets no page; what did not end goes on.
  return views.filter(({ began, ended }) => !moved.some(([from, to]) => ended >= from && !(began > to)));
}

function other(colour: string): string {
  return colour === "blue" ? "green" : "blue";
}

export function table(rows: readonly Row[]): string {
  const head = "| what dies | at | ends as | serves | failed of | recovered after | told |\n|---|---|---|---|---|---|---|";
  return [head, ...rows.map(rowLine)].join("\n");
}

export function rowLine(row: Row): string {
  return `| ${row.fault} | ${row.moment} | ${row.outcome} | ${row.serves} | ${row.failed} of ${row.sent} | ${row.seconds.toFixed(1)} s | ${row.told} |`;
}
