import * as fc from "../../properties.ts";
import { RELEASES, STACKS } from "./releases.ts";
import { STARTS } from "./site.ts";
import { type Move, type Story, tell, VICTIMS } from "./story.ts";

/** Longer than the longest run, so that any point of it can be hit. */
const CHANGES = 260;

/** Long enough for somebody to come by in it. */
const PREVIEW_SECONDS = 20;

const releaseName = fc.constantFrom(...(Object.keys(RELEASES) as (keyof typeof RELEASES)[]));
const goodRelease = fc.constantFrom("one" as const, "two" as const, "three" as const);
const linkBreaks = fc.boolean();

const begin = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("upgrade" as const), release: goodRelease, linkBreaks }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("upgrade" as const), release: releaseName, linkBreaks }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("upgrade" as const), release: releaseName, preview: fc.constant(PREVIEW_SECONDS), linkBreaks }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rollback" as const), linkBreaks }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("deploy" as const), stack: fc.constantFrom(...(Object.keys(STACKS) as (keyof typeof STACKS)[])), linkBreaks }),
  },
);

const trouble: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("kill" as const), parts: fc.nat(3) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("error" as const), calls: fc.nat(8), isDone: fc.boolean(), seconds: fc.constantFrom(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("engine-restart" as const), seconds: fc.constantFrom(1, 5, 40) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("crash" as const), container: fc.constantFrom(...VICTIMS), oomKilled: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("disk-full" as const), effects: fc.constantFrom(1, 10, 100) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("clock-jump" as const), seconds: fc.constantFrom(-3600, -5, 5, 3600, 86_400) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("power-cut" as const), dice: fc.nat(1_000_000) }) },
  { weight: 1, arbitrary: fc.constant({ do: "reboot" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "deaf" as const }) },
);

const people: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: begin },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("abort" as const), linkBreaks }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resume" as const), linkBreaks }) },
);

const anything = fc.oneof({ weight: 3, arbitrary: trouble }, { weight: 2, arbitrary: people });
const wait = fc.constantFrom(1, 60, 300, 1200, 3000);
const later = fc.oneof(
  { weight: 3, arbitrary: fc.record({ after: fc.nat(CHANGES), move: anything }) },
  { weight: 1, arbitrary: fc.record({ after: fc.nat(CHANGES), wait, move: anything }) },
);

/** Stories in which something is begun and then goes wrong in up to seven ways. */
export const stories: fc.Arbitrary<Story> = fc
  .record({
    start: fc.constantFrom(...STARTS),
    jobMilliseconds: fc.constantFrom(0, 0, 1500, 6000),
    inFlight: fc.constantFrom(0, 0, 0, 2),
    first: begin,
    rest: fc.array(later, { maxLength: 7 }),
  })
  .map(({ first, rest, ...site }) => readable({ ...site, moves: [{ after: 0, move: first }, ...rest] }));

/** A story that fast-check prints as a test would have it. */
function readable(story: Story): Story {
  return Object.defineProperty(story, fc.toStringMethod, { value: () => tell(story), enumerable: false });
}

/** Stories in which nothing goes wrong: an upgrade, and at any time of it somebody else asks for something. */
export function undisturbed(second: "abort" | "upgrade"): fc.Arbitrary<Story> {
  const move: Move = second === "abort" ? { do: "abort", linkBreaks: false } : { do: "upgrade", release: "three", linkBreaks: false };
  const first = { after: 0, move: { do: "upgrade", release: "two", linkBreaks: false } } as const;
  return fc.nat(CHANGES).map((after) => readable({ start: "one", jobMilliseconds: 0, inFlight: 0, moves: [first, { after, move }] }));
}

/** Stories in which a canary is aborted at any time of it, by somebody who is in no hurry to the millisecond. */
export const abortedCanaries: fc.Arbitrary<Story> = fc
  .record({ at: fc.constantFrom("series-canary-1.jsonl", "series-canary-50.jsonl", "evidence/canary-50.json", "serving.json"), wait: fc.nat(1500) })
  .map(({ at, wait: milliseconds }) => {
    const first = { after: 0, move: { do: "upgrade", release: "three", linkBreaks: false } } as const;
    const abort = { at, wait: milliseconds, move: { do: "abort", linkBreaks: false } } as const;
    return readable({ start: "canary", jobMilliseconds: 0, inFlight: 0, moves: [first, abort] });
  });

/** How a preview may end: by a person's word, by nobody's, or because something dies in it. */
const ENDINGS = {
  go: { do: "resume", linkBreaks: false },
  "go of somebody who does not stay": { do: "resume", linkBreaks: true },
  abort: { do: "abort", linkBreaks: false },
  silence: undefined,
  kill: { do: "kill", parts: 0 },
  "power cut": { do: "power-cut", dice: 7 },
  "end of the release": { do: "crash", container: "green/web", oomKilled: true },
} as const satisfies Readonly<Record<string, Move | undefined>>;

export interface PreviewStory {
  readonly ending: keyof typeof ENDINGS;
  readonly story: Story;
}

/** Stories in which a release is previewed and nothing goes wrong but what ends the preview, at any time of it. */
export const previews: fc.Arbitrary<PreviewStory> = fc
  .record({
    start: fc.constantFrom("one" as const, "canary" as const),
    ending: fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])),
    wait: fc.nat((PREVIEW_SECONDS - 2) * 1000),
  })
  .map(({ start, ending, wait: milliseconds }) => {
    const first = { after: 0, move: { do: "upgrade", release: "three", preview: PREVIEW_SECONDS, linkBreaks: false } } as const;
    const ends = ENDINGS[ending];
    const move = ends?.do === "crash" && start === "canary" ? ({ ...ends, container: "blue/web" } as const) : ends;
    const moves = [first, ...(move === undefined ? [] : [{ at: "preview.json", wait: milliseconds, move } as const])];
    return { ending, story: readable({ start, jobMilliseconds: 0, inFlight: 0, moves }) };
  });
