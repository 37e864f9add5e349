import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PayloadOf } from "../agent/payload.ts";
import { VERBS, type Verb } from "../agent/protocol.ts";
import { callVerbHandler, type VerbTable } from "../agent/serve.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { VERSION } from "../kernel/version.ts";
import type { AgentCaller, CallOptions } from "./call-verb.ts";

/** The agent in this process, for `--local` on the host itself: same verbs, same checks, no SSH. */
export function localCaller(table: VerbTable, who: string): AgentCaller {
  return {
    call: async (verb, words, options = {}) => {
      const answer = await callVerbHandler(table, verb, words, {
        payload: localPayload(verb, options),
        who,
        events: { emit: (event) => options.onEvent?.(event) },
        signal: options.signal ?? new AbortController().signal,
      });
      if (answer.body !== undefined && options.body !== undefined) await pipeline(answer.body, options.body);
      else {
        answer.body?.destroy();
        options.body?.end();
      }
      // As it would arrive over a link, so that no caller comes to rely on more.
      return { result: JSON.parse(JSON.stringify(answer.result ?? null)), agent: VERSION };
    },
  };
}

function localPayload<V extends Verb>(verb: V, { payload }: CallOptions): PayloadOf<V> {
  const { payload: kind } = VERBS[verb];
  if (kind === "none") return undefined as PayloadOf<V>;
  if (kind !== "stream") return JSON.parse(JSON.stringify(payload)) as PayloadOf<V>;
  if (payload instanceof Readable) return payload as PayloadOf<V>;
  throw new MillwrightError("INTERNAL", `The verb ${verb} takes a stream.`);
}
