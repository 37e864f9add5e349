import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { readIfThere } from "../kernel/durable-file.ts";
import type { Environment } from "../site/environment.ts";
import { certificateFiles, type Site } from "../site/site.ts";
import { certificateProblem, RENEW_DAYS } from "./check-certificate.ts";
import { hasRecipients, readRecipients } from "./recipients.ts";

/**
 * Whether an environment's secrets and its own certificate are all there, as far as one sees without opening the vault: then nothing of the
 * encryption has to be loaded.
 */
export async function isComplete(site: Site, environment: Environment, names: readonly string[], clock: Clock): Promise<boolean> {
  if (!(await hasRecipients(site.directory))) return false;
  const holds = new Set((await readRecipients(site.directory)).holds[environment.name] ?? []);
  if (!names.every((name) => holds.has(name))) return false;
  if (environment.certificate.kind !== "ca") return true;
  const chain = await readIfThere(join(site.directory, certificateFiles(environment)?.chain ?? ""));
  return chain !== undefined && certificateProblem(chain, undefined, environment.domain, clock, RENEW_DAYS) === undefined;
}
