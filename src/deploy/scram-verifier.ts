import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { MillwrightError } from "../kernel/errors.ts";
import type { Secret } from "../kernel/secret.ts";

const ITERATIONS = 4096;

/**
 * What PostgreSQL stores of a password (RFC 5803), so that neither the server's log nor a backup of its statements ever sees the password.
 * The salt follows from role and password: the same password always gives the same text, and setting it again changes nothing.
 */
export function scramVerifier(role: string, password: Secret): string {
  const plain = password.reveal();
  // Beyond printable ASCII the server would normalise the password (SASLprep) before hashing it.
  if (!/^[\x20-\x7e]+$/.test(plain))
    throw new MillwrightError("PROVISION_FAILED", `The password of role ${role} holds characters other than printable ASCII.`, { subject: role });
  const salt = createHmac("sha256", plain).update(`millwright scram salt ${role}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(plain, salt, ITERATIONS, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
