import * as z from "zod";
import type { Colour } from "../blueprint/stack.ts";
import type { LogLine } from "../docker/log-lines.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { printable } from "../kernel/printable.ts";
import { redact } from "../kernel/secret.ts";

const PATH_CHARACTERS = 120;

/** A request that has ended, by the proxy's access log. */
export interface EndedRequest {
  readonly method: string;
  /** Without the query, in which links carry their tokens. */
  readonly path: string;
  readonly startedAt: string;
  readonly seconds: number;
  /** It ended because its colour did. */
  readonly isCut: boolean;
}

const entrySchema = z.object({
  RequestMethod: z.string(),
  RequestPath: z.string(),
  StartUTC: z.iso.datetime(),
  /** Nanoseconds. */
  Duration: z.number(),
  DownstreamStatus: z.number(),
  OriginStatus: z.number(),
  ServiceName: z.string().default(""),
});

/** What the proxy gives for a colour that is gone; its users see 503. */
const BAD_GATEWAY = [502, 503, 504];
/** Its user left before the answer came: nobody was cut off. */
const USER_LEFT = 499;

/**
 * The requests to a colour among the lines of Traefik's access log that began before an instant, which is when users had left the colour.
 * One that is cut does not tell its colour: the maintenance page answered it in the end, and its service stands there. So those of the other
 * colour are left out, and websockets. A cut in mid answer shows as an answer of status 0. Pure.
 */
export function endedRequests(lines: readonly LogLine[], colour: Colour, before: number): readonly EndedRequest[] {
  const others = [`odoo-${colour === "blue" ? "green" : "blue"}@`, "odoo-ws-"];
  return lines.flatMap(({ text }) => {
    const entry = entrySchema.safeParse(parseJson(text)).data;
    if (entry === undefined || Date.parse(entry.StartUTC) >= before || others.some((service) => entry.ServiceName.startsWith(service))) return [];
    return [
      {
        method: printable(entry.RequestMethod),
        path: printable(redact(entry.RequestPath.split("?")[0] ?? "")).slice(0, PATH_CHARACTERS),
        startedAt: entry.StartUTC,
        seconds: entry.Duration / 1e9,
        isCut: BAD_GATEWAY.includes(entry.DownstreamStatus) || (entry.OriginStatus === 0 && entry.DownstreamStatus !== USER_LEFT),
      },
    ];
  });
}
