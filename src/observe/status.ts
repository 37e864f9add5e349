import type { HostPaths } from "../blueprint/host-paths.ts";
import { COLOURS, type Colour, type StackFacts } from "../blueprint/stack.ts";
import type { ContainerState, Docker } from "../docker/docker.ts";
import { type Clock, timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { isFenced, readFenced } from "../recovery/fenced.ts";
import type { PairState } from "../recovery/following.ts";
import type { Archiving } from "../recovery/archiving.ts";
import { type BackupRecord, readBackupRecords } from "../recovery/backup-record.ts";
import { type DrillRecord, readDrillRecord } from "../recovery/drill-record.ts";
import { DRILL_DAYS, nextTimes } from "../recovery/due.ts";
import { readKeptSite } from "../recovery/kept-site.ts";
import { readVerifyRecord } from "../recovery/verify-record.ts";
import { readColourRelease, readServing, type Serving, wayBack } from "../swap/serving.ts";
import { findConcerns } from "./concerns.ts";
import type { Machine } from "./machine.ts";
import { inOrderOfTime, type Scheduled } from "./schedule.ts";
import type { RunStatus, ServiceStatus, Status } from "./status-schema.ts";

export interface StatusDeps {
  /** `<site>-<environment>`. */
  readonly stack: string;
  readonly paths: HostPaths;
  readonly docker: Docker;
  readonly clock: Clock;
  readonly machine: Machine;
  /** The deployed stack, undefined before the first deploy. */
  readonly current: () => Promise<{ readonly id: string; readonly facts: () => Promise<Facts> } | undefined>;
  readonly drift: () => Promise<Status["drift"]>;
  /** The holder of the lock. */
  readonly run: () => Promise<Status["run"]>;
  /** How the backups that are made all day long do. */
  readonly archiving: (hasOffsite: boolean) => Promise<Archiving>;
  /** How the one of two hosts that follows does. */
  readonly pair: (facts: Facts) => Promise<PairState>;
  /** The end of the journal. */
  readonly journal: () => Promise<JournalView>;
  /** The host's timers that will elapse. */
  readonly timers: () => Promise<readonly Scheduled[]>;
}

type Facts = Pick<StackFacts, "domain" | "blueprint" | "services" | "backup" | "follows" | "standby">;

export interface JournalView {
  /** Newest first. */
  readonly runs: readonly RunStatus[];
  readonly entries: number;
  readonly head: string;
  /** What is wrong with it, when it does not hold together. */
  readonly problem?: string;
}

const SHOWN_RUNS = 5;

/** How the stack does on this host: what serves since when and by whom, how well, and what a person should look at. */
export async function readStatus(deps: StatusDeps): Promise<Status> {
  const { paths, stack } = deps;
  const [seen, current, serving, host, run, journal, timers, drift, backups] = await Promise.all([
    orUntold("How the containers are", async () => [await seeContainers(deps)]),
    readCurrent(deps),
    readServing(paths),
    deps.machine.facts(paths.base),
    deps.run(),
    deps.journal(),
    deps.timers(),
    orUntold("Drift", deps.drift),
    readBackups(paths, deps.clock.now()),
  ]);
  const [containers] = seen.items;
  const colours = await Promise.all(COLOURS.map((colour) => colourStatus(deps, colour, serving, containers?.colours[colour] ?? [])));
  const { runs, problem } = journal;
  const deployed = runs.find((candidate) => candidate.kind === "deploy" && candidate.outcome === "done");
  const lastSwap = runs.find((candidate) => candidate.kind === "swap" || candidate.kind === "rollback");
  const [facts] = current.facts.items;
  const policy = facts?.backup;
  const archiving = await orUntold("How backups are made all day long", async () =>
    facts === undefined || serving === undefined ? [] : [await deps.archiving(policy?.offsite !== undefined)],
  );
  const pair = await orUntold("How the standby does", async () => (facts === undefined ? [] : [await deps.pair(facts)]));
  const fenced = await orUntold("When the host was fenced", async () => [await readFenced(paths)]);
  const fencedAt = fenced.items[0]?.at;
  const backup = {
    ...backupStatus(backups, policy?.offsite !== undefined, archiving.items[0]),
    ...lastFailures(runs, backups),
    ...(policy?.drill === undefined ? {} : { drillDays: DRILL_DAYS }),
  };
  const status: Omit<Status, "concerns"> = {
    version: 1,
    at: timestamp(deps.clock),
    stack: {
      name: stack,
      ...(current.id === undefined ? {} : { id: current.id }),
      ...(facts === undefined ? {} : { domain: facts.domain, blueprint: `${facts.blueprint.name} ${facts.blueprint.version}` }),
      ...(deployed === undefined ? {} : { deployed: { at: deployed.ended ?? deployed.began, who: deployed.who, run: deployed.run } }),
    },
    host: { ...host, ...(containers === undefined ? {} : { engine: containers.engine }) },
    ...(serving === undefined ? {} : { serving: servingStatus(serving) }),
    services: containers === undefined ? [] : inOrder(containers.platform, facts?.services ?? []),
    colours,
    ...(run === undefined ? {} : { run }),
    lastRuns: runs.slice(0, SHOWN_RUNS),
    ...(lastSwap === undefined ? {} : { lastSwap }),
    backup,
    ...((await isFenced(paths)) ? { isFenced: true as const, ...(fencedAt === undefined ? {} : { fencedAt }) } : {}),
    ...pairStatus(facts, pair.items[0]),
    next: inOrderOfTime([...timers, ...(policy === undefined || serving === undefined ? [] : scheduled(policy, deps.clock.now()))]),
    journal: { entries: journal.entries, head: journal.head, ...(problem === undefined ? {} : { problem }) },
    drift: [...drift.items],
  };
  // The rest cannot be told for the same reasons.
  const causes = [...seen.untold, ...current.facts.untold];
  const untold = causes.length > 0 ? causes : [...drift.untold, ...archiving.untold, ...pair.untold, ...fenced.untold];
  return { ...status, concerns: [...untold, ...findConcerns(status, deps.clock.now())] };
}

async function readCurrent(deps: StatusDeps): Promise<{ readonly id?: string; readonly facts: Told<Facts> }> {
  const current = await deps.current();
  if (current === undefined) return { facts: { items: [], untold: [] } };
  return { id: current.id, facts: await orUntold("What the stack holds", async () => [await current.facts()]) };
}

interface Containers {
  readonly engine: string;
  readonly platform: readonly ContainerState[];
  readonly colours: Readonly<Record<Colour, readonly ContainerState[]>>;
}

async function seeContainers({ docker, stack }: StatusDeps): Promise<Containers> {
  const [{ engine }, platform, blue, green] = await Promise.all([
    docker.version(),
    docker.containers(stack),
    docker.containers(`${stack}-blue`),
    docker.containers(`${stack}-green`),
  ]);
  return { engine, platform, colours: { blue, green } };
}

interface Told<Item> {
  readonly items: readonly Item[];
  readonly untold: readonly string[];
}

/** What serves must be told also where something else cannot be: that becomes a concern instead. */
async function orUntold<Item>(what: string, look: () => Promise<readonly Item[]>): Promise<Told<Item>> {
  try {
    return { items: await look(), untold: [] };
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    return { items: [], untold: [[`${what} cannot be told: ${error.message}`, error.hint].filter(Boolean).join(" ")] };
  }
}

function servingStatus(serving: Serving): Status["serving"] {
  const { colour, release, image, since, who, run } = serving;
  const previous = wayBack(serving);
  return { colour, release, image, since, who, run, ...(previous === undefined ? {} : { rollbackTo: previous.release.id }) };
}

async function colourStatus(
  { paths }: StatusDeps,
  colour: Colour,
  serving: Serving | undefined,
  containers: readonly ContainerState[],
): Promise<Status["colours"][number]> {
  const release = await readColourRelease(paths, colour);
  return { colour, ...(release === undefined ? {} : { release: release.id }), serves: serving?.colour === colour, services: containers.map(serviceStatus) };
}

function inOrder(containers: readonly ContainerState[], order: readonly string[]): ServiceStatus[] {
  const names = [...order, ...containers.map((container) => container.service).filter((service) => !order.includes(service))];
  return [...new Set(names)].map((service) => {
    const container = containers.find((candidate) => candidate.service === service);
    return container === undefined
      ? { service, state: "missing", health: "none", since: "", image: "", restarts: 0, oomKilled: false }
      : serviceStatus(container);
  });
}

function serviceStatus(container: ContainerState): ServiceStatus {
  const { service, state, health, startedAt, image, restartCount, oomKilled } = container;
  return { service, state, health, since: startedAt, image, restarts: restartCount, oomKilled };
}

/** The last backup and what the last drill measured. One that a clock that was ahead has dated later than now does not stand for those that are missing; nor does such a drill, or such a verification. */
async function readBackups(paths: HostPaths, now: number): Promise<Known> {
  const [all, passed, passedOffsite, read, kept] = await Promise.all([
    readBackupRecords(paths),
    readDrillRecord(paths, "local"),
    readDrillRecord(paths, "offsite"),
    readVerifyRecord(paths, "local"),
    readKeptSite(paths),
  ]);
  const records = all.filter(({ ended }) => Date.parse(ended) <= now);
  const verified = read !== undefined && Date.parse(read.at) <= now ? read.at : undefined;
  const [drill, offsiteDrill] = [passed, passedOffsite].map((record) => (record !== undefined && Date.parse(record.at) <= now ? measured(record) : undefined));
  const newest = records.at(-1);
  const lastOffsite = records.findLast(({ offsite }) => offsite !== undefined)?.offsite?.ended;
  return {
    ...(newest === undefined
      ? {}
      : { last: newest.ended, isLastOffsite: newest.offsite !== undefined, site: { last: heldSite(newest.site), next: heldSite(kept) } }),
    ...(lastOffsite === undefined ? {} : { lastOffsite }),
    ...(verified === undefined ? {} : { verified }),
    ...(drill === undefined ? {} : { drill }),
    ...(offsiteDrill === undefined ? {} : { offsiteDrill }),
  };
}

function measured({ at, rpoSeconds, rtoSeconds }: DrillRecord): NonNullable<Status["backup"]["drill"]> {
  return { at, rpoSeconds, rtoSeconds };
}

function heldSite(site: BackupRecord["site"]): NonNullable<Status["backup"]["site"]>["last"] {
  return { isThere: site !== undefined, hasRecoveryKey: site?.hasRecoveryKey === true };
}

interface Known extends Pick<Status["backup"], "last" | "site" | "drill" | "verified"> {
  readonly isLastOffsite?: boolean;
  readonly lastOffsite?: string;
  readonly offsiteDrill?: Status["backup"]["drill"];
}

function backupStatus(
  { isLastOffsite = false, lastOffsite, offsiteDrill, ...known }: Known,
  hasOffsite: boolean,
  archiving: Archiving | undefined,
): Status["backup"] {
  const { log, filesFailSince } = archiving ?? {};
  const offsite = {
    ...(lastOffsite === undefined ? {} : { last: lastOffsite }),
    hasNewest: isLastOffsite,
    ...(offsiteDrill === undefined ? {} : { drill: offsiteDrill }),
    ...(filesFailSince === undefined ? {} : { filesFailSince }),
  };
  return { ...known, ...(hasOffsite ? { offsite } : {}), ...(log === undefined ? {} : { log }) };
}

function pairStatus(facts: Facts | undefined, { following, followed }: PairState = {}): Pick<Status, "follows" | "standby"> {
  const { follows, standby } = facts ?? {};
  return {
    ...(follows === undefined ? {} : { follows: { host: follows, ...(following === undefined ? {} : { now: following }) } }),
    ...(standby === undefined ? {} : { standby: { host: standby, ...(followed === undefined ? {} : { now: followed }) } }),
  };
}

/** Failures after which none has gone well. */
function lastFailures(
  runs: readonly RunStatus[],
  { last, drill, offsiteDrill, verified }: Known,
): Pick<Status["backup"], "lastFailure" | "lastDrillFailure" | "lastVerifyFailure"> {
  const failureOf = (kind: string, since: string | undefined): string | undefined => {
    const failed = runs.find((run) => run.kind === kind && run.outcome !== "done" && run.ended !== undefined)?.ended;
    return failed !== undefined && (since === undefined || failed > since) ? failed : undefined;
  };
  const [backup, proof, verify] = [failureOf("backup", last), failureOf("drill", latestOf(drill?.at, offsiteDrill?.at)), failureOf("verify", verified)];
  return {
    ...(backup === undefined ? {} : { lastFailure: backup }),
    ...(proof === undefined ? {} : { lastDrillFailure: proof }),
    ...(verify === undefined ? {} : { lastVerifyFailure: verify }),
  };
}

/** The journal does not tell the place of a drill that failed: the next that is passed, of either, stands for it. */
function latestOf(...instants: readonly (string | undefined)[]): string | undefined {
  return instants
    .filter((at) => at !== undefined)
    .sort()
    .at(-1);
}

function scheduled(policy: StackFacts["backup"], now: number): readonly Scheduled[] {
  const { backup, drill, verify } = nextTimes(policy, now);
  return [
    { at: backup, what: "backup" },
    ...(drill === undefined ? [] : [{ at: drill, what: "drill of the backup" }]),
    { at: verify, what: "verification of the backups" },
  ];
}
