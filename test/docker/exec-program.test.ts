import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Docker } from "../../src/docker/docker.ts";
import { dockerodeDocker } from "../../src/docker/dockerode-docker.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

interface Answer {
  readonly code: number;
  readonly output: string;
}

const LOST: Answer = {
  code: 126,
  output:
    "OCI runtime exec failed: exec failed: unable to start container process: waiting for init preliminary setup: read init-p: connection reset by peer: unknown\r\n",
};

let directory: string;
let server: Server;
let docker: Docker;
let answers: Answer[];
let inputs: string[];

/** An engine over a real socket: each program that is asked for gets the next of `answers`. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "docker-"));
  answers = [];
  inputs = [];
  let current: Answer | undefined;
  const connections = new Set<Socket>();
  server = createServer((request, response) => {
    const inspected = request.method === "GET";
    if (!inspected) current = answers.shift();
    response.writeHead(inspected ? 200 : 201, { "content-type": "application/json" });
    response.end(JSON.stringify(inspected ? { Running: false, ExitCode: current?.code } : { Id: "e1" }));
  });
  server.on("upgrade", (_request, connection: Socket) => {
    connections.add(connection);
    const text = Buffer.from(current?.output ?? "");
    const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(text.length, 4);
    connection.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    let input = "";
    connection.on("data", (chunk: Buffer) => {
      input += chunk.toString("utf8");
    });
    connection.on("end", () => {
      inputs.push(input);
      connection.end(Buffer.concat([head, text]));
    });
  });
  const socket = join(directory, "docker.sock");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  docker = dockerodeDocker(new FakeClock(), socket);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

describe("a program in a container", () => {
  it("is given its input, and its output and status are told", async () => {
    answers = [{ code: 3, output: "ERROR:  relation does not exist\n" }];
    expect(await docker.exec("c1", ["psql"], { input: "SELECT 1" })).toEqual({ code: 3, output: "ERROR:  relation does not exist\n" });
    expect(inputs).toEqual(["SELECT 1"]);
  });

  it("that the runtime lost before it began is asked for again, with its input", async () => {
    answers = [LOST, LOST, { code: 0, output: "1\n" }];
    expect(await docker.exec("c1", ["psql"], { input: "SELECT 1" })).toEqual({ code: 0, output: "1\n" });
    expect(inputs).toEqual(["SELECT 1", "SELECT 1", "SELECT 1"]);
  });

  it("that never begins is the engine's failure, and not an answer of the program", async () => {
    answers = [LOST, LOST, LOST, LOST, { code: 0, output: "too late" }];
    await expect(docker.exec("c1", ["psql"])).rejects.toMatchObject({
      code: "DOCKER_FAILED",
      message: expect.stringMatching(/^The engine could not start `psql` in a container: .*connection reset by peer/),
    });
    expect(answers).toHaveLength(1);
  });

  it("that the container does not have is an answer, asked for once", async () => {
    const output = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "psql": executable file not found in $PATH: unknown\r\n';
    answers = [{ code: 127, output }];
    expect(await docker.exec("c1", ["psql"])).toEqual({ code: 127, output });
  });

  it("may print those words itself", async () => {
    answers = [{ code: 1, output: LOST.output }];
    expect(await docker.exec("c1", ["cat", "log"])).toEqual({ code: 1, output: LOST.output });
  });
});
