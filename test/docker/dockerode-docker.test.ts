import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Docker, WorkbenchOptions } from "../../src/docker/docker.ts";
import { dockerodeDocker } from "../../src/docker/dockerode-docker.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
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

const STALL = 100;
const docker = (): ReturnType<typeof dockerodeDocker> => dockerodeDocker(new FakeClock(), socket);
/** One that soon gives up a pull that brings nothing. */
const impatient = (): ReturnType<typeof dockerodeDocker> => dockerodeDocker(new FakeClock(), socket, STALL);

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
    await docker().pull(`odoo:19@${digest}`, { onProgress: (_, bytes) => seen.push(`${bytes?.done}/${bytes?.total}`) });
    expect(seen).toEqual(["50/100", "60/200", "110/200", "110/200"]);
    expect(decodeURIComponent(asked)).toContain(`fromImage=odoo&tag=${digest}`);
  });

  it("gives up a pull that brings nothing more, however much it brought before", async () => {
    let asked = 0;
    routes["POST /images/create"] = (_, response) => {
      asked += 1;
      response.writeHead(200).write(`${JSON.stringify({ status: "Downloading", id: "l1", progressDetail: { current: 1, total: 2 } })}\r\n`);
    };
    const seen: string[] = [];
    const pull = impatient().pull("odoo:19", { onProgress: (text) => seen.push(text) });
    await expect(pull).rejects.toMatchObject({ code: "TIMED_OUT", subject: "odoo:19", hint: expect.any(String) as string });
    expect([asked, seen]).toEqual([1, ["Downloading"]]);
  });

  it("gives up a pull that never begins", async () => {
    routes["POST /images/create"] = () => {};
    await expect(impatient().pull("odoo:19")).rejects.toMatchObject({ code: "TIMED_OUT" });
  });

  it("goes on with a slow pull for as long as it brings something", async () => {
    const digest = `sha256:${"c".repeat(64)}`;
    routes["POST /images/create"] = (_, response) => {
      response.writeHead(200);
      const steps = [
        ...Array.from({ length: 6 }, (_step, index) => ({ status: "Downloading", id: "l1", progressDetail: { current: index, total: 6 } })),
        { status: `Digest: ${digest}` },
      ];
      const next = (): void => {
        const step = steps.shift();
        if (step === undefined) return void response.end();
        response.write(`${JSON.stringify(step)}\r\n`);
        setTimeout(next, STALL / 2);
      };
      next();
    };
    routes["GET /images/odoo:19/json"] = json({ Id: "sha256:1", RootFS: { Layers: [] }, Size: 5, Config: {} });
    await impatient().pull("odoo:19");
  });

  it("ends a pull at once when the run is aborted", async () => {
    routes["POST /images/create"] = (_, response) => void response.writeHead(200).write("{}\r\n");
    const abort = new AbortController();
    const pull = docker().pull("odoo:19", { signal: abort.signal, onProgress: () => abort.abort(new MillwrightError("ABORTED", "Enough.")) });
    await expect(pull).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("stops waiting for a program in a container that does not end", async () => {
    routes["POST /containers/c1/exec"] = json({ Id: "e1" }, 201);
    const connections: Socket[] = [];
    server.on("upgrade", (_request, connection: Socket) => {
      connections.push(connection);
      connection.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
      connection.write(frame(1, "waiting for a lock"));
    });
    await expect(docker().exec("c1", ["psql"], { limitMilliseconds: STALL })).rejects.toMatchObject({
      code: "TIMED_OUT",
      subject: "psql",
      hint: expect.any(String) as string,
    });
    expect(connections).toHaveLength(1);
    for (const connection of connections) connection.destroy();
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

  it("gives what was logged after an instant, each line with its own", async () => {
    routes["GET /containers/c1/json"] = json(inspect({}));
    let asked = "";
    routes["GET /containers/c1/logs"] = (request, response) => {
      asked = request.url ?? "";
      const [seen, next] = ["2026-11-24T02:00:00.000000005Z", "2026-11-24T02:00:00.000000006Z"];
      response.end(Buffer.concat([frame(2, `${seen} seen\n`), frame(2, `${next} new \u001b[31mline\r\n`), frame(1, `${next} \n`)]));
    };
    expect(await docker().logsSince("c1", "2026-11-24T02:00:00.000000005Z", 100)).toEqual([
      { at: "2026-11-24T02:00:00.000000006Z", text: "new \u001b[31mline" },
      { at: "2026-11-24T02:00:00.000000006Z", text: "" },
    ]);
    // The engine counts the instant itself in.
    expect(asked).toContain("since=1795485600.000000005");
    expect(asked).toContain("tail=100");
  });

  it.each([
    ["cgroup v2", { usage: 900, limit: 1000, stats: { anon: 400, file: 500 } }, { usedBytes: 400, limitBytes: 1000 }],
    ["cgroup v1", { usage: 900, limit: 1000, stats: { total_rss: 300, total_inactive_file: 500 } }, { usedBytes: 300, limitBytes: 1000 }],
    ["a container that does not run", {}, undefined],
  ])("tells the memory that processes hold: %s", async (_name, memory, expected) => {
    let asked = "";
    routes["GET /containers/c1/stats"] = (request, response) => {
      asked = request.url ?? "";
      json({ memory_stats: memory, cpu_stats: {} })(request, response);
    };
    expect(await docker().memory("c1")).toEqual(expected);
    expect(asked).toContain("one-shot=true");
    expect(asked).toContain("stream=false");
  });

  it("gives no health for a container without a check and leaves out one-off containers", async () => {
    routes["GET /containers/json"] = json([{ Id: "c1" }, { Id: "c2" }, { Id: "gone" }]);
    routes["GET /containers/c1/json"] = json(inspect({ Config: { Image: "odoo:19", Labels: { "com.docker.compose.service": "web" } } }));
    routes["GET /containers/c2/json"] = json(inspect({ Config: { Image: "odoo:19", Labels: { "com.docker.compose.oneoff": "True" } } }));
    expect(await docker().containers("acme-production-blue")).toMatchObject([{ service: "web", health: "none", state: "running", pid: 7 }]);
  });

  it("looks at one service's container alone when that is asked for", async () => {
    let asked = "";
    routes["GET /containers/json"] = (request, response) => {
      asked = decodeURIComponent(request.url ?? "");
      json([{ Id: "c1" }])(request, response);
    };
    routes["GET /containers/c1/json"] = json(inspect({ Config: { Image: "odoo:19", Labels: { "com.docker.compose.service": "web" } } }));
    expect(await docker().containers("acme-production", "web")).toHaveLength(1);
    expect(asked).toContain('"com.docker.compose.project=acme-production","com.docker.compose.service=web"');
  });

  it("takes 'already so' for done", async () => {
    routes["POST /containers/c1/stop"] = (_, response) => response.writeHead(304).end();
    await docker().stop("c1", 10);
    await docker().remove("nowhere");
  });

  it("fails a load whose error comes inside the stream", async () => {
    routes["POST /images/load"] = (request, response) => {
      request.resume();
      request.on("end", () => lines({ errorDetail: { message: "unexpected EOF" }, error: "unexpected EOF" })(request, response));
    };
    await expect(docker().load(Readable.from(["tar"]))).rejects.toMatchObject({ code: "DOCKER_FAILED" });
  });

  it("ends the load of a stream that breaks off", async () => {
    routes["POST /images/load"] = (request) => void request.resume();
    const broken = Readable.from(
      (async function* () {
        yield "tar";
        throw new Error("the link is gone");
      })(),
    );
    await expect(docker().load(broken)).rejects.toThrow("the link is gone");
  });
});

describe("a workbench", () => {
  let created: Record<string, unknown>;
  const removed: string[] = [];
  const open = (over: Partial<WorkbenchOptions> = {}): ReturnType<Docker["workbench"]> =>
    docker().workbench({ image: "sha256:1", words: ["python3", "-V"], network: false, ...over });

  beforeEach(() => {
    removed.length = 0;
    routes["GET /containers/json"] = json([]);
    routes["POST /containers/create"] = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        created = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>;
        json({ Id: "w1" }, 201)(request, response);
      });
    };
    for (const id of ["w1", "w2", "w3"]) {
      routes[`DELETE /containers/${id}`] = (request, response) => {
        removed.push(`${id} ${request.url?.split("?")[1]}`);
        response.writeHead(204).end();
      };
    }
    routes["POST /containers/w1/start"] = (_, response) => response.writeHead(204).end();
    routes["POST /containers/w1/wait"] = json({ StatusCode: 3 });
  });

  it("is a container without capabilities, with a network only where one is asked for", async () => {
    await using _ = await open();
    const host = { CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] };
    expect(created).toMatchObject({ Image: "sha256:1", Entrypoint: ["python3", "-V"], HostConfig: { ...host, NetworkMode: "none" } });
    await using _other = await open({ network: true, user: "0:0", environment: { HOME: "/tmp" } });
    expect(created).toMatchObject({ User: "0:0", Env: ["HOME=/tmp"], HostConfig: host });
    expect(created["HostConfig"]).not.toHaveProperty("NetworkMode");
  });

  it("may change the network of a container that it is opened on, and nothing else", async () => {
    await using _ = await open({ network: { of: "c1" }, user: "0:0" });
    expect(created).toMatchObject({
      HostConfig: {
        CapDrop: ["ALL"],
        CapAdd: ["NET_ADMIN"],
        SecurityOpt: ["no-new-privileges"],
        NetworkMode: "container:c1",
        ReadonlyRootfs: true,
        AutoRemove: true,
      },
    });
  });

  it("tells the exit status of a program whose container is gone as soon as it ends", async () => {
    let isStarted = false;
    routes["POST /containers/w1/start"] = (_, response) => {
      isStarted = true;
      response.writeHead(204).end();
    };
    routes["POST /containers/w1/wait"] = (request, response) =>
      (isStarted ? json({ message: "no such container" }, 404) : json({ StatusCode: 4 }))(request, response);
    routes["POST /containers/w1/attach"] = (_, response) => response.end(frame(1, "done\n"));
    await using bench = await open({ network: { of: "c1" } });
    expect(await bench.run(() => {})).toBe(4);
  });

  it("is removed with its volumes when it is disposed of", async () => {
    {
      await using _ = await open();
    }
    expect(removed).toEqual(["w1 force=true&v=true"]);
  });

  it("gives the program's lines and its exit status", async () => {
    routes["POST /containers/w1/attach"] = (_, response) => response.end(Buffer.concat([frame(1, "one\ntw"), frame(1, "o\n"), frame(2, "three")]));
    await using bench = await open();
    const printed: string[] = [];
    expect(await bench.run((line) => printed.push(line))).toBe(3);
    expect(printed).toEqual(["one", "two", "three"]);
  });

  it("ends the program when its signal says so", async () => {
    const stop = new AbortController();
    routes["POST /containers/w1/attach"] = (_, response) => {
      response.write(frame(1, "begun\n"));
      routes["POST /containers/w1/kill"] = (_request, answer) => {
        answer.writeHead(204).end();
        response.end();
      };
    };
    await using bench = await open();
    await expect(bench.run(() => stop.abort(new Error("Ctrl-C")), stop.signal)).rejects.toThrow("Ctrl-C");
  });

  it("ends an upload whose source breaks off", async () => {
    routes["PUT /containers/w1/archive"] = (request) => void request.resume();
    await using bench = await open();
    const broken = Readable.from(
      (async function* () {
        yield "tar";
        throw new Error("the file is gone");
      })(),
    );
    await expect(bench.put(broken)).rejects.toThrow("the file is gone");
  });

  it("clears away those whose process was killed, and none that may be in use", async () => {
    const until = (milliseconds: number): unknown => ({ "millwright.workbench-until": new Date(new FakeClock().now() + milliseconds).toISOString() });
    routes["GET /containers/json"] = json([
      { Id: "w2", Labels: until(-1) },
      { Id: "w3", Labels: until(60_000) },
    ]);
    await using _ = await open();
    expect(removed.map((line) => line.split(" ")[0])).toEqual(["w2"]);
  });
});
