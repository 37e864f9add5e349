import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
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

/** Hash of the folder that is kept, for the operator's side to see whether its own is another. One that cannot be read is brought anew. */
export async function siteKept(deps: AgentDeps, stack: string): Promise<string | null> {
  try {
    return (await readKeptSite(storeOf(deps, stack).paths))?.hash ?? null;
  } catch (error) {
    if (error instanceof MillwrightError && error.code === "STATE_DAMAGED") return null;
    throw error;
  }
}
