import { releaseTag } from "../../../src/release/image-store.ts";
import { image, STACK } from "../../deploy/fixture-stack.ts";
import { Machine } from "./machine.ts";
import { RELEASES } from "./releases.ts";
import { type Answer, operate } from "./operators.ts";

/**
 * `empty`: deployed, nothing serves. `one`: the first release serves on blue. `two`: the second serves on green, blue is kept ready. `canary`:
 * the same, and the next upgrade moves a few users first.
 */
export const STARTS = ["empty", "one", "two", "canary"] as const;
const BEFORE = { one: "empty", two: "one", canary: "two" } as const;
export type Start = (typeof STARTS)[number];

const starts = new Map<Start, Promise<Machine>>();

/** A machine on which that serves; what was done to get there was done by the agent. */
export async function machineWith(start: Start): Promise<Machine> {
  const known = starts.get(start) ?? makeStart(start);
  starts.set(start, known);
  return (await known).copy();
}

async function makeStart(start: Start): Promise<Machine> {
  const machine = start === "empty" ? newMachine() : await machineWith(BEFORE[start]);
  const work = {
    empty: { do: "deploy", stack: "first" },
    one: { do: "upgrade", release: "one" },
    two: { do: "upgrade", release: "two" },
    canary: { do: "deploy", stack: "canary" },
  } as const;
  const answers: Answer[] = [];
  operate(machine, "setup", work[start], (answer) => answers.push(answer));
  await machine.drive();
  const [answer] = answers;
  if (answer === undefined || answer.error !== undefined) throw new Error(`the start "${start}" cannot be made: ${String(answer?.error)}`);
  machine.disk.syncAll();
  machine.trace.length = 0;
  return machine;
}

function newMachine(): Machine {
  const machine = new Machine();
  for (const { release, manner } of Object.values(RELEASES)) {
    machine.engine.addRelease(release.image, releaseTag(STACK, release.image.slice(7, 40)));
    machine.odoo.manners.set(release.image, manner);
  }
  for (const name of ["traefik:v3.7", "postgres:18", "exporter:1"]) machine.engine.registry.add(image(name));
  for (const path of ["/srv", "/srv/millwright", machine.paths.base, machine.paths.state]) machine.disk.createFolder(path, 0o755);
  return machine;
}
