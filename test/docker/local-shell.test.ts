import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { localShell, sendSignal } from "../../src/docker/local-shell.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";

const shell = localShell();

describe("the local shell", () => {
  it("gives status, both outputs and nothing of the caller's environment", async () => {
    process.env["LEAKED"] = "yes";
    const result = await shell.run(["sh", "-c", 'echo "out $LEAKED$GIVEN"; echo err >&2; exit 3'], { environment: { GIVEN: "given" } });
    expect(result).toEqual({ code: 3, stdout: "out given\n", stderr: "err\n" });
  });

  it("hands input over and closes it", async () => {
    expect((await shell.run(["cat"], { input: "grüß\n" })).stdout).toBe("grüß\n");
    expect((await shell.run(["cat"])).stdout).toBe("");
  });

  it("outlives a program that does not read its input", async () => {
    expect((await shell.run(["true"], { input: "x".repeat(1_000_000) })).code).toBe(0);
  });

  it("tells whole lines as they come, the last one without a line feed too", async () => {
    const lines: string[] = [];
    await shell.run(["sh", "-c", String.raw`printf 'a\nb'; printf 'c\nlast'`], { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(["a", "bc", "last"]);
  });

  it("gives 127 for a program that does not exist", async () => {
    expect(await shell.run(["no-such-program"])).toMatchObject({ code: 127 });
  });

  it("gives a null status for a program that a signal ended", async () => {
    expect((await shell.run(["sh", "-c", "kill -9 $$"])).code).toBeNull();
  });

  it("ends a program and its children when the time is over", async () => {
    const mark = join(await mkdtemp(join(tmpdir(), "shell-")), "mark");
    const run = shell.run(["sh", "-c", `(sleep 0.6; touch ${mark}) & wait`], { timeoutMilliseconds: 100 });
    await expect(run).rejects.toMatchObject({ code: "TIMED_OUT" });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(existsSync(mark)).toBe(false);
  });

  it("waits for no program for ever, also where nobody thought of a bound, and says what to do", async () => {
    const run = localShell(undefined, 100).run(["sleep", "30"]);
    await expect(run).rejects.toMatchObject({ code: "TIMED_OUT", subject: "sleep", hint: expect.stringContaining("ps") as string });
  });

  it("lets a program that is given more time have it", async () => {
    expect((await localShell(undefined, 100).run(["sleep", "0.3"], { timeoutMilliseconds: 10_000 })).code).toBe(0);
  });

  it("ends a program when its signal aborts and rejects with the reason", async () => {
    const controller = new AbortController();
    const reason = new MillwrightError("ABORTED", "stop");
    const run = shell.run(["sleep", "30"], { signal: controller.signal });
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
  });
});

describe("a signal", () => {
  it("to a process that has ended meanwhile is nothing", async () => {
    const { stdout } = await shell.run(["sh", "-c", "echo $$"]);
    expect(() => sendSignal(Number(stdout), "SIGHUP")).not.toThrow();
  });

  it("reaches one that runs", async () => {
    const run = shell.run(["sh", "-c", "trap 'exit 9' HUP; echo $$; while :; do sleep 0.05; done"], { onLine: (line) => sendSignal(Number(line), "SIGHUP") });
    expect((await run).code).toBe(9);
  });
});
