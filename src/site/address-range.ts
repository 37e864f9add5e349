import { isIPv4, isIPv6 } from "node:net";

export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly prefix: number;
}

/** `192.168.10.0/24` as numbers; undefined when it is not a range, or its address is not the first one of it. */
export function parseRange(written: string): AddressRange | undefined {
  const [address = "", bits = "", rest] = written.split("/");
  const first = parseAddress(address);
  const prefix = Number(bits);
  if (first === undefined || rest !== undefined || !/^\d{1,3}$/.test(bits) || prefix > width(first.family)) return undefined;
  if ((first.value & ((1n << BigInt(width(first.family) - prefix)) - 1n)) !== 0n) return undefined;
  return { family: first.family, first: first.value, prefix };
}

/** True when an address (or the range's every address) lies in the range. Names and the other family never do. */
export function rangeHolds(range: AddressRange, address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.family !== range.family) return false;
  const shift = BigInt(width(range.family) - range.prefix);
  return parsed.value >> shift === range.first >> shift;
}

export function rangesOverlap(one: AddressRange, other: AddressRange): boolean {
  if (one.family !== other.family) return false;
  const shift = BigInt(width(one.family) - Math.min(one.prefix, other.prefix));
  return one.first >> shift === other.first >> shift;
}

function width(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function parseAddress(address: string): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  if (isIPv4(address)) return { family: 4, value: fold(address.split(".").map(Number), 8n) };
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const mixed = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain = mixed === null ? address : `${mixed[1]}${pair(mixed[2], mixed[3])}:${pair(mixed[4], mixed[5])}`;
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right].map((group) => Number.parseInt(group, 16));
  return { family: 6, value: fold(groups, 16n) };
}

function pair(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

function fold(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bits) | BigInt(part), 0n);
}
