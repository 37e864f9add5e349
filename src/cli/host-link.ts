import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Verb } from "../agent/protocol.ts";
import { deployKeySchema } from "../bootstrap/wanted.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import { type CallOptions, sshCaller } from "../remote/call-verb.ts";
import { type ConnectOptions, connectHost } from "../remote/connect.ts";
import type { Connection } from "../remote/connection.ts";
import { parseKnownHosts } from "../remote/known-hosts.ts";
import type { SshTarget } from "../remote/ssh-target.ts";
import type { Environment } from "../site/environment.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";
import { exists, readIfThere } from "../kernel/durable-file.ts";
import type { Target } from "./target.ts";

/** The agent of a host as a command calls it: over SSH, or in this process with --local. */
export interface HostLink extends AsyncDisposable {
  /** The verb's result, still to be validated. */
  call(verb: Verb, words: readonly string[], options?: CallOptions): Promise<unknown>;
  /** SSH channels opened so far: each is a round trip. */
  readonly channels: number;
}

export async function openLink(target: Target, options: CommonOptions, context: CliContext): Promise<HostLink> {
  if (options.local === true) return (await import("./local-link.ts")).localLink(context);
  const connection = await openConnection(target, target.environment.host.deploy, options, context);
  const caller = sshCaller(connection);
  return {
    call: async (verb, words, call = {}) => (await caller.call(verb, words, { signal: context.signal, ...call })).result,
    get channels() {
      return connection.channels;
    },
    [Symbol.asyncDispose]: async () => await connection[Symbol.asyncDispose](),
  };
}

export async function openConnection(target: Target, user: string, options: CommonOptions, context: CliContext): Promise<Connection> {
  return await connectHost(sshTarget(target.environment, user), await connectOptions(target, options, context));
}

export async function connectOptions(target: Target, options: CommonOptions, context: CliContext): Promise<ConnectOptions> {
  const file = target.site.files.knownHosts;
  const knownHosts = parseKnownHosts((await readIfThere(file)) ?? "", file);
  return { ...(await loginKeys(options, context)), knownHosts, signal: context.signal };
}

export function sshTarget({ host }: Environment, user: string): SshTarget {
  return { address: host.address, port: host.port, user, ...(host.jump === undefined ? {} : { jump: host.jump }) };
}

function usualIdentity({ home }: CliContext): string {
  return join(home, ".ssh/id_ed25519");
}

/** --identity, MILLWRIGHT_IDENTITY, the SSH agent, or the usual file in ~/.ssh, in this order. */
export async function loginKeys(
  options: CommonOptions,
  context: CliContext,
): Promise<{ readonly identityFiles: readonly string[]; readonly agentSocket: string | undefined }> {
  const agentSocket = context.environment["SSH_AUTH_SOCK"] || undefined;
  const named = options.identity ?? (context.environment["MILLWRIGHT_IDENTITY"] ? [context.environment["MILLWRIGHT_IDENTITY"]] : []);
  if (named.length > 0 || agentSocket !== undefined) return { identityFiles: named, agentSocket };
  const usual = usualIdentity(context);
  return { identityFiles: (await exists(usual)) ? [usual] : [], agentSocket };
}

async function ownPublicKeys(options: CommonOptions, context: CliContext): Promise<readonly string[]> {
  const { identityFiles } = await loginKeys(options, context);
  if (identityFiles.length > 0) return identityFiles.map((file) => `${file}.pub`);
  // An SSH agent logs in with whatever it holds, and does not say which of it is to deploy from now on.
  const usual = `${usualIdentity(context)}.pub`;
  return (await exists(usual)) ? [usual] : [];
}

/** The public halves of the keys the operator logs in with: what may deploy, when nothing else is named. */
export async function deployKeys(
  files: readonly string[],
  options: CommonOptions,
  context: CliContext,
): Promise<readonly { readonly name: string; readonly key: string }[]> {
  const named = files.length > 0 ? files : await ownPublicKeys(options, context);
  if (named.length === 0) {
    throw new MillwrightError("KEY_UNUSABLE", "Nobody said whose key may deploy, and there is no ~/.ssh/id_ed25519.pub.", {
      hint: "Pass --deploy-key FILE.pub, or --identity FILE.",
    });
  }
  const keys = [];
  for (const file of named) {
    const text = await readFile(file, "utf8").catch((cause: unknown) => {
      throw new MillwrightError("KEY_UNUSABLE", "The public key cannot be read.", { subject: file, hint: "Pass --deploy-key FILE.pub.", cause });
    });
    const [type = "", blob = "", comment = ""] = text.trim().split(/\s+/);
    const name = (comment || context.user)
      .toLowerCase()
      .replaceAll(/[^a-z0-9@._-]/g, "-")
      .replace(/^[^a-z0-9]+/, "")
      .slice(0, 40);
    const key = `${type} ${blob}`;
    if (!deployKeySchema.shape.key.safeParse(key).success) {
      throw new MillwrightError("KEY_UNUSABLE", "The file holds no OpenSSH public key.", { subject: file, hint: "Pass --deploy-key FILE.pub." });
    }
    keys.push({ name: name === "" ? "operator" : name, key });
  }
  return keys;
}

/**
 * Calls a verb that tells a run, and draws it: live on a terminal, as lines or JSON lines elsewhere. Ctrl-C ends only the following; the
 * error says so. `onEvent` hears each event as well.
 */
export async function watchRun(
  link: HostLink,
  verb: Verb,
  args: readonly string[],
  context: CliContext,
  onEvent?: (event: MillwrightEvent) => void,
): Promise<unknown> {
  const view = context.output.live ? new (await import("./live-view.ts")).LiveView(context.output.paint, context.clock) : undefined;
  try {
    return await link.call(verb, args, {
      onEvent: (event) => {
        onEvent?.(event);
        if (view === undefined) context.output.event(event);
        else view.emit(event);
      },
    });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw new MillwrightError("INTERRUPTED", "Stopped following. The run goes on at the host.", {
      hint: "Watch it with `millwright follow`, or undo it with `millwright abort`.",
      cause: error,
    });
  } finally {
    await view?.close();
  }
}
