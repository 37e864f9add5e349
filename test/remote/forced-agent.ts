import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { parseGateCommand } from "../../src/agent/gate.ts";
import { refuse, serveVerb, type VerbTable } from "../../src/agent/serve.ts";
import { asMillwrightError, MillwrightError } from "../../src/kernel/errors.ts";
import { VERSION } from "../../src/kernel/version.ts";

/** An agent behind a forced command, with verbs that do what the tests of the remote room need. */
const table: VerbTable = {
  hello: async ({ events }) => {
    for (let index = 0; index < 3; index += 1) events.emit({ kind: "note", at: "2026-11-24T02:00:00.000Z", level: "info", text: `note ${index}` });
    return { result: { shell: process.env["SSH_ORIGINAL_COMMAND"] } };
  },
  plan: async ({ payload }) => ({ result: payload }),
  status: () => Promise.reject(new MillwrightError("LOCK_HELD", "busy", { subject: "run 1", hint: "wait", details: ["one"] })),
  history: async () => {
    process.stderr.write("out of memory\n");
    process.kill(process.pid, "SIGKILL");
    return { result: 1 };
  },
  "release-load": async ({ payload }) => {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of payload as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { result: { bytes, sha256: hash.digest("hex") } };
  },
  "release-export": async () => {
    const bytes = randomBytes(3 * 1024 * 1024);
    return { result: { sha256: createHash("sha256").update(bytes).digest("hex") }, body: Readable.from([bytes, Buffer.from("end")]) };
  },
  follow: async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { result: 1 };
  },
};

async function main(): Promise<number> {
  try {
    const { verb, words } = parseGateCommand(process.env["SSH_ORIGINAL_COMMAND"], VERSION);
    return await serveVerb(table, verb, words, "jo", { input: process.stdin, output: process.stdout });
  } catch (error) {
    return refuse(asMillwrightError(error), process.stdout);
  }
}

process.exit(await main());
