import { randomBytes } from "node:crypto";
import https from "node:https";
import type { LoadOptions, LoadReport } from "./load.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as LoadOptions;
const TIMEOUT_MILLISECONDS = 30_000;
const agent = new https.Agent({ keepAlive: true, maxSockets: 200 });
const durations: number[] = [];
const goodAt: number[] = [];
const failures: string[] = [];
const failedSpans: { readonly began: number; readonly ended: number }[] = [];
const heldLostAt: number[] = [];
const colours: Record<string, { answers: number; first: number; last: number }> = {};
const good: { readonly began: number; readonly colour: string }[] = [];
const counts = { sent: 0, failed: 0, sentAgain: 0, slowSent: 0, slowFailed: 0, reconnects: 0, away: 0 };
const stopping = new AbortController();
let pending = 0;

interface Answer {
  readonly ok: boolean;
  readonly detail: string;
}

function request(path: string): Promise<Answer> {
  const began = Date.now();
  pending += 1;
  return new Promise<Answer>((resolve) => {
    const finish = (answer: Answer): void => {
      pending -= 1;
      resolve(answer);
    };
    const outgoing = https.request(
      {
        host: options.address,
        port: options.port,
        servername: options.domain,
        path,
        agent,
        rejectUnauthorized: false,
        headers: { host: options.domain },
        timeout: TIMEOUT_MILLISECONDS,
      },
      (response) => {
        let [bytes, head] = [0, ""];
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (head === "") head = chunk.toString("utf8", 0, 200);
        });
        response.on("error", (error) => finish({ ok: false, detail: `${path}: ${error.message}` }));
        response.on("end", () => {
          const colour = String(response.headers["x-millwright-colour"] ?? "none");
          const now = Date.now();
          const seen = (colours[colour] ??= { answers: 0, first: now, last: now });
          seen.answers += 1;
          // When the request began decides which release it was given to.
          seen.last = Math.max(seen.last, began);
          const ok = response.statusCode === 200 && bytes > 0;
          if (ok) good.push({ began, colour });
          finish({ ok, detail: ok ? "" : `${path}: status ${response.statusCode} from ${colour} at ${new Date(now).toISOString()}: ${head}` });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("timed out")));
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (options.sendsAgain === true && outgoing.reusedSocket && error.code === "ECONNRESET") {
        pending -= 1;
        counts.sentAgain += 1;
        resolve(request(path));
      } else finish({ ok: false, detail: `${path}: ${error.message} at ${new Date().toISOString()}` });
    });
    outgoing.end();
  });
}

async function one(): Promise<void> {
  const [began, beganAt] = [performance.now(), Date.now()];
  counts.sent += 1;
  const answer = await request(options.path);
  if (answer.ok) {
    durations.push(performance.now() - began);
    goodAt.push(performance.now());
  } else {
    counts.failed += 1;
    failedSpans.push({ began: beganAt, ended: Date.now() });
    if (failures.length < 20) failures.push(answer.detail);
  }
}

async function slow(): Promise<void> {
  while (!stopping.signal.aborted) {
    counts.slowSent += 1;
    const answer = await request(options.slowPath);
    if (!answer.ok) {
      counts.slowFailed += 1;
      if (failures.length < 20) failures.push(answer.detail);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

let awaySince: number | undefined;
const awayNow = (): number => (awaySince === undefined ? 0 : Date.now() - awaySince);

function openWebsocket(on: { readonly open: () => void; readonly lost: () => void; readonly refused: () => void }): void {
  const outgoing = https.request({
    host: options.address,
    port: options.port,
    servername: options.domain,
    path: "/websocket?version=19.0-2",
    rejectUnauthorized: false,
    headers: {
      host: options.domain,
      origin: `https://${options.domain}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
    },
  });
  outgoing.on("upgrade", (_response, socket) => {
    on.open();
    socket.resume();
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (!stopping.signal.aborted) on.lost();
    });
    stops.push(() => socket.destroy());
  });
  outgoing.on("response", (response) => {
    response.resume();
    on.refused();
  });
  outgoing.on("error", on.refused);
  outgoing.end();
}

/** Holds one websocket open and counts how often and how long it was away; reconnects after a second, as Odoo's own client does. */
function websocket(): void {
  if (stopping.signal.aborted) return;
  const again = (): void => {
    awaySince ??= Date.now();
    if (!stopping.signal.aborted) setTimeout(websocket, 1000);
  };
  openWebsocket({
    open: () => {
      counts.away += awayNow();
      awaySince = undefined;
    },
    lost: () => {
      counts.reconnects += 1;
      again();
    },
    refused: again,
  });
}

/**
 * Opens so many, one after the other: Odoo's websocket process answers 500 to what is opened beyond its connections to the database at the same
 * moment. One that could not be opened counts as lost, so that nobody takes it for held.
 */
async function hold(count: number): Promise<void> {
  const lost = (): void => void heldLostAt.push(Date.now());
  for (let opened = 0; opened < count; opened += 1) {
    await new Promise<void>((resolve) => {
      const refused = (): void => {
        lost();
        resolve();
      };
      openWebsocket({ open: resolve, lost, refused });
    });
  }
}
const stops: (() => void)[] = [];

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function movesOf(answers: readonly { readonly began: number; readonly colour: string }[]): readonly string[] {
  const inTurn = [...answers].sort((a, b) => a.began - b.began).map(({ colour }) => colour);
  return inTurn.filter((colour, index) => colour !== inTurn[index - 1]);
}

function report(): LoadReport {
  const sorted = [...durations].sort((a, b) => a - b);
  const times = [...goodAt].sort((a, b) => a - b);
  // Also from the last good answer to the end: an outage that lasts must not look like none.
  const ends = [...times.slice(1), Math.max(stoppedAt, times.at(-1) ?? began)];
  const gap = ends.reduce((longest, time, index) => Math.max(longest, time - (times[index] ?? began)), 0);
  return {
    sent: counts.sent,
    failed: counts.failed,
    failures,
    failedSpans,
    longestGapMilliseconds: Math.round(gap),
    p50Milliseconds: Math.round(percentile(sorted, 0.5)),
    p99Milliseconds: Math.round(percentile(sorted, 0.99)),
    slowSent: counts.slowSent,
    slowFailed: counts.slowFailed,
    sentAgain: counts.sentAgain,
    websocketReconnects: counts.reconnects,
    websocketAwayMilliseconds: counts.away + awayNow(),
    heldLostAt,
    colours,
    moves: movesOf(good),
  };
}

const began = performance.now();
let stoppedAt = began;
let started = 0;
const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - began) / 1000) * options.rate);
  while (started < due) {
    started += 1;
    void one();
  }
}, 5);
if (options.slowPath !== "") void slow();
if (options.websocket) websocket();
await hold(options.held);
process.send?.("started");

process.on("disconnect", () => process.exit(0));
process.on("message", () => {
  clearInterval(timer);
  stoppedAt = performance.now();
  stopping.abort();
  const wait = setInterval(() => {
    if (pending > 0) return;
    clearInterval(wait);
    for (const stop of stops) stop();
    agent.destroy();
    process.send?.(report());
  }, 20);
});
