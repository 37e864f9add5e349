import type { Colour } from "../blueprint/stack.ts";
import { stampOf } from "../docker/log-lines.ts";
import { timestamp } from "../kernel/clock.ts";
import { allProbes } from "./all-probes.ts";
import { projectOf } from "./colour-view.ts";
import { cronActivity } from "./cron-activity.ts";
import { type ErrorKind, ErrorLog } from "./error-log.ts";
import type { ProbeResult } from "./probes/probe.ts";
import { sampleTraffic } from "./sample-traffic.ts";
import { type Traffic, trafficBetween } from "./metrics.ts";
import type { SwapPolicy } from "./rules/rule.ts";
import type { Baseline, ContainerView, Round } from "./series.ts";
import type { SwapContext } from "./swap-context.ts";
import { SyntheticTraffic, syntheticPaths } from "./synthetic-traffic.ts";
import type { Active } from "./traffic.ts";
import { withHeaders } from "./with-headers.ts";

/** Of one round; who writes more than this in two seconds has written enough. */
const LOG_LINES = 1000;
/** Failed looks with what they met, for the reader; the series has all of them in a line each. */
const KEPT_FAILURES = 50;

interface Container extends ContainerView {
  readonly id: string;
}

/** What a new colour is watched for. */
export interface Watch {
  /** What the front door must answer with. */
  readonly expected: Active;
  /** Of a browser that is led to the new colour, while others are not. */
  readonly cookie?: string;
  /** The site's rules, with the time that this watch takes as the bake's. */
  readonly policy: SwapPolicy;
  /** Undefined for a first release. */
  readonly baseline: Baseline | undefined;
  /** The containers as they were when they were found good. */
  readonly before: readonly ContainerView[];
  /** When users came, in milliseconds since the epoch, and what the proxy had counted for the colour by then. */
  readonly since: number;
  readonly counted: Traffic;
  /** The old colour, while some users are on it still, and what the proxy had counted for it by then. */
  readonly old?: { readonly colour: Colour; readonly counted: Traffic };
}

/** Looks at a new colour, round by round. It only sees; `judgeBake` says what that means. */
export class BakeWatch implements Disposable {
  readonly #context: SwapContext;
  readonly #watch: Watch;
  readonly #began: number;
  readonly #synthetic: SyntheticTraffic;
  readonly #ask: () => Promise<readonly ProbeResult[]>;
  readonly #log: ErrorLog;
  readonly #readTo = new Map<string, string>();
  readonly #failures: ProbeResult[] = [];

  constructor(context: SwapContext, watch: Watch) {
    const { clock, stack } = context;
    const { baseline, cookie } = watch;
    this.#context = context;
    this.#watch = watch;
    this.#began = clock.now();
    const http = cookie === undefined ? context.http : withHeaders(context.http, { Cookie: cookie });
    this.#synthetic = new SyntheticTraffic({ stack, clock, http }, syntheticPaths(stack.facts, baseline?.failing ?? []));
    this.#ask = allProbes(context, watch.expected, this.#synthetic.http);
    this.#log = new ErrorLog(baseline?.logKinds);
  }

  /** Since the watch began. */
  get seconds(): number {
    return (this.#context.clock.now() - this.#began) / 1000;
  }

  /** New kinds of log entries, and the failed looks at probes, in full. */
  get evidence(): { readonly log: readonly ErrorKind[]; readonly failures: readonly ProbeResult[] } {
    return { log: this.#log.evidence, failures: this.#failures };
  }

  /** Everything at once. The scheduled jobs, which cost a query, are looked at when the bake has had its time. */
  async round(): Promise<Round> {
    const context = this.#context;
    const { seconds } = this;
    const { policy, before, since, counted, old } = this.#watch;
    const hasJobs = before.some(({ service }) => service === "cron");
    const isDue = hasJobs && seconds >= policy.bakeSeconds;
    const containers = await this.#found();
    const [probes, traffic, memory, cron] = await Promise.all([
      this.#ask(),
      sampleTraffic(context),
      this.#memory(containers),
      isDue ? cronActivity(context, context.colour, since) : undefined,
      this.#readLogs(containers),
    ]);
    this.#failures.push(...probes.filter(({ verdict }) => verdict === "fail"));
    this.#failures.splice(0, this.#failures.length - KEPT_FAILURES);
    return {
      at: timestamp(context.clock),
      seconds,
      probes: probes.map(({ name, verdict, milliseconds, detail }) => ({ name, verdict, milliseconds, ...(verdict === "pass" ? {} : { detail }) })),
      containers: containers.map(withoutId),
      ...(traffic === undefined ? {} : { traffic: trafficBetween(counted, traffic[context.colour]) }),
      ...(traffic === undefined || old === undefined ? {} : { old: trafficBetween(old.counted, traffic[old.colour]) }),
      synthetic: this.#synthetic.seen,
      ...(memory === undefined ? {} : { memory }),
      log: { entries: this.#log.entries, kinds: this.#log.kinds.length },
      ...(cron === undefined ? {} : { cron }),
    };
  }

  async containers(): Promise<readonly ContainerView[]> {
    return (await this.#found()).map(withoutId);
  }

  /** Begins so many synthetic requests. */
  sendSynthetic(count: number): void {
    this.#synthetic.begin(count);
  }

  [Symbol.dispose](): void {
    this.#synthetic.stop();
  }

  async #found(): Promise<readonly Container[]> {
    const found = await this.#context.docker.containers(projectOf(this.#context, this.#context.colour));
    return found.filter(({ service }) => service === "web" || service === "cron");
  }

  async #memory(containers: readonly Container[]): Promise<Round["memory"]> {
    const web = containers.find(({ service }) => service === "web");
    try {
      return web === undefined ? undefined : await this.#context.docker.memory(web.id);
    } catch {
      // A container that is gone is for the rule of the containers to tell.
      return undefined;
    }
  }

  async #readLogs(containers: readonly Container[]): Promise<void> {
    for (const { service, id } of containers) {
      try {
        const lines = await this.#context.docker.logsSince(id, this.#readTo.get(id) ?? stampOf(this.#watch.since), LOG_LINES);
        this.#log.read(service, lines);
        const last = lines.at(-1);
        if (last !== undefined) this.#readTo.set(id, last.at);
      } catch {
        // As with the memory.
      }
    }
  }
}

function withoutId({ service, state, restartCount, oomKilled }: Container): ContainerView {
  return { service, state, restartCount, oomKilled };
}
