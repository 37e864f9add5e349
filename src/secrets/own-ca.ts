import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { Secret } from "../kernel/secret.ts";

/** The plant's own certificate authority: its certificate goes into browsers once, its key never leaves the operators' vault. */
export interface Authority {
  readonly certificate: string;
  readonly key: Secret;
}

export interface Leaf {
  /** PEM: the certificate, then the authority's. */
  readonly chain: string;
  readonly key: Secret;
}

export const KEY = { name: "ECDSA", namedCurve: "P-256" };
export const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const DAY = 86_400_000;
/** Browsers refuse a longer life than 398 days. */
const LEAF_DAYS = 397;
const AUTHORITY_DAYS = 3650;
const NAME_CONSTRAINTS = "2.5.29.30";

/**
 * Makes an authority that can vouch for these domains and what lies under them, and for nothing else: whoever steals its key cannot pretend to be
 * any other site to the browsers that trust it.
 */
export async function makeAuthority(options: { readonly company: string; readonly domains: readonly string[]; readonly clock: Clock }): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: subjectOf(`${options.company} plant CA`),
    issuer: subjectOf(`${options.company} plant CA`),
    ...validity(options.clock, AUTHORITY_DAYS),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(NAME_CONSTRAINTS, true, permittedDomains(options.domains)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await pemKey(keys.privateKey) };
}

/** A web server certificate for one domain, signed by the authority. */
export async function issueLeaf(options: { readonly authority: Authority; readonly domain: string; readonly clock: Clock }): Promise<Leaf> {
  const authority = new x509.X509Certificate(options.authority.certificate);
  if (!permits(options.authority, options.domain)) {
    throw new MillwrightError("CERTIFICATE_INVALID", `The site's own authority may not vouch for ${options.domain}: it was made for other domains.`, {
      subject: options.domain,
      hint: "Move certificates/ca.pem and secrets/ca-key.age away to get a new authority; browsers must then be told to trust that one.",
    });
  }
  const signingKey = await webcrypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(options.authority.key.reveal()), KEY, false, ["sign"]);
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const { notBefore, notAfter } = validity(options.clock, LEAF_DAYS);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: subjectOf(options.domain),
    issuer: authority.subjectName,
    notBefore,
    notAfter: notAfter < authority.notAfter ? notAfter : authority.notAfter,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: options.domain }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return { chain: `${certificate.toString("pem")}\n${options.authority.certificate}`, key: await pemKey(keys.privateKey) };
}

/** Domains that the authority may vouch for, as its certificate says. */
function permits(authority: Authority, domain: string): boolean {
  const extension = new x509.X509Certificate(authority.certificate).getExtension(NAME_CONSTRAINTS);
  if (extension === null) return true;
  const permitted = constraintNames(new Uint8Array(extension.value));
  return permitted.some((name) => domain === name || domain.endsWith(`.${name}`));
}

/** NameConstraints (RFC 5280, 4.2.1.10): [0] permittedSubtrees, each a SEQUENCE with one dNSName [2]. */
function permittedDomains(domains: readonly string[]): Uint8Array<ArrayBuffer> {
  const subtrees = domains.map((name) => der(0x30, der(0x82, new TextEncoder().encode(name))));
  return der(0x30, der(0xa0, concat(subtrees)));
}

/** The names in what `permittedDomains` wrote. */
function constraintNames(encoded: Uint8Array): readonly string[] {
  const names: string[] = [];
  const walk = (bytes: Uint8Array): void => {
    let at = 0;
    while (at + 2 <= bytes.length) {
      const tag = bytes[at] ?? 0;
      const short = bytes[at + 1] ?? 0;
      const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
      const length = lengthBytes === 0 ? short : bytes.subarray(at + 2, at + 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
      const content = bytes.subarray(at + 2 + lengthBytes, at + 2 + lengthBytes + length);
      if (tag === 0x82) names.push(new TextDecoder().decode(content));
      else if (tag === 0x30 || tag === 0xa0) walk(content);
      at += 2 + lengthBytes + length;
    }
  };
  walk(encoded);
  return names;
}

function der(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat([Uint8Array.from([tag, ...size]), content]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A name of one part, at most the 64 characters that X.520 allows it. */
export function subjectOf(name: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: Array.from(name).slice(0, 64).join("") }] }]);
}

export function validity(clock: Clock, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  // An hour back: machines whose clocks are a little late shall accept it at once.
  const notBefore = new Date(Math.floor((clock.now() - 3_600_000) / 1000) * 1000);
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * DAY) };
}

export async function pemKey(key: webcrypto.CryptoKey): Promise<Secret> {
  return new Secret(`${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), x509.PemConverter.PrivateKeyTag)}\n`);
}
