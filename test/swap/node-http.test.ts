import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpRequest } from "../../src/swap/http.ts";
import { nodeHttp } from "../../src/swap/node-http.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(listener: RequestListener, prepare: (server: Server) => void = () => {}): Promise<HttpRequest> {
  const server = createServer(listener);
  prepare(server);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: "127.0.0.1", port: (server.address() as AddressInfo).port, path: "/", timeoutMilliseconds: 2000 };
}

describe("the HTTP client", () => {
  it("asks an address for another name", async () => {
    const request = await serve((asked, answer) => answer.end(asked.headers.host));
    expect((await nodeHttp.ask({ ...request, headers: { Host: "erp.example.com" } })).body).toBe("erp.example.com");
  });

  it("does not follow a redirect", async () => {
    const request = await serve((_asked, answer) => answer.writeHead(302, { Location: "/elsewhere" }).end());
    expect(await nodeHttp.ask(request)).toMatchObject({ status: 302, headers: { location: "/elsewhere" } });
  });

  it("opens a new connection each time", async () => {
    const ports = new Set<number | undefined>();
    const request = await serve((asked, answer) => {
      ports.add(asked.socket.remotePort);
      answer.end();
    });
    await nodeHttp.ask(request);
    await nodeHttp.ask(request);
    expect(ports.size).toBe(2);
  });

  it("gives up in time on a server that takes the request and says nothing", async () => {
    const request = await serve(() => {});
    await expect(nodeHttp.ask({ ...request, timeoutMilliseconds: 50 })).rejects.toThrow("no answer within 50 ms");
  });

  it("tells a refused connection", async () => {
    const request = await serve(() => {});
    for (const server of servers.splice(0)) server.close();
    await expect(nodeHttp.ask(request)).rejects.toThrow("ECONNREFUSED");
  });

  it("tells an answer that breaks off", async () => {
    const request = await serve((_asked, answer) => {
      answer.writeHead(200, { "Content-Length": "100" });
      answer.write("half", () => answer.destroy());
    });
    await expect(nodeHttp.ask(request)).rejects.toThrow();
  });

  it("reports 101 for a taken upgrade, and the status of a refused one", async () => {
    const taken = await serve(
      () => {},
      (server) => server.on("upgrade", (_asked, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")),
    );
    const refused = await serve((_asked, answer) => answer.writeHead(400).end());
    expect([await nodeHttp.upgrade(taken), await nodeHttp.upgrade(refused)]).toEqual([101, 400]);
  });

  it("occupies every one of a set of workers that each take one connection at a time", async () => {
    // Three prefork workers: each takes a connection when it is free and keeps it until it has answered.
    const served = [0, 0, 0];
    const isBusy = [false, false, false];
    const queue: Socket[] = [];
    const work = (): void => {
      const worker = isBusy.indexOf(false);
      const socket = worker < 0 ? undefined : queue.shift();
      if (socket === undefined) return;
      isBusy[worker] = true;
      socket.once("data", () => {
        served[worker] = (served[worker] ?? 0) + 1;
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        isBusy[worker] = false;
        work();
      });
      work();
    };
    const server = createTcpServer((socket) => {
      queue.push(socket);
      work();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const request = { address: "127.0.0.1", port: (server.address() as AddressInfo).port, path: "/", timeoutMilliseconds: 2000 };
    const answers = await nodeHttp.together(request, 3);
    expect(answers.map((answer) => (answer instanceof Error ? answer.message : answer.status))).toEqual([200, 200, 200]);
    expect(served).toEqual([1, 1, 1]);
  });

  it("tells of each request that failed, beside those that did not", async () => {
    let count = 0;
    const request = await serve((_asked, answer) => {
      count += 1;
      if (count === 2) answer.destroy();
      else answer.end();
    });
    const answers = await nodeHttp.together(request, 3);
    expect(answers.filter((answer) => answer instanceof Error)).toHaveLength(1);
  });
});
