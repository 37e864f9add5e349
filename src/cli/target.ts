import { resolve } from "node:path";
import type { Environment } from "../site/environment.ts";
import { loadSite } from "../site/load-site.ts";
import { environmentOf, type Site } from "../site/site.ts";
import { standbyOf } from "../site/standby.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";

/** The site folder a command works on and the environment it was asked for. */
export interface Target {
  readonly site: Site;
  readonly environment: Environment;
}

export interface EnvironmentOption {
  readonly env?: string;
  /** The environment's second host is meant. */
  readonly standby?: boolean;
}

export function siteDirectory(options: CommonOptions, context: CliContext): string {
  return resolve(context.directory, options.site ?? ".");
}

export async function loadTarget(options: CommonOptions & EnvironmentOption, context: CliContext): Promise<Target> {
  const site = await loadSite(siteDirectory(options, context));
  const environment = environmentOf(site, options.env);
  return { site, environment: options.standby === true ? standbyOf(environment) : environment };
}
