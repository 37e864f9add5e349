import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { makeKeyPair } from "../../src/secrets/key-pair.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

describe("a key pair", () => {
  it("is a key and the certificate that it has signed, in one text, for longer than a host lives", async () => {
    const clock = new FakeClock();
    const text = (await makeKeyPair("replication_tls", clock)).reveal();
    const certificate = new X509Certificate(text);
    expect(certificate.checkPrivateKey(createPrivateKey(text))).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(new Date(certificate.validTo).getTime()).toBeGreaterThan(clock.now() + 50 * 365 * 86_400_000);
  });
});
