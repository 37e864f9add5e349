import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import * as z from "zod";
import type { FrontDoor } from "./front-door.ts";

const loginSchema = z.object({ result: z.object({ uid: z.number().nullable() }) });

/** Somebody who logs in at the front door and keeps the session, as a browser does. */
export class Person {
  readonly #door: FrontDoor;
  #session = "";

  constructor(door: FrontDoor) {
    this.#door = door;
  }

  /** Returns the user's number. */
  async logIn(database: string, login: string, password: string): Promise<number | null> {
    return await this.#call("/web/session/authenticate", { db: database, login, password });
  }

  /** Number of the user that the session is of, and null when Odoo knows it no more. */
  async uid(): Promise<number | null> {
    return await this.#call("/web/session/get_session_info", {});
  }

  async #call(path: string, params: Readonly<Record<string, unknown>>): Promise<number | null> {
    const { address, domain } = this.#door;
    const request = https.request({
      host: address,
      port: 443,
      servername: domain,
      path,
      method: "POST",
      agent: false,
      rejectUnauthorized: false,
      timeout: 10_000,
      headers: { host: domain, "content-type": "application/json", ...(this.#session === "" ? {} : { cookie: this.#session }) },
    });
    request.on("timeout", () => request.destroy(new Error(`${path}: no answer`)));
    request.end(JSON.stringify({ jsonrpc: "2.0", method: "call", params }));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) body += chunk;
    this.#session = (response.headers["set-cookie"] ?? []).find((cookie) => cookie.startsWith("session_id="))?.split(";")[0] ?? this.#session;
    const answer = loginSchema.safeParse(JSON.parse(body));
    // An expired session is an error of Odoo's, not a user.
    return answer.success ? answer.data.result.uid : null;
  }
}
