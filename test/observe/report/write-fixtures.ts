import { mkdir, writeFile } from "node:fs/promises";
import type { Colour } from "../../../src/blueprint/stack.ts";
import { Recorder } from "./record-run.ts";

/**
 * Records anew what the golden pages are made of: `npx tsx test/observe/report/write-fixtures.ts`, then `npm run golden:update`. Needed when
 * a run keeps something else than it did; the records of earlier versions must go on giving pages.
 */
const FOLDER = "test/golden/report";

/** By so many times slower, more and more, from so many seconds after its first request. */
const slowsAfter =
  (begin: number) =>
  (colour: Colour, second: number): number =>
    colour === "green" ? 1 + Math.min(9, Math.max(0, second - begin) / 4) : 1;

const STORIES = {
  stays: async () => await (await Recorder.make()).swap(),
  slow: async () => await (await Recorder.make({ slower: slowsAfter(0) })).swap(),
  "taken-back": async () => await (await Recorder.make({ manner: { breaksAfter: 40 } })).swap(),
  canary: async () => await (await Recorder.make({ canary: [10, 50] })).swap(),
  "canary-back": async () => await (await Recorder.make({ canary: [10, 50], slower: slowsAfter(45) })).swap(),
};

await mkdir(FOLDER, { recursive: true });
for (const [name, record] of Object.entries(STORIES)) {
  // An object a line: differences can be read, and the files stay small.
  await writeFile(`${FOLDER}/${name}.json`, `${JSON.stringify(await record()).replaceAll("},{", "},\n{")}\n`);
}
