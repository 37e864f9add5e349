import type { Duplex } from "node:stream";
import { type Algorithms, type AnyAuthMethod, Client, type ServerHostKeyAlgorithm } from "ssh2";
import { MillwrightError } from "../kernel/errors.ts";
import { fingerprint, hostKeyType } from "../site/host-key.ts";
import type { HostKeyVerdict } from "./known-hosts.ts";
import { describeAddress, type SshAddress } from "./ssh-target.ts";

/** What both sides may use: no SHA-1 and no CBC, and no compression, which has corrupted uploads (ssh2 #639). */
const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha256",
  ],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
  compress: ["none"],
} satisfies Algorithms;

const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

export interface ClientOptions {
  readonly to: SshAddress;
  /** A channel through a jump host; without it a socket of its own. */
  readonly through?: Duplex;
  readonly authentication: AnyAuthMethod[];
  /** Types of the pinned keys: asked for first, as OpenSSH does. */
  readonly pinnedTypes: readonly string[];
  /** Not a Promise: ssh2 takes a Promise for consent, even one of `false`. */
  readonly judge: (key: Buffer) => HostKeyVerdict;
  readonly readyMilliseconds: number;
  readonly signal: AbortSignal | undefined;
}

/** Connects and logs in to one host, or throws an error with its code. */
export async function openClient(options: ClientOptions): Promise<Client> {
  const { to, signal } = options;
  signal?.throwIfAborted();
  const client = new Client();
  let shown: { readonly key: Buffer; readonly verdict: HostKeyVerdict } | undefined;
  return await new Promise<Client>((resolve, reject) => {
    const fail = (error: unknown): void => {
      signal?.removeEventListener("abort", onAbort);
      client.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    // Stays for the life of the client: a reset that comes late would end the process otherwise (ssh2 #902).
    client.on("error", (error) => fail(shown !== undefined && shown.verdict !== "known" ? refusal(to, shown) : connectError(to, error)));
    client.once("close", () => fail(connectError(to, new Error("the connection was closed before the login"))));
    client.once("ready", () => {
      signal?.removeEventListener("abort", onAbort);
      resolve(client);
    });
    client.connect({
      host: to.address,
      port: to.port,
      username: to.user,
      ...(options.through === undefined ? {} : { sock: options.through }),
      authHandler: options.authentication,
      algorithms: { ...ALGORITHMS, serverHostKey: orderedHostKeys(options.pinnedTypes) },
      hostVerifier: (key: Buffer): boolean => {
        shown = { key, verdict: options.judge(key) };
        return shown.verdict === "known";
      },
      readyTimeout: options.readyMilliseconds,
      keepaliveInterval: 10_000,
      keepaliveCountMax: 3,
      agentForward: false,
    });
  });
}

function orderedHostKeys(pinned: readonly string[]): ServerHostKeyAlgorithm[] {
  const isPinned = (algorithm: string): boolean => pinned.includes(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);
  return [...HOST_KEY_ALGORITHMS.filter(isPinned), ...HOST_KEY_ALGORITHMS.filter((algorithm) => !isPinned(algorithm))];
}

function refusal(to: SshAddress, { key, verdict }: { readonly key: Buffer; readonly verdict: HostKeyVerdict }): MillwrightError {
  const subject = describeAddress(to);
  const shown = `It shows ${hostKeyType(key) ?? "a key"} ${fingerprint(key)}`;
  switch (verdict) {
    case "changed":
      return new MillwrightError("HOST_KEY_CHANGED", `The host's key is not the pinned one. ${shown}.`, {
        subject,
        hint: "Ask whoever runs the host whether it was reinstalled. Only then take its line out of known_hosts and run `millwright host trust`.",
      });
    case "revoked":
      return new MillwrightError("HOST_KEY_REVOKED", `known_hosts marks the host's key as revoked. ${shown}.`, { subject, hint: "Give the host new keys." });
    case "authority":
      return new MillwrightError(
        "HOST_KEY_UNKNOWN",
        `Only a certificate authority is pinned for the host, and host certificates are not supported. ${shown}.`,
        {
          subject,
          hint: "Pin the host's own key with `millwright host trust`.",
        },
      );
    case "known":
    case "unknown":
      return new MillwrightError("HOST_KEY_UNKNOWN", `The host's key is not pinned. ${shown}.`, {
        subject,
        hint: "Compare it with `ssh-keygen -l` on the host's own console, then run `millwright host trust`.",
      });
  }
}

function connectError(to: SshAddress, error: Error & { readonly level?: string; readonly code?: string }): MillwrightError {
  const subject = describeAddress(to);
  if (error.level === "client-authentication" || error.level === "agent" || /authentication failures/i.test(error.message)) {
    return new MillwrightError("LOGIN_REFUSED", `The host accepted none of our keys for the account ${to.user}.`, {
      subject,
      hint: "Check account and key. With many keys in the SSH agent, name the right one with --identity.",
      cause: error,
    });
  }
  if (error.level === "handshake") {
    return new MillwrightError("HOST_UNREACHABLE", `The host and millwright agree on no way to encrypt: ${error.message}.`, {
      subject,
      hint: "The host's sshd must allow the key exchange curve25519-sha256 and an AES or ChaCha20 cipher.",
      cause: error,
    });
  }
  return new MillwrightError("HOST_UNREACHABLE", `There is no SSH connection to the host: ${reasonOf(error)}.`, {
    subject,
    hint: "Check address, port, VPN and firewall; then try again.",
    cause: error,
  });
}

function reasonOf(error: Error & { readonly level?: string; readonly code?: string }): string {
  if (error.level === "client-timeout") return "it does not answer";
  switch (error.code) {
    case "ECONNREFUSED":
      return "it refuses connections on this port";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its name is not known";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no route to it";
    case undefined:
    default:
      return error.message;
  }
}
