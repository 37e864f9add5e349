import { describe, expect, it } from "vitest";
import { pass, type Probe, runProbes, runProbesInTurn } from "../../../src/swap/probes/probe.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

const NO_EVENTS = { emit: () => {} };

/** Probes that note when they begin and end, each some turns of the event loop long; `hangs` names one that answers when all have been asked. */
function noted(names: readonly string[], hangs?: string): { readonly probes: readonly Probe[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const release: (() => void)[] = [];
  const probes = names.map((name): Probe => ({
    name,
    look: async () => {
      notes.push(`${name} asks`);
      if (name === names.at(-1)) for (const answer of release) answer();
      await (name === hangs ? new Promise<void>((resolve) => release.push(resolve)) : Promise.resolve());
      notes.push(`${name} has answered`);
      return pass("good");
    },
  }));
  return { probes, notes };
}

describe("probes of a colour that people use", () => {
  it("are asked one after the other", async () => {
    const { probes, notes } = noted(["a", "b", "c"]);
    const results = await runProbesInTurn(probes, "green", new FakeClock(), NO_EVENTS);
    expect(notes).toEqual(["a asks", "a has answered", "b asks", "b has answered", "c asks", "c has answered"]);
    expect(results.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual(["a pass", "b pass", "c pass"]);
  });

  it("do not wait for one that hangs", async () => {
    const { probes, notes } = noted(["a", "b", "c"], "a");
    const clock = new FakeClock();
    const began = clock.now();
    const results = await runProbesInTurn(probes, "green", clock, NO_EVENTS);
    expect(notes).toEqual(["a asks", "b asks", "b has answered", "c asks", "a has answered", "c has answered"]);
    expect(results.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(clock.now() - began).toBe(250);
  });

  it("are failures when they get no answer, and the others are asked all the same", async () => {
    const dead: Probe = { name: "dead", look: () => Promise.reject(new Error("connection refused")) };
    const results = await runProbesInTurn([dead, ...noted(["a"]).probes], "green", new FakeClock(), NO_EVENTS);
    expect(results.map(({ name, verdict, detail }) => `${name} ${verdict}: ${detail}`)).toEqual(["dead fail: connection refused", "a pass: good"]);
  });
});

describe("probes of a colour that nobody uses", () => {
  it("are asked side by side", async () => {
    const { probes, notes } = noted(["a", "b"]);
    await runProbes(probes, "green", new FakeClock(), NO_EVENTS);
    expect(notes.slice(0, 2)).toEqual(["a asks", "b asks"]);
  });
});
