import { describe, expect, it } from "vitest";
import { restic } from "../../src/recovery/restic.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";

const STACK = "acme-production";

/** What was told to the container, in short: to end a command, or restic's words. */
function place(): { readonly docker: FakeDocker; readonly told: () => readonly string[] } {
  const docker = new FakeDocker(new FakeClock());
  docker.addContainer({ project: STACK, service: "backup" });
  const told = (): readonly string[] => docker.execs.map(({ words }) => (words[1] === "-c" ? "end" : words.slice(3).join(" ")));
  return { docker, told };
}

describe("snapshots that are dropped", () => {
  const signal = new AbortController().signal;

  it("are named, as many at once as a command line holds, and their space is freed once", async () => {
    const { docker, told } = place();
    const ids = Array.from({ length: 1001 }, (_, index) => `snapshot${index}`);
    await restic(docker, { stack: STACK, database: "acme" }).forget(ids, signal);
    expect(told().map((words) => words.replace(/ snapshot.*/, ""))).toEqual(["--quiet forget", "--quiet forget", "--quiet prune"]);
    expect(told()[1]).toBe("--quiet forget snapshot1000");
  });

  it("are none when none is old, and nothing is asked", async () => {
    const { docker, told } = place();
    await restic(docker, { stack: STACK, database: "acme" }).forget([], signal);
    expect(told()).toEqual([]);
  });
});

describe("a check of the files' repository", () => {
  const signal = new AbortController().signal;

  it("first ends one that was cut off: it would be waited for", async () => {
    const { docker, told } = place();
    expect(await restic(docker, { stack: STACK, database: "acme" }).verify("1/4", signal)).toEqual([]);
    expect(told()).toEqual(["end", "--quiet --no-lock check --read-data-subset=1/4"]);
  });

  it("is ended when its run is aborted: it would go on reading for hours", async () => {
    const { docker, told } = place();
    const abort = new AbortController();
    docker.onExec = ({ words }) => {
      if (!words.includes("check")) return { code: 0, output: "" };
      abort.abort(new Error("aborted"));
      throw abort.signal.reason;
    };
    await expect(restic(docker, { stack: STACK, database: "acme" }).verify(undefined, abort.signal)).rejects.toThrow("aborted");
    expect(told()).toEqual(["end", "--quiet --no-lock check --read-data", "end"]);
  });
});

describe("what lies in plain view", () => {
  it("is in a repository of its own beside the offsite one, made when there is none", async () => {
    const { docker, told } = place();
    let isThere = false;
    docker.onExec = ({ words }) => {
      if (words.includes("init")) isThere = true;
      return { code: isThere ? 0 : 10, output: "" };
    };
    const repository = restic(docker, { stack: STACK, database: "acme" }, "offsite");
    const signal = new AbortController().signal;
    await repository.lay("site.tar.gz.age", signal);
    await repository.lay("site.tar.gz.age", signal);
    expect(docker.execs.every(({ words }) => words[2] === "offsite-open")).toBe(true);
    const backup = `120 --quiet backup --host ${STACK} /host/site.tar.gz.age`;
    expect(told()).toEqual(["120 --quiet cat config", "120 --quiet init", backup, "120 --quiet cat config", backup]);
  });
});
