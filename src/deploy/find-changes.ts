import { changedSettings, START_SETTINGS } from "./changed-settings.ts";
import { isSame } from "./find-drift.ts";
import type { Materialised, MaterialisedService } from "./materialise.ts";
import type { Observed, ObservedService } from "./observe-platform.ts";

export interface Change {
  readonly service: string;
  readonly cause: string;
  readonly container: string;
  readonly before: ObservedService["health"] | "absent" | "stopped";
  /** Compose would see no difference, so the container has to go first. */
  readonly isForced: boolean;
}

/** Services that have to be brought up, in their order. */
export function findChanges(desired: Materialised, observed: Observed, order: readonly string[]): readonly Change[] {
  return order.flatMap((service) => {
    const wanted = desired.services[service];
    if (wanted === undefined) return [];
    const now = observed.platform.find((container) => container.service === service);
    const found = causeOfUp(service, desired, wanted, now, observed);
    if (found === undefined) return [];
    const before = now === undefined ? "absent" : now.state === "running" ? now.health : "stopped";
    return [{ service, ...found, container: now?.container ?? "", before }];
  });
}

function causeOfUp(
  service: string,
  desired: Materialised,
  wanted: MaterialisedService,
  now: ObservedService | undefined,
  observed: Observed,
): { readonly cause: string; readonly isForced: boolean } | undefined {
  const before = observed.recorded?.services[service];
  if (now === undefined) return { cause: before === undefined ? "new" : "removed by hand on the host", isForced: false };
  if (now.config !== wanted.config) {
    const onlyAtStart = (path: string): string => whyRenewed(path, desired, observed);
    return { cause: before === undefined ? "definition changed" : differences(wanted, before, onlyAtStart), isForced: false };
  }
  if (before !== undefined && now.container !== before.container && !isSame(now, before)) return { cause: "recreated by hand on the host", isForced: false };
  const altered = Object.entries(wanted.mounts).find(([, host]) =>
    [...observed.alteredFiles, ...observed.missingFiles].some((path) => path === host || path.startsWith(`${host}/`)),
  );
  if (altered !== undefined) return { cause: `${altered[0]} was changed by hand on the host`, isForced: true };
  if (now.state !== "running") return { cause: "not running", isForced: now.state !== "exited" && now.state !== "created" };
  if (now.health === "unhealthy") return { cause: "unhealthy", isForced: true };
  return undefined;
}

function differences(wanted: MaterialisedService, before: Pick<MaterialisedService, "definition" | "image" | "mounts">, why: (path: string) => string): string {
  const paths = [...new Set([...Object.keys(wanted.mounts), ...Object.keys(before.mounts)])].sort();
  const files = paths.filter((path) => wanted.mounts[path] !== before.mounts[path]).map((path) => `${path} changed${why(path)}`);
  const image = wanted.image === before.image ? [] : [`image ${nameOf(before.image)} → ${nameOf(wanted.image)}`];
  const isDefinition = wanted.definition !== before.definition && image.length === 0;
  const causes = [...image, ...files, ...(isDefinition ? ["definition changed"] : [])];
  return causes.length === 0 ? "definition changed" : causes.join(", ");
}

/** Why a file that might be thought to need no more than a reload needs its service renewed. */
function whyRenewed(path: string, desired: Materialised, observed: Observed): string {
  if (path === "edge/traefik.yaml") return " (the proxy reads it only when it starts)";
  if (path !== START_SETTINGS || observed.startSettings === undefined) return "";
  const names = changedSettings(observed.startSettings, desired.startSettings, desired.settings.map(({ content }) => content).join("\n"));
  return names.length === 0 ? "" : ` (${names.join(", ")}: only a restart brings ${names.length === 1 ? "it" : "them"})`;
}

/** An image by its name and tag, or the beginning of its id. */
export function nameOf(reference: string): string {
  return reference.startsWith("sha256:") ? reference.slice(0, 19) : (reference.split("@")[0] ?? reference);
}
