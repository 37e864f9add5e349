import { createHmac, timingSafeEqual } from "node:crypto";
import { MillwrightError } from "../kernel/errors.ts";
import { hostKeyType, knownHostName } from "../site/host-key.ts";

/**
 * What the pinned keys say of a key that a host has shown. `changed`: keys of the host are pinned, and it is none of them. `authority`:
 * only a certificate authority is pinned for the host, which our SSH library cannot check.
 */
export type HostKeyVerdict = "known" | "unknown" | "changed" | "revoked" | "authority";

export interface KnownHosts {
  check(address: string, port: number, key: Uint8Array): HostKeyVerdict;
  /** Types of the keys pinned for a host, to be asked for first: a host with two keys must not look changed by showing the other one. */
  typesFor(address: string, port: number): readonly string[];
}

interface Line {
  readonly marker: "@revoked" | "@cert-authority" | undefined;
  readonly matches: (name: string) => boolean;
  readonly key: Buffer;
}

const LINE = /^(?:(?<marker>@[a-z-]+)[ \t]+)?(?<hosts>[^ \t]+)[ \t]+(?<type>[a-z0-9@.-]+)[ \t]+(?<key>[A-Za-z0-9+/]+={0,2})(?:[ \t].*)?$/;

/** Reads the text of a known_hosts file. A line that cannot be read is an error, since it might be the one that revokes a key. */
export function parseKnownHosts(text: string, path: string): KnownHosts {
  const lines = text.split(/\r?\n/).flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === "" || trimmed.startsWith("#") ? [] : [parseLine(trimmed, `${path}:${index + 1}`)];
  });
  const linesFor = (address: string, port: number): readonly Line[] => lines.filter((line) => line.matches(knownHostName(address, port)));
  return {
    check: (address, port, key) => verdictOf(linesFor(address, port), key),
    typesFor: (address, port) => [...new Set(linesFor(address, port).flatMap((line) => (line.marker === undefined ? [hostKeyType(line.key) ?? ""] : [])))],
  };
}

function verdictOf(lines: readonly Line[], key: Uint8Array): HostKeyVerdict {
  const sameKey = lines.filter((line) => line.key.equals(key));
  if (sameKey.some((line) => line.marker === "@revoked")) return "revoked";
  if (sameKey.some((line) => line.marker === undefined)) return "known";
  if (lines.some((line) => line.marker === undefined)) return "changed";
  return lines.some((line) => line.marker === "@cert-authority") ? "authority" : "unknown";
}

function parseLine(line: string, where: string): Line {
  const { marker, hosts, type, key } = LINE.exec(line)?.groups ?? {};
  if (hosts === undefined || key === undefined) throw invalid(where, "is not a line of known_hosts");
  if (marker !== undefined && marker !== "@revoked" && marker !== "@cert-authority") throw invalid(where, `has the unknown marker ${marker}`);
  const blob = Buffer.from(key, "base64");
  if (hostKeyType(blob) !== type) throw invalid(where, "holds a damaged key");
  return { marker, matches: hostMatcher(hosts, where), key: blob };
}

function hostMatcher(hosts: string, where: string): (name: string) => boolean {
  if (hosts.startsWith("|")) return hashedMatcher(hosts, where);
  const patterns = hosts.split(",").map((pattern) => {
    const isNegated = pattern.startsWith("!");
    return { isNegated, expression: patternExpression(isNegated ? pattern.slice(1) : pattern) };
  });
  return (name) => {
    const matching = patterns.filter(({ expression }) => expression.test(name));
    return matching.length > 0 && matching.every(({ isNegated }) => !isNegated);
  };
}

/** `|1|salt|hash`: HMAC-SHA1 with the salt as key over the name as it would be written, brackets and port included. */
function hashedMatcher(hosts: string, where: string): (name: string) => boolean {
  const [, version, salt = "", hash = ""] = hosts.split("|");
  const wanted = Buffer.from(hash, "base64");
  if (version !== "1" || wanted.length !== 20) throw invalid(where, "holds a damaged hashed name");
  return (name) => timingSafeEqual(createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest(), wanted);
}

/** `*` stands for any characters and `?` for one, as in OpenSSH; runs of stars are one, which keeps the expression quick. */
function patternExpression(pattern: string): RegExp {
  const source = pattern
    .toLowerCase()
    .replace(/\*+/g, "*")
    .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

function invalid(where: string, what: string): MillwrightError {
  return new MillwrightError("SITE_INVALID", `The line ${what}.`, {
    subject: where,
    hint: "Mend or remove the line; `millwright host trust` writes a new one.",
  });
}
