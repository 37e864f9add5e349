import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";

/** Looks into a container's own network. */
export interface Connections {
  /** Established connections to a local port of the process's network, from these peers (from anyone when empty). */
  established(pid: number, port: number, peers: readonly string[]): Promise<number>;
}

export const procConnections: Connections = {
  established: async (pid, port, peers) => {
    const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8")));
    return tables.reduce((sum, table) => sum + countEstablished(table, port, peers), 0);
  },
};

const ESTABLISHED = "01";

/** Counts the lines of a /proc/net/tcp or tcp6 table that are established connections to a local port. */
export function countEstablished(table: string, port: number, peers: readonly string[]): number {
  const wanted = new Set(peers.filter((peer) => isIPv4(peer)).map(hexOf));
  return table.split("\n").filter((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || state !== ESTABLISHED) return false;
    if (Number.parseInt(local.split(":")[1] ?? "", 16) !== port) return false;
    // An IPv4 peer of a dual-stack socket stands in the last word of its address.
    return wanted.size === 0 || wanted.has((remote.split(":")[0] ?? "").slice(-8));
  }).length;
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
