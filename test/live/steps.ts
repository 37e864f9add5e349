import { it } from "vitest";
import type { Plant } from "./plant.ts";

/**
 * Steps of one story on one plant, in order: each stands on the ones before, so after a failure the rest is skipped rather than left to fail
 * for the same reason. What tells about the failure is kept, and its place printed.
 */
export function story(plant: () => Plant | undefined): (name: string, step: () => Promise<void>, timeout?: number) => void {
  let broken: string | undefined;
  return (name, step, timeout) =>
    it(
      name,
      async (context) => {
        if (broken !== undefined) context.skip(`after the failure of "${broken}"`);
        try {
          await step();
        } catch (error) {
          broken = name;
          const scene = plant();
          if (scene !== undefined) process.stderr.write(`What is left of "${name}": ${await scene.keepArtifacts(name)}\n`);
          throw error;
        }
      },
      timeout,
    );
}
