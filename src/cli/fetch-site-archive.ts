import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { asRoot } from "../bootstrap/admin-connection.ts";
import { isMissing } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { SITE_ARCHIVE } from "../recovery/kept-site.ts";
import { connectHost, fetchHostKey } from "../remote/connect.ts";
import { parseKnownHosts } from "../remote/known-hosts.ts";
import { describePlace, type SshAddress } from "../remote/ssh-target.ts";
import { knownHostsLine } from "../site/host-key.ts";
import { agreeToKey } from "./agree-to-key.ts";
import type { CliContext } from "./context.ts";
import { loginKeys } from "./host-link.ts";
import type { CommonOptions } from "./program.ts";

/** Of a host that no site folder knows yet; `line` pins its key. */
export interface NewHost extends SshAddress {
  readonly line: string;
}

const ADDRESS = /^(?:(?<user>[a-z_][a-z0-9_-]{0,31})@)?(?<address>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::(?<port>[1-9]\d{0,4}))?$/;
const USUAL_ADMIN = "admin";

/** `[user@]address[:port]`, as `--host` takes it. */
export function parseHost(text: string): SshAddress & { readonly isUserNamed: boolean } {
  const { user, address, port } = ADDRESS.exec(text)?.groups ?? {};
  if (address === undefined) {
    throw new MillwrightError("USAGE", `"${text}" is no address of a host.`, {
      subject: "--host",
      hint: "Say [user@]address[:port], such as admin@10.20.0.5.",
    });
  }
  return { user: user ?? USUAL_ADMIN, address: address.replace(/^\[|\]$/g, ""), port: Number(port ?? 22), isUserNamed: user !== undefined };
}

/** The host's key, as somebody has agreed to it. */
export async function meetHost(to: SshAddress, options: CommonOptions & { readonly fingerprint?: string }, context: CliContext): Promise<NewHost> {
  const place = describePlace(to);
  context.output.say(`Asking ${place} for its key …`);
  const nothing = parseKnownHosts("", "");
  const key = await fetchHostKey(to, { ...(await loginKeys(options, context)), knownHosts: nothing, signal: context.signal });
  await agreeToKey(place, key, options, context);
  return { ...to, line: knownHostsLine(to.address, to.port, key) };
}

/** Exactly one stack's; with several nobody knows which is meant. */
const FIND = `set -- /srv/millwright/*/backup/${SITE_ARCHIVE}
[ -e "$1" ] || exit 3
[ $# -eq 1 ] || { printf '%s\\n' "$@"; exit 4; }
exec cat "$1"`;

/** From the disk with the backups, where it is mounted on the new host. */
export async function siteArchiveOn(host: NewHost, options: CommonOptions, context: CliContext): Promise<string> {
  const { user, address } = host;
  context.output.say(`Looking for the site folder in the backups on ${user}@${address} …`);
  const knownHosts = parseKnownHosts(host.line, "--host");
  await using connection = await connectHost(host, { ...(await loginKeys(options, context)), knownHosts, signal: context.signal });
  const lines: string[] = [];
  const { code } = await asRoot(connection, ["sh", "-c", FIND], { onStdoutLine: (line) => lines.push(line), signal: context.signal });
  if (code === 0) return `${lines.join("\n")}\n`;
  if (code === 4) {
    throw new MillwrightError("BACKUP_NOT_FOUND", `${address} has the backups of several stacks.`, {
      subject: address,
      hint: "Copy the right one to this machine and name it with --repository.",
      details: lines,
    });
  }
  throw notFound(
    `/srv/millwright/<stack>/backup on ${address}`,
    "Mount the disk with the backups there, or name the folder, or the file, on this machine with --repository.",
  );
}

/** From a folder of this machine with the backups, or a copy of the file alone. */
export async function siteArchiveIn(path: string): Promise<string> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    return await readFile(isFolder ? join(path, SITE_ARCHIVE) : path, "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw notFound(path, `Name the folder that holds ${SITE_ARCHIVE}, or that file.`);
  }
}

function notFound(where: string, hint: string): MillwrightError {
  return new MillwrightError("BACKUP_NOT_FOUND", `There is no site folder of a backup (${SITE_ARCHIVE}) in ${where}.`, { subject: where, hint });
}
