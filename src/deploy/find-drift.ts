import { basename } from "node:path";
import { sha256 } from "../kernel/canonical.ts";
import type { Materialised } from "./materialise.ts";
import type { Observed } from "./observe-platform.ts";

/** Something live on the host that the last deploy did not put there. */
export interface Drift {
  readonly kind: "compose-edited" | "file-altered" | "recreated" | "removed" | "stopped" | "unhealthy" | "not-ours" | "foreign";
  readonly subject: string;
  readonly text: string;
}

/** Differences between the host and what was recorded by the last deploy; none on a host never deployed to. Pure. */
export function findDrift(observed: Observed, desired: Materialised): readonly Drift[] {
  const { recorded } = observed;
  const drift: Drift[] = observed.foreign.map(({ name, network }) => ({
    kind: "foreign",
    subject: name,
    text: `container ${name} of others sits in the network ${network}`,
  }));
  if (recorded === undefined) return drift;

  if (observed.composeHash === undefined)
    drift.push({ kind: "compose-edited", subject: "platform/compose.yaml", text: "platform/compose.yaml was removed by hand" });
  else if (observed.composeHash !== recorded.compose)
    drift.push({ kind: "compose-edited", subject: "platform/compose.yaml", text: "platform/compose.yaml was changed by hand" });

  const live = new Set(Object.values(recorded.services).flatMap((service) => Object.values(service.mounts)));
  const isServed = (path: string): boolean => observed.certificate?.includes(`/${basename(path)}"`) ?? false;
  const isLive = (path: string): boolean => isServed(path) || [...live].some((mount) => path === mount || path.startsWith(`${mount}/`));
  for (const path of [...observed.alteredFiles, ...observed.missingFiles]) {
    if (isLive(path))
      drift.push({ kind: "file-altered", subject: path, text: `${path} was ${observed.missingFiles.includes(path) ? "removed" : "changed"} by hand` });
  }

  if (recorded.certificate !== hashOfText(observed.certificate))
    drift.push({
      kind: "file-altered",
      subject: "edge",
      text: `the file that names the proxy's certificate was ${observed.certificate === undefined ? "removed" : "changed"} by hand`,
    });
  for (const [path, hash] of Object.entries(recorded.settings)) {
    const present = observed.settings[path];
    if (hashOfText(present) !== hash)
      drift.push({ kind: "file-altered", subject: path, text: `${path} was ${present === undefined ? "removed" : "changed"} by hand` });
  }

  for (const [service, before] of Object.entries(recorded.services)) {
    const now = observed.platform.find((container) => container.service === service);
    if (now === undefined) drift.push({ kind: "removed", subject: service, text: `the container of ${service} was removed by hand` });
    else if (now.container !== before.container)
      drift.push({
        kind: "recreated",
        subject: service,
        text: `${service} was recreated by hand${isSame(now, before) ? " with the same definition" : " with another definition"}`,
      });
    else if (now.state !== "running") drift.push({ kind: "stopped", subject: service, text: `${service} does not run (${now.state})` });
    else if (now.health === "unhealthy") drift.push({ kind: "unhealthy", subject: service, text: `${service} is unhealthy` });
  }
  for (const { service } of observed.platform) {
    if (recorded.services[service] === undefined && desired.services[service] === undefined)
      drift.push({ kind: "not-ours", subject: service, text: `a container ${service} in the stack's project is not of any deploy` });
  }
  return drift;
}

export function isSame(
  now: { readonly config: string; readonly composeHash: string },
  before: { readonly config: string; readonly composeHash: string },
): boolean {
  return now.config === before.config && now.composeHash === before.composeHash;
}

/** As a record has it: empty for a file that is not there. */
function hashOfText(text: string | undefined): string {
  return text === undefined ? "" : sha256(text);
}
