import "./model/simulated.ts";
import { describe, expect, it } from "vitest";
import type { Story, Timed } from "./model/story.ts";
import type { Start } from "./model/site.ts";
import { expectWhole } from "./model/expect-whole.ts";

/** A story of a site whose scheduled jobs end at once and whose requests all end. */
const story = (start: Start, ...moves: readonly Timed[]): Story => ({ start, jobMilliseconds: 0, inFlight: 0, moves });
const upgrade = (release: "one" | "two"): Timed => ({ after: 0, move: { do: "upgrade", release, linkBreaks: false } });

/** What the model test has found, each in the smallest story that shows it. */
describe("after a failure that the model test has found", () => {
  it("PostgreSQL that is still starting when the run goes back makes no person necessary", async () => {
    await expectWhole(story("empty", upgrade("one"), { at: "journal done init-database", move: { do: "power-cut", dice: 1 } }));
  });

  it("what fills the database does not outlive the run that began it", async () => {
    for (const parts of [1, 2, 3]) await expectWhole(story("empty", upgrade("one"), { at: "--init", move: { do: "kill", parts } }));
  });

  it("a database that users could reach is left as it is by the next first release", async () => {
    const taken = story("empty", upgrade("one"), { at: "journal begun cron-start", move: { do: "error", calls: 0, isDone: false, seconds: 0 } });
    const rest = await expectWhole({ ...taken, moves: [...taken.moves, { after: 300, move: { do: "upgrade", release: "two", linkBreaks: false } }] });
    expect(rest.serving?.release).toBe("2026-11-24-2");
  });

  it("a web container that is being restarted when its time has come is stopped all the same", async () => {
    await expectWhole(story("one", upgrade("two"), { at: "journal begun retire", move: { do: "crash", container: "blue/web", oomKilled: false } }));
  });

  it("an engine that is away for a second leaves no rollback without scheduled jobs", async () => {
    const away = { at: "journal begun cron-stop", move: { do: "engine-restart", seconds: 1 } } as const;
    await expectWhole(story("two", { after: 0, move: { do: "rollback", linkBreaks: false } }, away));
  });

  it("a plan made while another run ends does not begin from what served before", async () => {
    await expectWhole(story("empty", upgrade("one"), { at: "journal done bake", move: { do: "upgrade", release: "one", linkBreaks: false } }));
  });

  it("a release that was taken back is not said to serve after a loss of power", async () => {
    const failing = { at: "journal begun confirm", move: { do: "error", calls: 0, isDone: false, seconds: 0 } } as const;
    for (let dice = 0; dice < 8; dice += 1) {
      await expectWhole(story("empty", upgrade("one"), failing, { at: "journal undoing switch", move: { do: "power-cut", dice } }));
    }
  });

  it("an end that was written down by a process that was killed is on the disk before the lock is freed", async () => {
    const killed = { at: "journal run-ended", move: { do: "kill", parts: 2 } } as const;
    for (let dice = 0; dice < 4; dice += 1) {
      await expectWhole(story("one", upgrade("two"), killed, { at: "close", move: { do: "power-cut", dice } }));
    }
  });

  it("a run that was never begun is not the one that is followed", async () => {
    await expectWhole(story("one", upgrade("two"), { at: "state/.lock", move: { do: "kill", parts: 0 } }));
  });

  it("a lock that was half taken keeps nobody out", async () => {
    const killed = { at: "state/.lock", move: { do: "kill", parts: 2 } } as const;
    const rest = await expectWhole(story("one", upgrade("two"), killed, upgrade("two"), killed, upgrade("two")));
    expect(rest.serving?.release).toBe("2026-11-24-2");
  });
});
