import { hostAgent } from "../agent/host-agent.ts";
import { verbTable } from "../agent/verbs/table.ts";
import { localCaller } from "../remote/local-caller.ts";
import type { CliContext } from "./context.ts";
import type { HostLink } from "./host-link.ts";

/** The agent in this process, for --local on the host itself. */
export function localLink(context: CliContext): HostLink {
  const caller = localCaller(verbTable(hostAgent()), `${context.user} (on the host)`);
  return {
    call: async (verb, words, call = {}) => (await caller.call(verb, words, { signal: context.signal, ...call })).result,
    channels: 0,
    [Symbol.asyncDispose]: async () => {},
  };
}
