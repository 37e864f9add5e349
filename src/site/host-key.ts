import { createHash } from "node:crypto";

/** A host key as a person compares it: `SHA256:…`, the same as `ssh-keygen -l` prints. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The key's type, such as `ssh-ed25519`: the first string of its blob. Undefined when the blob is not a key's. */
export function hostKeyType(key: Uint8Array): string | undefined {
  const bytes = Buffer.from(key);
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  const type = bytes.subarray(4, 4 + length).toString("latin1");
  return type.length === length && /^[a-z0-9@.-]{1,64}$/.test(type) ? type : undefined;
}

/** A host's name as known_hosts writes it: with brackets and port for every port but 22. */
export function knownHostName(address: string, port: number): string {
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The line that pins a key, without a comment. */
export function knownHostsLine(address: string, port: number, key: Uint8Array): string {
  return `${knownHostName(address, port)} ${hostKeyType(key) ?? "unknown"} ${Buffer.from(key).toString("base64")}`;
}
