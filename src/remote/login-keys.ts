import { readFile } from "node:fs/promises";
import ssh2, { type AnyAuthMethod, type IdentityCallback, type ParsedKey } from "ssh2";
import { MillwrightError } from "../kernel/errors.ts";
import type { Secret } from "../kernel/secret.ts";

// ssh2 is CommonJS, and Node finds only some of its exports by name.
const { OpenSSHAgent, utils } = ssh2;

export interface LoginKeys {
  /** Private keys, or public ones whose private half an SSH agent holds. */
  readonly identityFiles: readonly string[];
  /** SSH_AUTH_SOCK. */
  readonly agentSocket: string | undefined;
}

/**
 * What to log in with, in order. With identity files, only their keys are offered, as with OpenSSH's IdentitiesOnly: an agent full of
 * other keys uses up the server's tries before ours. A locked key, and one in hardware, is used through the agent.
 */
export async function authMethods(user: string, keys: LoginKeys): Promise<AnyAuthMethod[]> {
  const { identityFiles, agentSocket } = keys;
  if (identityFiles.length > 0) return await Promise.all(identityFiles.map((file) => methodOf(user, file, agentSocket)));
  if (agentSocket !== undefined) return [{ type: "agent", username: user, agent: agentSocket }];
  throw new MillwrightError("KEY_UNUSABLE", "There is no key to log in with: neither an identity file nor an SSH agent.", {
    hint: "Start an SSH agent and `ssh-add` your key, or name its file with --identity.",
  });
}

async function methodOf(user: string, file: string, agentSocket: string | undefined): Promise<AnyAuthMethod> {
  const key = parse(await read(file));
  if (key?.isPrivateKey() === true) return { type: "publickey", username: user, key };
  const publicKey = key ?? parse(await read(`${file}.pub`).catch(() => Buffer.alloc(0)));
  if (publicKey === undefined || agentSocket === undefined) {
    throw new MillwrightError("KEY_UNUSABLE", "The key is locked with a passphrase, in hardware, or not one that can be read.", {
      subject: file,
      hint: `Add it to your SSH agent with \`ssh-add ${file}\`, and keep its .pub file beside it.`,
    });
  }
  return { type: "agent", username: user, agent: new OneKeyAgent(agentSocket, publicKey) };
}

/** An SSH agent that offers only one of its keys. */
class OneKeyAgent extends OpenSSHAgent {
  readonly #key: ParsedKey;

  constructor(socket: string, key: ParsedKey) {
    super(socket);
    this.#key = key;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    const wanted = this.#key.getPublicSSH();
    super.getIdentities((error, keys) =>
      callback(
        error ?? null,
        keys?.filter((key) => wanted.equals(publicPartOf(key))),
      ),
    );
  }
}

function publicPartOf(key: unknown): Buffer {
  const parsed = key instanceof Buffer || typeof key === "string" ? parse(Buffer.from(key)) : (key as ParsedKey);
  return parsed?.getPublicSSH() ?? Buffer.alloc(0);
}

/** Whether it is a private key that can be used without a passphrase, as OpenSSH writes it or as PEM. */
export function isOpenLoginKey(key: Secret): boolean {
  return key.reveal().startsWith("-----BEGIN ") && parse(Buffer.from(key.reveal()))?.isPrivateKey() === true;
}

/** Undefined for what is not a key, and for a private key under a passphrase. */
function parse(text: Buffer): ParsedKey | undefined {
  const parsed: ParsedKey | ParsedKey[] | Error = utils.parseKey(text);
  if (parsed instanceof Error) return undefined;
  return Array.isArray(parsed) ? parsed[0] : parsed;
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new MillwrightError("KEY_UNUSABLE", "The identity file cannot be read.", { subject: file, hint: "Name another one with --identity.", cause: error });
  }
}
