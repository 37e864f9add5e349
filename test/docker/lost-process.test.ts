import { describe, expect, it } from "vitest";
import type { Compose } from "../../src/docker/docker.ts";
import { composePastLostProcesses, pastLostProcesses } from "../../src/docker/lost-process.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

const WORDS =
  "Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: " +
  "unable to start container process: waiting for init preliminary setup: read init-p: connection reset by peer: unknown";
const lost = (): MillwrightError => new MillwrightError("COMPOSE_FAILED", `\`docker compose\` ended with 1: ${WORDS}`, { subject: "web" });

/** Does what `answers` says, one after the other. */
function inTurn<T>(...answers: readonly (() => T)[]): { readonly asked: () => number; readonly work: () => Promise<T> } {
  let asked = 0;
  return {
    asked: () => asked,
    work: async () => {
      asked += 1;
      return (answers[asked - 1] ?? expect.fail("asked too often"))();
    },
  };
}
const throwing = (error: Error) => (): never => {
  throw error;
};

describe("what the runtime lost before it began", () => {
  it("is asked for again, after ever longer pauses", async () => {
    const clock = new FakeClock();
    const began = clock.now();
    const { work, asked } = inTurn(throwing(lost()), throwing(lost()), () => "up");
    expect(await pastLostProcesses(clock, work)).toBe("up");
    expect({ asked: asked(), waited: clock.now() - began }).toEqual({ asked: 3, waited: 1500 });
  });

  it("is given up after the fourth time, with the engine's words", async () => {
    const { work, asked } = inTurn(...Array.from({ length: 4 }, () => throwing(lost())));
    await expect(pastLostProcesses(new FakeClock(), work)).rejects.toMatchObject({ code: "COMPOSE_FAILED", message: expect.stringContaining("read init-p") });
    expect(asked()).toBe(4);
  });

  it("is not asked for again once the run is aborted", async () => {
    const { work } = inTurn(throwing(lost()));
    const aborted = new MillwrightError("ABORTED", "Enough.");
    await expect(pastLostProcesses(new FakeClock(), work, AbortSignal.abort(aborted))).rejects.toBe(aborted);
  });

  it("is nothing else: any other failure stands", async () => {
    const refused = new MillwrightError("COMPOSE_FAILED", 'OCI runtime create failed: exec: "odoo": executable file not found in $PATH', { subject: "web" });
    const { work, asked } = inTurn(throwing(refused));
    await expect(pastLostProcesses(new FakeClock(), work)).rejects.toBe(refused);
    expect(asked()).toBe(1);
  });
});

describe("Compose", () => {
  const composeThat = (run: Compose["run"]): Compose => composePastLostProcesses({ run } as Partial<Compose> as Compose, new FakeClock());

  it("starts services that were lost again", async () => {
    const { work, asked } = inTurn(throwing(lost()), () => undefined);
    await composePastLostProcesses({ up: work } as Partial<Compose> as Compose, new FakeClock()).up("p", "/p", ["web"]);
    expect(asked()).toBe(2);
  });

  it("runs a program again whose container never began", async () => {
    let runs = 0;
    const compose = composeThat(async (_project, _directory, _service, _words, onLine) => {
      runs += 1;
      onLine(runs === 1 ? WORDS : "restored");
      return runs === 1 ? 1 : 0;
    });
    const lines: string[] = [];
    expect(await compose.run("p", "/p", "database", ["pgbackrest", "restore"], (line) => lines.push(line))).toBe(0);
    expect(lines).toEqual([WORDS, "restored"]);
  });

  it("runs no program twice that failed by itself, whatever it printed before", async () => {
    let runs = 0;
    const compose = composeThat(async (_project, _directory, _service, _words, onLine) => {
      runs += 1;
      for (const line of [WORDS, "ERROR: [082]: WAL segment was not archived"]) onLine(line);
      return 82;
    });
    expect(await compose.run("p", "/p", "database", ["pgbackrest", "check"], () => {})).toBe(82);
    expect(runs).toBe(1);
  });
});
