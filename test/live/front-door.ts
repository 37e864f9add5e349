import https from "node:https";

export interface Page {
  readonly status: number;
  readonly body: string;
  /** Colour that answered, as the edge says. */
  readonly colour: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface FrontDoor {
  readonly address: string;
  readonly domain: string;
  /** PEM of the authority that must have signed the certificate; without it the certificate is not looked at. */
  readonly authority?: string;
}

/** One request as a browser makes it, on a connection of its own, with redirects left as they are. */
export function get(door: FrontDoor, path: string, timeoutMilliseconds = 10_000): Promise<Page> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      {
        host: door.address,
        port: 443,
        servername: door.domain,
        path,
        agent: false,
        headers: { host: door.domain },
        timeout: timeoutMilliseconds,
        ...(door.authority === undefined ? { rejectUnauthorized: false } : { ca: door.authority }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString("utf8"),
            colour: String(response.headers["x-millwright-colour"] ?? "none"),
            headers: response.headers,
          }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error(`${path}: no answer within ${timeoutMilliseconds} ms`)));
    request.on("error", reject);
  });
}
