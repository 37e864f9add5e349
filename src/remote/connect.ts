import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { Connection } from "./connection.ts";
import type { KnownHosts } from "./known-hosts.ts";
import { authMethods, type LoginKeys } from "./login-keys.ts";
import { openClient } from "./ssh-client.ts";
import { describeAddress, type SshAddress, type SshTarget } from "./ssh-target.ts";

export interface ConnectOptions extends LoginKeys {
  readonly knownHosts: KnownHosts;
  readonly signal?: AbortSignal;
  /** For handshake and login together, at each hop. */
  readonly readyMilliseconds?: number;
}

const READY_MILLISECONDS = 20_000;

/** Connects to a host, through its jump host if it has one. Every hop must show a key that is pinned for its own name. */
export async function connectHost(target: SshTarget, options: ConnectOptions): Promise<Connection> {
  if (target.jump === undefined) return new Connection(target, await login(target, options), undefined);
  const jump = new Connection(target.jump, await login(target.jump, options), undefined);
  try {
    const through = await forward(jump, target);
    return new Connection(target, await login(target, options, through), jump);
  } catch (error) {
    await jump[Symbol.asyncDispose]();
    throw error;
  }
}

/** The key that a host shows, for a person to compare and pin; a jump host on the way must be pinned already. Nothing is sent to the host. */
export async function fetchHostKey(target: SshTarget, options: ConnectOptions): Promise<Buffer> {
  const jump = target.jump === undefined ? undefined : new Connection(target.jump, await login(target.jump, options), undefined);
  let shown: Buffer | undefined;
  try {
    const through = jump === undefined ? undefined : await forward(jump, target);
    const client = await openClient({
      to: target,
      ...(through === undefined ? {} : { through }),
      authentication: [],
      pinnedTypes: [],
      judge: (key) => {
        shown = key;
        return "unknown";
      },
      readyMilliseconds: options.readyMilliseconds ?? READY_MILLISECONDS,
      signal: options.signal,
    });
    client.destroy();
  } catch (error) {
    if (shown === undefined) throw error;
  } finally {
    await jump?.[Symbol.asyncDispose]();
  }
  if (shown === undefined) throw new MillwrightError("HOST_UNREACHABLE", "The host showed no key.", { subject: describeAddress(target) });
  return shown;
}

async function login(to: SshAddress, options: ConnectOptions, through?: Duplex): Promise<Client> {
  return await openClient({
    to,
    ...(through === undefined ? {} : { through }),
    authentication: await authMethods(to.user, options),
    pinnedTypes: options.knownHosts.typesFor(to.address, to.port),
    judge: (key) => options.knownHosts.check(to.address, to.port, key),
    readyMilliseconds: options.readyMilliseconds ?? READY_MILLISECONDS,
    signal: options.signal,
  });
}

async function forward(jump: Connection, target: SshAddress): Promise<Duplex> {
  try {
    return await jump.forward(target.address, target.port);
  } catch (error) {
    throw new MillwrightError("JUMP_REFUSED", `The jump host does not reach the host or may not forward to it: ${messageOf(error)}.`, {
      subject: `${describeAddress(jump.target)} → ${describeAddress(target)}`,
      hint: "Check the host's address as the jump host sees it, and AllowTcpForwarding there.",
      cause: error,
    });
  }
}
