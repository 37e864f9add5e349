import { connect } from "node:tls";

const TIMEOUT_MILLISECONDS = 5000;

/** SHA-256 fingerprint of the certificate that a server shows for a name. Whether it is to be trusted is another question. Throws when there is no handshake. */
export function shownCertificate(options: { readonly address: string; readonly port: number; readonly domain: string }): Promise<string> {
  const { address, port, domain } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, servername: domain, rejectUnauthorized: false, timeout: TIMEOUT_MILLISECONDS });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.once("timeout", () => socket.destroy(new Error(`no handshake within ${TIMEOUT_MILLISECONDS} ms`)));
    socket.once("error", reject);
    // A server that hangs up in the midst of it.
    socket.once("close", () => reject(new Error("the connection was closed before its handshake")));
  });
}
