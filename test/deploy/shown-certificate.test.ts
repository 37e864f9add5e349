import { X509Certificate } from "node:crypto";
import { createServer as createTcp, type AddressInfo, type Server } from "node:net";
import { createServer } from "node:tls";
import { expect, it } from "vitest";
import { shownCertificate } from "../../src/deploy/shown-certificate.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { issueLeaf, makeAuthority } from "../../src/secrets/own-ca.ts";

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

it("tells the certificate that a server shows for a name, trusted or not", async () => {
  const authority = await makeAuthority({ company: "Acme", domains: ["acme.example"], clock: systemClock });
  const leaf = await issueLeaf({ authority, domain: "erp.acme.example", clock: systemClock });
  const names: string[] = [];
  const SNICallback = (name: string, answer: (error: null) => void): void => {
    names.push(name);
    answer(null);
  };
  const server = createServer({ cert: leaf.chain, key: leaf.key.reveal(), SNICallback }, (socket) => socket.end());
  const port = await listening(server);
  expect(await shownCertificate({ address: "127.0.0.1", port, domain: "erp.acme.example" })).toBe(new X509Certificate(leaf.chain).fingerprint256);
  expect(names).toEqual(["erp.acme.example"]);
  server.close();
});

it("fails when the server hangs up, and when nobody listens", async () => {
  const server = createTcp((socket) => socket.destroy());
  const port = await listening(server);
  await expect(shownCertificate({ address: "127.0.0.1", port, domain: "erp.acme.example" })).rejects.toThrow();
  server.close();
  await expect(shownCertificate({ address: "127.0.0.1", port, domain: "erp.acme.example" })).rejects.toThrow("ECONNREFUSED");
});
