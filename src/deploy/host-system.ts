import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing, readIfThere } from "../kernel/durable-file.ts";

/** What deploying asks of the machine itself. */
export interface HostSystem {
  /** Free bytes of the file system that holds a path, or its nearest parent that exists. */
  freeBytes(path: string): Promise<number>;
  /** TCP sockets that listen. */
  listeners(): Promise<readonly Listener[]>;
}

export interface Listener {
  /** `0.0.0.0` and `::` mean every address. */
  readonly address: string;
  readonly port: number;
}

export const linuxHost: HostSystem = {
  async freeBytes(path) {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch (error) {
      if (!isMissing(error) || path === "/") throw error;
      return await linuxHost.freeBytes(dirname(path));
    }
  },
  async listeners() {
    // A kernel without IPv6 has no tcp6.
    const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readIfThere));
    return tables.flatMap((table) => parseListeners(table ?? ""));
  },
};

const LISTEN = "0A";

/** The listening sockets of a /proc/net/tcp or tcp6 table: addresses are hexadecimal, each 32-bit word in the machine's (little-endian) order. */
export function parseListeners(table: string): readonly Listener[] {
  return table.split("\n").flatMap((line) => {
    const match = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line);
    if (match === null || match[3] !== LISTEN) return [];
    return [{ address: addressOf(match[1] ?? ""), port: Number.parseInt(match[2] ?? "", 16) }];
  });
}

function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  const isMapped = hex.startsWith("0000000000000000FFFF0000");
  if (bytes.length === 4 || isMapped)
    return bytes
      .slice(-4)
      .map((byte) => Number.parseInt(byte, 16))
      .join(".");
  if (bytes.every((byte) => byte === "00")) return "::";
  return (bytes.join("").match(/.{4}/g) ?? []).map((group) => group.toLowerCase().replace(/^0{1,3}/, "")).join(":");
}

const EVERY = ["", "0.0.0.0", "::"];

/** Whether a socket that listens stands in the way of publishing a port. */
export function blocks(listener: Listener, wanted: { readonly address: string; readonly port: number }): boolean {
  if (listener.port !== wanted.port) return false;
  return EVERY.includes(listener.address) || EVERY.includes(wanted.address) || listener.address === wanted.address;
}
