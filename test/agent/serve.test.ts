import { PassThrough, Readable, Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ReplyLine, replyLineSchema, type Verb } from "../../src/agent/protocol.ts";
import { replyWriter, serveVerb, type VerbTable } from "../../src/agent/serve.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { VERSION } from "../../src/kernel/version.ts";

interface Served {
  readonly status: number;
  readonly output: Buffer;
  readonly lines: readonly ReplyLine[];
}

async function serve(table: VerbTable, verb: Verb, words: readonly string[], input: Uint8Array = Buffer.alloc(0)): Promise<Served> {
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on("data", (chunk: Buffer) => chunks.push(chunk));
  const status = await serveVerb(table, verb, words, "jo", { input: Readable.from([input]), output });
  const bytes = Buffer.concat(chunks);
  const lines = bytes.toString().split("\n").slice(0, -1);
  return { status, output: bytes, lines: lines.flatMap((line) => (line.startsWith("{") ? [replyLineSchema.parse(JSON.parse(line))] : [])) };
}

const STACK = "acme-test";
const IMAGE = `sha256:${"a".repeat(64)}`;

describe("serving a verb", () => {
  it("writes the events and then one result, each on a line of JSON", async () => {
    const table: VerbTable = {
      status: async ({ args, who, events }) => {
        events.emit({ kind: "note", at: "2026-11-24T02:00:00.000Z", level: "info", text: "two\nlines" });
        return { result: { stack: args.stack, who } };
      },
    };
    const { status, lines } = await serve(table, "status", [STACK]);
    expect(status).toBe(0);
    expect(lines).toEqual([{ event: expect.objectContaining({ text: "two\nlines" }) }, { ok: true, agent: VERSION, result: { stack: STACK, who: "jo" } }]);
  });

  it("turns a failure into one error line and the exit status of its code", async () => {
    const table: VerbTable = { status: () => Promise.reject(new MillwrightError("LOCK_HELD", "busy", { hint: "wait" })) };
    const { status, lines } = await serve(table, "status", [STACK]);
    expect([status, lines]).toEqual([5, [{ ok: false, agent: VERSION, error: { code: "LOCK_HELD", message: "busy", hint: "wait" } }]]);
  });

  it("refuses arguments that do not fit, although the gate has looked at them", async () => {
    const { status, lines } = await serve({ status: async () => ({ result: 1 }) }, "status", ["../etc"]);
    expect([status, lines[0]]).toMatchObject([2, { ok: false, error: { code: "GATE_REFUSED" } }]);
  });

  it("lets no secret out, in an event, a result or an error", async () => {
    const secret = new Secret("the-database-password");
    const table: VerbTable = {
      status: async ({ events }) => {
        events.emit({ kind: "note", at: "", level: "info", text: secret.reveal() });
        return { result: { deep: [secret.reveal()] } };
      },
      history: () => Promise.reject(new Error(`cannot log in with ${secret.reveal()}`)),
    };
    const outputs = [await serve(table, "status", [STACK]), await serve(table, "history", [STACK])];
    for (const { output } of outputs) expect(output.toString()).not.toContain("the-database");
  });

  it("reads a JSON payload, plain or zipped", async () => {
    const payloads: unknown[] = [];
    const table: VerbTable = {
      lock: async ({ payload }) => ({ result: payloads.push(payload) }),
      plan: async ({ payload }) => ({ result: payloads.push(payload) }),
    };
    await serve(table, "lock", [], Buffer.from('{"a":1}'));
    await serve(table, "plan", [STACK], gzipSync('{"b":2}'));
    expect(payloads).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it.each<readonly [string, Verb, readonly string[], Uint8Array]>([
    ["cut short", "lock", [], Buffer.from('{"a":')],
    ["too big", "lock", [], Buffer.alloc(4 * 1024 * 1024 + 1, " ")],
    ["not zipped", "plan", [STACK], Buffer.from("{}")],
    ["zipped and cut short", "plan", [STACK], gzipSync("x".repeat(1000)).subarray(0, 20)],
    ["too big when unzipped", "plan", [STACK], gzipSync(Buffer.alloc(33 * 1024 * 1024))],
  ])("refuses a payload that is %s", async (_, verb, words, input) => {
    const table: VerbTable = { lock: async () => ({ result: 1 }), plan: async () => ({ result: 1 }) };
    const { status, lines } = await serve(table, verb, words, input);
    expect([status, lines[0]]).toMatchObject([2, { ok: false, error: { code: "PAYLOAD_INVALID" } }]);
  });

  it("hands the bytes of a stream on as they come", async () => {
    const table: VerbTable = { "release-load": async ({ payload }) => ({ result: Buffer.concat(await payload.toArray()).toString("hex") }) };
    const { lines } = await serve(table, "release-load", [STACK, IMAGE], Buffer.from([0, 10, 13, 255]));
    expect(lines).toMatchObject([{ result: "000a0dff" }]);
  });

  it("sends a body behind the result", async () => {
    const bytes = Buffer.from([0, 10, 13, 255, 10]);
    const table: VerbTable = { "release-export": async () => ({ result: { image: IMAGE }, body: Readable.from([bytes]) }) };
    const { status, output } = await serve(table, "release-export", [STACK, IMAGE], Buffer.from("{}"));
    expect(status).toBe(0);
    expect(output.subarray(output.indexOf(10) + 1)).toEqual(bytes);
  });

  it("ends with a bad status, and nothing that could be taken for bytes of it, when a body breaks", async () => {
    const body = Readable.from(
      (async function* () {
        yield Buffer.from("part");
        throw new Error("disk");
      })(),
    );
    const { status, output } = await serve({ "release-export": async () => ({ result: 1, body }) }, "release-export", [STACK, IMAGE], Buffer.from("{}"));
    expect(status).toBe(1);
    expect(output.toString().split("\n")[1]).toBe("part");
  });

  it("tells a verb when its caller is gone, and does not fall over itself", async () => {
    const output = new PassThrough();
    const table: VerbTable = {
      follow: async ({ events, signal }) => {
        output.destroy(new Error("EPIPE"));
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        events.emit({ kind: "note", at: "", level: "info", text: "to nobody" });
        return { result: 1 };
      },
    };
    expect(await serveVerb(table, "follow", [STACK], "jo", { input: Readable.from([]), output })).toBe(0);
  });
});

describe("telling a caller whose link breaks", () => {
  it("ends the telling and nothing else", async () => {
    const written: string[] = [];
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (written.length === 2) return done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
        written.push(chunk.toString());
        done();
      },
    });
    const write = replyWriter(output);
    for (const text of ["one", "two", "three", "four"]) {
      write({ event: { kind: "note", at: "", level: "info", text } });
      // An error that nobody listens to would end the process here, as it would end a bootstrap in the middle of a change.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written.map((line) => JSON.parse(line).event.text)).toEqual(["one", "two"]);
  });
});
