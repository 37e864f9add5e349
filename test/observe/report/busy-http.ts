import { type Colour, COLOURS } from "../../../src/blueprint/stack.ts";
import type { Answer, Http, HttpRequest } from "../../../src/swap/http.ts";
import { NO_TRAFFIC, type Traffic, withRequest } from "../../../src/swap/metrics.ts";
import { canaryIn } from "../../fakes/led-to.ts";
import type { FakeSite } from "../../swap/fake-site.ts";

const METRICS_PORT = 8082;
const FRONT_PORT = 443;
/** Requests of people in a second. */
const PEOPLE = 5;
/** What pages take, in seconds, over and over. */
const TAKES = [0.06, 0.08, 0.09, 0.11, 0.14, 0.21, 0.09, 0.07, 0.31, 0.1];

/**
 * A fake site's HTTP with people on it: they ask for pages all the time, pages take their time, and the edge counts all of it as Traefik
 * does, with a histogram. `slower` says by how much a colour's pages are, at a second since its first request.
 */
export function busyHttp(site: FakeSite, slower: (colour: Colour, second: number) => number = () => 1): Http {
  const inner = site.deps.http;
  const counted = new Map<Colour, { readonly since: number; traffic: Traffic }>();
  let began: number | undefined;
  let asked = 0;
  let people = 0;

  const takes = (colour: Colour): number => {
    asked += 1;
    const since = counted.get(colour)?.since;
    return (TAKES[asked % TAKES.length] ?? 0.1) * slower(colour, since === undefined ? 0 : (site.clock.now() - since) / 1000);
  };
  const count = (colour: Colour, seconds: number, isError: boolean): void => {
    const counts = counted.get(colour);
    if (counts !== undefined) counts.traffic = withRequest(counts.traffic, seconds, isError);
  };
  /** Those who have come since somebody last looked. Traefik drops the counts of a colour that its routes no longer name. */
  const catchUp = async (): Promise<void> => {
    const now = site.clock.now();
    const colour = await site.routed();
    const canary = canaryIn(await site.routing());
    for (const each of COLOURS) {
      if (each !== colour && each !== canary?.colour) counted.delete(each);
      else if (!counted.has(each)) counted.set(each, { since: now, traffic: NO_TRAFFIC });
    }
    if (colour === undefined) return;
    began ??= now;
    for (; people < ((now - began) / 1000) * PEOPLE; people += 1) {
      // Spread evenly: 37 has no factor of 100.
      const led = canary !== undefined && (people * 37) % 100 < canary.percent ? canary.colour : colour;
      count(led, takes(led), false);
    }
  };
  const metrics = (): string =>
    COLOURS.map((colour) => {
      const { requests, errors, seconds, timed, buckets } = counted.get(colour)?.traffic ?? NO_TRAFFIC;
      const line = (name: string, labels: string, value: number): string => `traefik_service_${name}{${labels}service="odoo-${colour}@file"} ${value}`;
      return [
        line("requests_total", 'code="200",', requests - errors),
        line("requests_total", 'code="500",', errors),
        line("request_duration_seconds_sum", "", seconds),
        line("request_duration_seconds_count", "", timed),
        ...buckets.map(({ le, count: within }) => line("request_duration_seconds_bucket", `le="${le}",`, within)),
      ].join("\n");
    }).join("\n");

  return {
    ...inner,
    ask: async (request: HttpRequest): Promise<Answer> => {
      await catchUp();
      if (request.port === METRICS_PORT) return site.isBlind ? await inner.ask(request) : { status: 200, headers: {}, body: metrics(), milliseconds: 4 };
      const answer = await inner.ask(request);
      const colour = COLOURS.find((candidate) => candidate === answer.headers["x-millwright-colour"]);
      const seconds = takes(colour ?? "green");
      if (request.port === FRONT_PORT && colour !== undefined) count(colour, seconds, answer.status >= 500);
      site.clock.pass(seconds * 200);
      return { ...answer, milliseconds: Math.round(seconds * 1000) };
    },
  };
}
