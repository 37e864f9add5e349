import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Secret } from "../kernel/secret.ts";

/** An own certificate that ends within these days is renewed. */
export const RENEW_DAYS = 60;

/** Why a certificate cannot serve a domain; undefined when it can. Without a key, only what the certificate itself says is judged. */
export function certificateProblem(chain: string, key: Secret | undefined, domain: string, clock: Clock, daysLeft = 0): string | undefined {
  try {
    const certificate = new X509Certificate(chain);
    if (certificate.checkHost(domain) === undefined) return `it is not for ${domain}`;
    if (Date.parse(certificate.validTo) - daysLeft * 86_400_000 <= clock.now()) return `it ends on ${certificate.validTo}`;
    if (key === undefined) return undefined;
    return certificate.checkPrivateKey(createPrivateKey(key.reveal())) ? undefined : "the key is not the certificate's";
  } catch {
    // OpenSSL's words differ from version to version and say no more.
    return "chain or key is not PEM, or the key is encrypted";
  }
}

/** Throws CERTIFICATE_INVALID unless chain and key can serve the domain. */
export function checkCertificate(chain: string, key: Secret, domain: string, clock: Clock): void {
  const problem = certificateProblem(chain, key, domain, clock);
  if (problem === undefined) return;
  throw new MillwrightError("CERTIFICATE_INVALID", `The certificate cannot be used: ${problem}.`, {
    subject: domain,
    hint: "Ask whoever issued it for the chain and its unencrypted key, both as PEM.",
  });
}
