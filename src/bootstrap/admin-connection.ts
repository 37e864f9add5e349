import type { Readable } from "node:stream";
import { type ReplyLine, replyLineSchema } from "../agent/protocol.ts";
import { fromErrorRecord } from "../kernel/error-record.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Events } from "../kernel/events.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { lastLines, quoteWords } from "../kernel/shell.ts";
import { VERSION } from "../kernel/version.ts";

/** What bootstrap needs of an SSH connection. */
export interface AdminConnection extends AsyncDisposable {
  exec(command: string, options?: AdminExecOptions): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

export interface AdminExecOptions {
  readonly stdin?: Readable | Uint8Array;
  readonly onStdoutLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export const AGENT_FOLDER = `/opt/millwright/${VERSION}`;

/** A program as root. Without a terminal sudo cannot ask for a password, and must not need one. */
export async function asRoot(
  connection: AdminConnection,
  words: readonly string[],
  options: AdminExecOptions = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const result = await connection.exec(`LC_ALL=C sudo -n ${quoteWords(words)}`, options);
  if (/^sudo: .*password|not in the sudoers file|sudo: (command )?not found|may not run sudo/m.test(result.stderr)) {
    throw new MillwrightError("SUDO_NEEDED", "The admin account cannot use sudo on the host without a password.", {
      subject: "host.admin",
      hint: "On the host, as root: echo 'ADMIN ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ADMIN && chmod 440 /etc/sudoers.d/ADMIN (ADMIN is the account's name). After bootstrap it can be taken away again.",
      details: lastLines(result.stderr, 3),
    });
  }
  return result;
}

/** Calls the agent's bootstrap and returns its result; its events are passed on as they come, its error is thrown with its own code. */
export async function callBootstrap(
  connection: AdminConnection,
  words: readonly string[],
  options: { readonly request?: unknown; readonly events: Events; readonly signal?: AbortSignal },
): Promise<unknown> {
  let reply: Exclude<ReplyLine, { readonly event: unknown }> | undefined;
  const { code, stderr } = await asRoot(connection, [`${AGENT_FOLDER}/node`, `${AGENT_FOLDER}/agent.mjs`, "bootstrap", ...words], {
    stdin: Buffer.from(options.request === undefined ? "" : JSON.stringify(options.request)),
    onStdoutLine: (line) => {
      const parsed = replyLineSchema.safeParse(parseJson(line));
      // A greeting of the host's shell, not ours; the missing reply is what counts.
      if (!parsed.success) return;
      if ("event" in parsed.data) options.events.emit(parsed.data.event);
      else reply = parsed.data;
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (reply?.ok === true) return reply.result;
  if (reply?.ok === false) throw fromErrorRecord(reply.error);
  if (code === 127 || /sudo: .*: command not found/.test(stderr)) {
    throw new MillwrightError("AGENT_MISSING", `The host has no agent of version ${VERSION}.`, { subject: AGENT_FOLDER, hint: "millwright host bootstrap" });
  }
  throw new MillwrightError("LINK_LOST", "The connection broke before the host's answer came.", {
    hint: "Run `millwright host bootstrap` again: it finishes what was begun.",
    details: lastLines(stderr, 5),
  });
}
