import type { ServiceStatus, Status } from "./status-schema.ts";

const BACKUP_HOURS = 26;
const DISK_SHARE = 0.1;

/** What in a status asks for a person, one sentence each, the worst first. Pure. */
export function findConcerns(status: Omit<Status, "concerns">, now: number): readonly string[] {
  const concerns: string[] = [];
  const serving = status.colours.find((colour) => colour.serves);
  if (status.stack.id === undefined) return ["Nothing is deployed yet: run `millwright deploy`."];
  if (status.serving === undefined) concerns.push("No release serves yet: run `millwright upgrade`.");
  else if (serving === undefined || !serving.services.some((service) => service.service === "web"))
    concerns.push(`The serving colour ${status.serving.colour} has no web container.`);
  for (const service of serving?.services ?? []) concerns.push(...troubleOf(service, `${serving?.colour ?? ""} ${service.service}`));
  for (const service of status.services) concerns.push(...troubleOf(service, service.service));

  const failed = status.lastRuns[0];
  if (failed?.outcome === "failed") concerns.push(`The ${failed.kind} ${failed.run} could not be undone and waits for a person: run \`millwright resume\`.`);
  else if (failed?.outcome === "open" && status.run === undefined) concerns.push(`The ${failed.kind} ${failed.run} did not end: run \`millwright resume\`.`);

  const { disk } = status.host;
  if (disk.freeBytes < disk.totalBytes * DISK_SHARE) concerns.push(`The disk is ${Math.round(100 - (100 * disk.freeBytes) / disk.totalBytes)} % full.`);
  if (status.services.some((service) => service.service === "backup") && status.serving !== undefined) {
    const { last, lastFailure } = status.backup;
    const hours = last === undefined ? undefined : (now - Date.parse(last)) / 3_600_000;
    if (lastFailure !== undefined) concerns.push(`The last backup failed at ${lastFailure}.`);
    else if (hours !== undefined && hours > BACKUP_HOURS) concerns.push(`The last good backup is ${Math.floor(hours)} hours old.`);
    else if (hours === undefined && now - Date.parse(status.serving.since) > BACKUP_HOURS * 3_600_000) concerns.push("There is no backup yet.");
  }
  if (status.drift.length > 0)
    concerns.push(
      `${status.drift.length} ${status.drift.length === 1 ? "thing was" : "things were"} changed by hand: \`millwright plan\` shows and \`millwright deploy\` mends it.`,
    );
  return concerns;
}

function troubleOf(service: ServiceStatus, name: string): readonly string[] {
  if (service.state === "missing") return [`${name} has no container.`];
  if (service.state !== "running") return [`${name} does not run (${service.state}).`];
  if (service.health === "unhealthy") return [`${name} is unhealthy: run \`millwright logs ${service.service}\`.`];
  if (service.oomKilled) return [`${name} was ended for want of memory.`];
  return [];
}
