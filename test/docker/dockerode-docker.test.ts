import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dockerodeDocker } from "../../src/docker/dockerode-docker.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let directory: string;
let socket: string;
let server: Server;
let routes: Record<string, Answer>;

const json =
  (value: unknown, status = 200): Answer =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const lines =
  (...values: readonly unknown[]): Answer =>
  (_, response) =>
    response.writeHead(200).end(values.map((value) => `${JSON.stringify(value)}\r\n`).join(""));
const frame = (stream: number, text: string): Buffer => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};
const inspect = (over: Record<string, unknown>): Record<string, unknown> => ({
  Id: "c1",
  Name: "/acme-production-web-1",
  Config: { Image: "odoo:19", Labels: {}, Tty: false },
  State: { Status: "running", ExitCode: 0, OOMKilled: false, StartedAt: "", Pid: 7 },
  RestartCount: 0,
  NetworkSettings: { Networks: {} },
  ...over,
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "docker-"));
  socket = join(directory, "docker.sock");
  routes = {};
  server = createServer((request, response) => {
    const key = `${request.method ?? ""} ${(request.url ?? "").split("?")[0] ?? ""}`;
    (routes[key] ?? json({ message: `no route ${key}` }, 404))(request, response);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

const docker = (): ReturnType<typeof dockerodeDocker> => dockerodeDocker(new FakeClock(), socket);

describe("the engine behind its socket", () => {
  it("is told down when nothing answers, whatever DOCKER_HOST says", async () => {
    process.env["DOCKER_HOST"] = `unix://${socket}`;
    await expect(dockerodeDocker(new FakeClock(), join(directory, "other.sock")).version()).rejects.toMatchObject({ code: "DOCKER_DOWN" });
    delete process.env["DOCKER_HOST"];
  });

  it("fails a pull whose error comes inside the stream, and names the mirrors", async () => {
    routes["POST /images/create"] = lines(
      { status: "Pulling" },
      { errorDetail: { message: "manifest unknown" }, error: "manifest for odoo:20 not found: manifest unknown" },
    );
    routes["GET /info"] = json({ RegistryConfig: { Mirrors: ["http://10.77.0.9:5000/"] } });
    await expect(docker().pull("odoo:20")).rejects.toMatchObject({
      code: "IMAGE_MISSING",
      message: expect.stringContaining("http://10.77.0.9:5000/") as string,
    });
  });

  it("takes a full disk in a pull for a full disk", async () => {
    routes["POST /images/create"] = lines({ error: "failed to register layer: write /x: no space left on device" });
    await expect(docker().pull("odoo:19")).rejects.toMatchObject({ code: "DISK_FULL" });
  });

  it("does not believe a pull whose image is not there afterwards", async () => {
    routes["POST /images/create"] = lines({ status: `Digest: sha256:${"a".repeat(64)}` });
    await expect(docker().pull("odoo:19")).rejects.toMatchObject({ code: "IMAGE_MISSING" });
  });

  it("pulls by digest when a reference has both, and tells the bytes", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    let asked = "";
    routes["POST /images/create"] = (request, response) => {
      asked = request.url ?? "";
      const layer = (id: string, current: number): unknown => ({ status: "Downloading", id, progressDetail: { current, total: 100 } });
      lines(layer("l1", 50), layer("l2", 10), layer("l1", 100), { status: `Digest: ${digest}` })(request, response);
    };
    routes[`GET /images/${encodeURIComponent(`odoo:19@${digest}`)}/json`] = routes[`GET /images/odoo:19@${digest}/json`] = json({
      Id: "sha256:1",
      RootFS: { Layers: [] },
      Size: 5,
      Config: {},
    });
    const seen: string[] = [];
    await docker().pull(`odoo:19@${digest}`, (_, bytes) => seen.push(`${bytes?.done}/${bytes?.total}`));
    expect(seen).toEqual(["50/100", "60/200", "110/200", "110/200"]);
    expect(decodeURIComponent(asked)).toContain(`fromImage=odoo&tag=${digest}`);
  });

  it("asks for a digest by a pull when the distribution endpoint knows nothing of mirrors", async () => {
    const digest = `sha256:${"b".repeat(64)}`;
    routes["POST /images/create"] = lines({ status: `Digest: ${digest}` });
    expect(await docker().digestOf("odoo:19")).toBe(digest);
  });

  it("unframes logs in their order", async () => {
    routes["GET /containers/c1/json"] = json(inspect({}));
    routes["GET /containers/c1/logs"] = (_, response) => response.end(Buffer.concat([frame(1, "one\ntw"), frame(1, "o\n"), frame(2, "three\n")]));
    expect(await docker().logs("c1", 2)).toEqual(["two", "three"]);
  });

  it("gives no health for a container without a check and leaves out one-off containers", async () => {
    routes["GET /containers/json"] = json([{ Id: "c1" }, { Id: "c2" }, { Id: "gone" }]);
    routes["GET /containers/c1/json"] = json(inspect({ Config: { Image: "odoo:19", Labels: { "com.docker.compose.service": "web" } } }));
    routes["GET /containers/c2/json"] = json(inspect({ Config: { Image: "odoo:19", Labels: { "com.docker.compose.oneoff": "True" } } }));
    expect(await docker().containers("acme-production-blue")).toMatchObject([{ service: "web", health: "none", state: "running", pid: 7 }]);
  });

  it("takes 'already so' for done", async () => {
    routes["POST /containers/c1/stop"] = (_, response) => response.writeHead(304).end();
    await docker().stop("c1", 10);
    await docker().remove("nowhere");
  });

  it("fails a load whose error comes inside the stream", async () => {
    const { Readable } = await import("node:stream");
    routes["POST /images/load"] = (request, response) => {
      request.resume();
      request.on("end", () => lines({ errorDetail: { message: "unexpected EOF" }, error: "unexpected EOF" })(request, response));
    };
    await expect(docker().load(Readable.from(["tar"]))).rejects.toMatchObject({ code: "DOCKER_FAILED" });
  });
});
