import { describe, expect, it } from "vitest";
import { trafficEvent } from "../../src/swap/traffic-event.ts";
import { recordBaseline, recordRounds } from "./record-series.ts";

describe("a round's traffic for whoever watches", () => {
  const round = recordRounds({ seconds: 10, people: 5, synthetic: 1 }).at(-1);
  if (round === undefined) throw new Error("no round was recorded");
  const switchedAt = Date.parse(round.at) - 12_000;

  it("is the new colour's since the switch beside the old one's before it", () => {
    expect(trafficEvent({ colour: "green", round, switchedAt, baseline: recordBaseline({ seconds: 600, people: 5 }) })).toEqual({
      kind: "traffic",
      at: round.at,
      now: { colour: "green", seconds: 12, requests: 72, errors: 0, p95Milliseconds: expect.any(Number) as number },
      before: { colour: "blue", seconds: 600, requests: 3000, errors: 0, p95Milliseconds: expect.any(Number) as number },
    });
  });

  it("has in a canary the old one's in the same time, too", () => {
    const old = recordRounds({ seconds: 10, people: 9, synthetic: 0 }).at(-1)?.traffic;
    if (old === undefined) throw new Error("nothing was counted");
    expect(trafficEvent({ colour: "green", round: { ...round, old }, switchedAt, baseline: undefined })).toMatchObject({
      now: { colour: "green", seconds: 12, requests: 72 },
      beside: { colour: "blue", seconds: 12, requests: 108 },
    });
  });

  it("is the new colour's alone where nobody knows how the old one did", () => {
    expect(trafficEvent({ colour: "green", round, switchedAt, baseline: undefined })).not.toHaveProperty("before");
  });

  it("is not told when the proxy's counts could not be read", () => {
    const [blind] = recordRounds({ seconds: 0, blind: true });
    expect(blind && trafficEvent({ colour: "green", round: blind, switchedAt, baseline: undefined })).toBeUndefined();
  });
});
