import type { ServiceStatus, Status } from "./status-schema.ts";

const DAY_MILLISECONDS = 86_400_000;
const BACKUP_HOURS = 26;
/** A segment is archived at least every 45 s. */
const LOG_MINUTES = 10;
/** A heartbeat comes every ten seconds, and by the archive alone within a minute or two. */
const LAG_SECONDS = 300;
const DISK_SHARE = 0.1;
/** So many of its intervals without a drill that was passed, and something keeps it from being made, or it fails unseen. */
const DRILL_INTERVALS = 2;

/** What in a status asks for a person, one sentence each, the worst first. Pure. */
export function findConcerns(status: Omit<Status, "concerns">, now: number): readonly string[] {
  const concerns: string[] = [...troubleOfRun(status), ...waitOfRun(status)];
  const serving = status.colours.find((colour) => colour.serves);
  if (status.stack.id === undefined) return [...concerns, "Nothing is deployed yet: run `millwright deploy`."];
  if (status.isFenced === true) return [...concerns, troubleOfFence(status)];
  const isSeen = status.host.engine !== undefined;
  if (status.follows !== undefined) concerns.push(...troubleOfFollowing(status.follows));
  else if (status.serving === undefined) concerns.push("No release serves yet: run `millwright upgrade`.");
  else if (isSeen && (serving === undefined || !serving.services.some((service) => service.service === "web")))
    concerns.push(`The serving colour ${status.serving.colour} has no web container.`);
  for (const service of serving?.services ?? []) concerns.push(...troubleOf(service, `${serving?.colour ?? ""} ${service.service}`));
  for (const service of status.services) concerns.push(...troubleOf(service, service.service));

  concerns.push(...troubleOfStandby(status.standby));

  if (status.journal?.problem !== undefined) concerns.push(`${status.journal.problem} Run \`millwright history verify\`.`);
  const failed = status.lastRuns[0];
  if (failed?.outcome === "failed") concerns.push(`The ${failed.kind} ${failed.run} could not be undone and waits for a person: run \`millwright resume\`.`);
  else if (status.run?.isActive === false)
    concerns.push(`Nothing works on the run ${status.run.run}, which has not ended: run \`millwright resume\` or \`millwright abort\`.`);
  else if (failed?.outcome === "open" && status.run === undefined) concerns.push(`The ${failed.kind} ${failed.run} did not end: run \`millwright resume\`.`);

  const { disk } = status.host;
  if (disk.freeBytes < disk.totalBytes * DISK_SHARE) concerns.push(`The disk is ${Math.round(100 - (100 * disk.freeBytes) / disk.totalBytes)} % full.`);
  if (status.serving !== undefined) {
    const { last, lastFailure, lastVerifyFailure } = status.backup;
    const hours = last === undefined ? undefined : (now - Date.parse(last)) / 3_600_000;
    if (lastFailure !== undefined) concerns.push(`The last backup failed at ${lastFailure}: \`millwright history\` says why.`);
    else if (hours !== undefined && hours > BACKUP_HOURS) concerns.push(`The last good backup is ${Math.floor(hours)} hours old.`);
    else if (hours === undefined && now - Date.parse(status.serving.since) > BACKUP_HOURS * 3_600_000) concerns.push("There is no backup yet.");
    concerns.push(...troubleOfOffsite(status.backup, now), ...troubleOfLog(status, now));
    concerns.push(...troubleOfProof(status.backup, now), ...troubleOfSite(status.backup));
    if (lastVerifyFailure !== undefined) concerns.push(`The verification of ${lastVerifyFailure} did not end well: \`millwright history\` says why.`);
  }
  if (status.drift.length > 0)
    concerns.push(
      `${status.drift.length} ${status.drift.length === 1 ? "thing was" : "things were"} changed by hand: \`millwright plan\` shows and \`millwright deploy\` mends it.`,
    );
  return concerns;
}

/** To make a standby of it while nobody has taken over would throw the only host that could away: so that comes last. */
function troubleOfFence({ fencedAt }: Pick<Status, "fencedAt">): string {
  const since = fencedAt === undefined ? "" : ` at ${fencedAt}`;
  return (
    `The plant was given up${since}, and nothing of it starts here. If no other host was promoted: run \`millwright failover\` again, or \`millwright host fence --lift\`. ` +
    "If one serves it now: make this one its standby, `millwright deploy --standby --rebuild`."
  );
}

/** What a database that does not answer means is said of its container. */
function troubleOfFollowing({ host, now }: NonNullable<Status["follows"]>): readonly string[] {
  if (now === undefined) return [];
  const concerns: string[] = [];
  const { isStreaming, lagSeconds, filesAt, filesFailSince } = now;
  if (!isStreaming)
    concerns.push(`The database does not stream from ${host}, and has only what the offsite repository gives: run \`millwright logs database --standby\`.`);
  if (lagSeconds !== undefined && lagSeconds > LAG_SECONDS)
    concerns.push(`The database is ${lagSeconds} s behind ${host}. If it does not catch up, \`millwright deploy --standby --rebuild\` makes it anew.`);
  if (filesFailSince !== undefined)
    concerns.push(`New files cannot be fetched from the offsite repository since ${filesFailSince}: run \`millwright logs backup --standby\`.`);
  else if (filesAt === undefined) concerns.push("Not all of Odoo's files are here yet.");
  return concerns;
}

function troubleOfStandby(standby: Status["standby"]): readonly string[] {
  if (standby?.now === undefined || standby.now.isStreaming) return [];
  return [`The standby ${standby.host} does not follow: run \`millwright status --standby\`.`];
}

function troubleOfProof({ last, drill, lastDrillFailure, drillDays }: Status["backup"], now: number): readonly string[] {
  if (lastDrillFailure !== undefined) return [`The drill of ${lastDrillFailure} did not prove the backup: \`millwright history\` says why.`];
  if (drill === undefined) return last === undefined ? [] : ["No backup was proven yet: run `millwright backup drill`."];
  const days = Math.floor((now - Date.parse(drill.at)) / DAY_MILLISECONDS);
  if (drillDays === undefined || days < DRILL_INTERVALS * drillDays) return [];
  return [`The last drill that was passed is ${days} days ago: \`millwright history\` says why, \`millwright backup drill\` makes one now.`];
}

/** What a host is built anew from must lie in the last backup, and be opened without anybody's laptop. */
function troubleOfSite({ last, lastFailure, site }: Status["backup"]): readonly string[] {
  if (last === undefined || lastFailure !== undefined || site === undefined || site.last.hasRecoveryKey) return [];
  if (site.next.hasRecoveryKey) return ["The recovery key does not open the last backup yet: run `millwright backup run`."];
  if (site.last.isThere || site.next.isThere)
    return ["No recovery key opens the backups: run `millwright secrets recovery-key`, then `millwright deploy` and `millwright backup run`."];
  return ["The last backup does not hold the site folder: run `millwright deploy`, then `millwright backup run`."];
}

function troubleOfOffsite({ last, lastFailure, offsite }: Status["backup"], now: number): readonly string[] {
  if (offsite === undefined) return [];
  const concerns: string[] = [];
  const hours = offsite.last === undefined ? 0 : Math.floor((now - Date.parse(offsite.last)) / 3_600_000);
  if (last !== undefined && lastFailure === undefined && !offsite.hasNewest)
    concerns.push("The last backup is only on the host, not in the offsite repository: `millwright history` says why, `millwright backup run` tries again.");
  if (hours >= BACKUP_HOURS) concerns.push(`The last good backup in the offsite repository is ${hours} hours old.`);
  if (offsite.filesFailSince !== undefined)
    concerns.push(`New files do not reach the offsite repository since ${offsite.filesFailSince}: run \`millwright logs backup\`.`);
  return concerns;
}

/** PostgreSQL keeps what is not archived in every place: a place that is out of reach for long fills the data disk. */
function troubleOfLog({ backup: { log }, run }: Pick<Status, "backup" | "run">, now: number): readonly string[] {
  // A restore under way holds it until users are back.
  if (log?.isHeld === true && run === undefined)
    return ["The database archives nothing since a restore that could not finish, and its log fills the data disk: run `millwright backup run`."];
  if (log === undefined || log.waiting < 2) return [];
  if (log.archived !== undefined && now - Date.parse(log.archived) < LOG_MINUTES * 60_000) return [];
  const since = log.archived === undefined ? "and none was yet" : `since ${log.archived}`;
  const size = `${Math.ceil(log.bytes / 1e6)} MB`;
  return [
    `${log.waiting} segments of the database's log wait to be archived, ${since}: it fills the data disk, ${size} so far. Run \`millwright logs database\`.`,
  ];
}

function troubleOfRun({ run }: Pick<Status, "run">): readonly string[] {
  if (run?.trouble === undefined) return [];
  const { times, at, message } = run.trouble;
  const tried = times === 1 ? "once" : `${times} times, last`;
  return [`Run ${run.run} cannot go on: ${message} It was tried ${tried} at ${at}. Mend the cause, then run \`millwright resume\`.`];
}

function waitOfRun({ run }: Pick<Status, "run">): readonly string[] {
  if (run?.preview === undefined || !run.isActive) return [];
  const { since, until } = run.preview;
  return [`Run ${run.run} waits in its preview since ${since}, until ${until}: run \`millwright resume\` to let it go on, or \`millwright abort\`.`];
}

function troubleOf(service: ServiceStatus, name: string): readonly string[] {
  if (service.state === "missing") return [`${name} has no container.`];
  if (service.state !== "running") return [`${name} does not run (${service.state}).`];
  if (service.health === "unhealthy") return [`${name} is unhealthy: run \`millwright logs ${service.service}\`.`];
  if (service.oomKilled) return [`${name} was ended for want of memory.`];
  return [];
}
