import { timestamp } from "../../kernel/clock.ts";
import { keepSite, readKeptSite, sentSiteSchema } from "../../recovery/kept-site.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { checkPayload } from "../payload.ts";
import type { Handler } from "../serve.ts";

/** Takes in the operator's site folder, encrypted to people only, for the backups to come. */
export function siteKeepVerb(deps: AgentDeps): Handler<"site-keep"> {
  return async ({ args, payload, who }) => {
    const sent = checkPayload(sentSiteSchema, payload);
    await keepSite(storeOf(deps, args.stack).paths, { version: 1, at: timestamp(deps.clock), who, ...sent });
    return { result: {} };
  };
}

/** Hash of the folder that is kept, for the operator's side to see whether its own is another. */
export async function siteKept(deps: AgentDeps, stack: string): Promise<string | null> {
  return (await readKeptSite(storeOf(deps, stack).paths))?.hash ?? null;
}
