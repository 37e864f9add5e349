import { describe, expect, it } from "vitest";
import type { WorkbenchOptions } from "../../src/docker/docker.ts";
import { websocketPace } from "../../src/swap/move-websockets.ts";
import { prepareSwap } from "../../src/swap/prepare-swap.ts";
import { FakeSite, releaseNamed, STACK } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2");

/** One serves on blue, and people hold websockets to it. */
async function held(websockets: number): Promise<FakeSite> {
  const site = await FakeSite.make();
  site.addRelease(ONE);
  site.addRelease(TWO);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.events.length = 0;
  site.docker.calls.length = 0;
  site.websockets = websockets;
  return site;
}

const notes = (site: FakeSite): readonly string[] =>
  site.events.flatMap((event) => (event.kind === "note" && event.text.includes("websockets") ? [event.text] : []));

describe("the pace at which websockets are moved", () => {
  it("is twenty a second, and higher where that would take longer than half a minute", () => {
    expect([30, 600, 601, 6000].map(websocketPace)).toEqual([20, 20, 21, 200]);
  });
});

describe("the websockets of a colour that users have left", () => {
  it("are cut little by little before it is stopped, and it is told how far that is", async () => {
    const site = await held(45);
    const asked: WorkbenchOptions[] = [];
    site.docker.onNetworkProgram = async (options, onLine) => {
      asked.push(options);
      for (const line of ["cut 20", "cut 40", "cut 45"]) onLine(line);
      site.websockets = 0;
      return 0;
    };
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
    const web = (await site.docker.containers(`${STACK}-blue`)).find(({ service }) => service === "web");
    const edge = (await site.docker.containers(STACK)).find(({ service }) => service === "edge");
    expect(asked).toMatchObject([{ image: ONE.image, user: "0:0", network: { of: web?.id } }]);
    expect(asked[0]?.words.slice(-4)).toEqual(["8072", "20", ...Object.values(edge?.addresses ?? {})]);
    const [bench, stop] = ["workbench on", "stop"].map((call) => site.docker.calls.indexOf(`${call} ${STACK}-blue/web`));
    expect(bench).toBeGreaterThan(-1);
    expect(stop).toBeGreaterThan(bench ?? 0);
    expect(notes(site)).toEqual(["45 websockets leave blue, 20 a second."]);
    const progress = site.events.filter((event) => event.kind === "progress" && event.id === "retire");
    expect(progress).toMatchObject([20, 40, 45].map((done) => ({ done, total: 45 })));
    expect(site.events).toContainEqual(expect.objectContaining({ kind: "step", id: "retire", state: "done", detail: "45 websockets moved" }));
  });

  it("are left to the stop when they are so few that it makes no difference", async () => {
    const site = await held(20);
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(site.docker.calls.filter((call) => call.startsWith("workbench"))).toEqual([]);
    expect(notes(site)).toEqual([]);
  });

  it("are left to the stop, and that is said, where the kernel does not close connections", async () => {
    const site = await held(45);
    site.docker.onNetworkProgram = async (_options, onLine) => {
      onLine("the kernel does not close connections: Operation not supported");
      return 1;
    };
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
    expect(notes(site)[1]).toBe(
      "The websockets of blue cannot be moved little by little and reconnect all at once: the kernel does not close connections: Operation not supported",
    );
    expect(await site.running("web")).toEqual(["green"]);
  });

  it("are left to the stop where the engine refuses the container that would cut them", async () => {
    const site = await held(45);
    site.docker.onNetworkProgram = async () => {
      throw new Error("not allowed here");
    };
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
    expect(notes(site)[1]).toContain("not allowed here");
    expect(await site.running("web")).toEqual(["green"]);
  });

  it("are moved in the same way from a bad release that is taken back", async () => {
    const site = await held(45);
    site.manners.set(TWO.image, { breaksAfter: 4 });
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("undone");
    const [bench, stop] = ["workbench on", "stop"].map((call) => site.docker.calls.indexOf(`${call} ${STACK}-green/web`));
    expect(bench).toBeGreaterThan(-1);
    expect(stop).toBeGreaterThan(bench ?? 0);
    expect(site.docker.calls).not.toContain(`workbench on ${STACK}-blue/web`);
  });
});
