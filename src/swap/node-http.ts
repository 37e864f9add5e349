import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Answer, Http, HttpRequest, ShownCertificate } from "./http.ts";

const BODY_LIMIT = 8 * 1024 * 1024;
/** How long workers get to take the connections that stand, before the requests are sent. Odoo drops an idle client after 2 s. */
const TAKE_MILLISECONDS = 40;

export const nodeHttp: Http = {
  ask: (request) => send(request),
  together: async (request, count) => {
    const sockets = await Promise.allSettled(Array.from({ length: count }, () => open(request)));
    await wait(TAKE_MILLISECONDS);
    return await Promise.all(
      sockets.map(async (socket) => (socket.status === "rejected" ? asError(socket.reason) : await send(request, socket.value).catch(asError))),
    );
  },
  upgrade: (request) =>
    new Promise((resolve, reject) => {
      const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "bWlsbHdyaWdodC1wcm9iZQ==" };
      const client = start({ ...request, headers: { ...request.headers, ...headers } }, reject);
      client.on("upgrade", (answer, socket) => {
        socket.destroy();
        resolve(answer.statusCode ?? 0);
      });
      client.on("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      client.end();
    }),
};

function send(request: HttpRequest, socket?: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const client = start(request, reject, socket);
    client.on("response", (answer) => {
      const certificate = certificateOf(answer);
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > BODY_LIMIT) client.destroy(new Error(`the answer is larger than ${BODY_LIMIT} bytes`));
        else chunks.push(chunk);
      });
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")])),
          body: Buffer.concat(chunks).toString("utf8"),
          milliseconds: performance.now() - began,
          ...(certificate === undefined ? {} : { certificate }),
        }),
      );
    });
    client.end(request.body);
  });
}

function start(request: HttpRequest, reject: (error: Error) => void, socket?: Socket): ClientRequest {
  const options = {
    host: request.address,
    port: request.port,
    path: request.path,
    method: request.method ?? "GET",
    headers: { ...request.headers, ...(request.body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(request.body)) }) },
    // A connection of its own for each request. Node ignores `createConnection` when `agent` is given, even as false.
    ...(socket === undefined ? { agent: false as const } : { createConnection: () => socket }),
  };
  const client =
    request.serverName === undefined ? httpRequest(options) : httpsRequest({ ...options, servername: request.serverName, rejectUnauthorized: false });
  const timer = setTimeout(() => client.destroy(new Error(`no answer within ${request.timeoutMilliseconds} ms`)), request.timeoutMilliseconds);
  client.on("close", () => clearTimeout(timer));
  client.on("error", reject);
  return client;
}

function open(request: HttpRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: request.address, port: request.port });
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${request.timeoutMilliseconds} ms`)), request.timeoutMilliseconds);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
    socket.once("close", () => clearTimeout(timer));
    // A reset between here and the request shows when the request is sent; without a listener it would end the process.
    socket.on("error", () => {});
  });
}

function certificateOf(answer: IncomingMessage): ShownCertificate | undefined {
  if (!("getPeerCertificate" in answer.socket)) return undefined;
  const certificate = (answer.socket as TLSSocket).getPeerCertificate();
  return { names: certificate.subjectaltname ?? "", validFrom: certificate.valid_from, validTo: certificate.valid_to };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
