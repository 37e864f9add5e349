import { isIPv4 } from "node:net";
import { hasCode, readIfThere } from "../kernel/durable-file.ts";

/** Looks into a container's own network. */
export interface Connections {
  /** Established connections to a local port of the process's network, from these peers (from anyone when empty). */
  established(pid: number, port: number, peers: readonly string[]): Promise<number>;
  /** Connections that the process's network is trying to open to a port of one of these addresses and that nobody has taken yet. */
  dialling(pid: number, port: number, addresses: readonly string[]): Promise<number>;
}

export const procConnections: Connections = {
  established: async (pid, port, peers) => (await tablesOf(pid)).reduce((sum, table) => sum + countEstablished(table, port, peers), 0),
  dialling: async (pid, port, addresses) => (await tablesOf(pid)).reduce((sum, table) => sum + countDialling(table, port, addresses), 0),
};

async function tablesOf(pid: number): Promise<readonly string[]> {
  return await Promise.all(["tcp", "tcp6"].map((name) => readTable(`/proc/${pid}/net/${name}`)));
}

/** A process that ended since it was looked up has no connections left: to a drain, that is a good end. */
async function readTable(path: string): Promise<string> {
  try {
    return (await readIfThere(path)) ?? "";
  } catch (error) {
    if (hasCode(error, "ESRCH")) return "";
    throw error;
  }
}

const ESTABLISHED = "01";
const SYN_SENT = "02";

/** Counts the lines of a /proc/net/tcp or tcp6 table that are established connections to a local port. */
export function countEstablished(table: string, port: number, peers: readonly string[]): number {
  return entriesOf(table).filter(({ local, remote, state }) => state === ESTABLISHED && portOf(local) === port && isOf(remote, peers)).length;
}

/** Counts the lines that are connections being opened to a remote port: the other side's listen queue is full, or it does not listen. */
export function countDialling(table: string, port: number, addresses: readonly string[]): number {
  return entriesOf(table).filter(({ remote, state }) => state === SYN_SENT && portOf(remote) === port && isOf(remote, addresses)).length;
}

interface Entry {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
}

function entriesOf(table: string): readonly Entry[] {
  return table.split("\n").flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/);
    return local === undefined || remote === undefined || state === undefined ? [] : [{ local, remote, state }];
  });
}

function portOf(end: string): number {
  return Number.parseInt(end.split(":")[1] ?? "", 16);
}

/** Whether an end of a connection is one of these addresses; any is when there are none. */
function isOf(end: string, addresses: readonly string[]): boolean {
  const wanted = addresses.filter((address) => isIPv4(address)).map(hexOf);
  // An IPv4 peer of a dual-stack socket stands in the last word of its address.
  return wanted.length === 0 || wanted.includes((end.split(":")[0] ?? "").slice(-8));
}

/** An IPv4 address as the kernel prints it: the word in the machine's byte order, which is little-endian wherever Odoo runs. */
function hexOf(address: string): string {
  return address
    .split(".")
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}
