import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Compose } from "./docker.ts";

const ATTEMPTS = 4;
const PAUSE_MILLISECONDS = 500;

/**
 * Now and then runc loses the process that is to become a container or a program in one, before it has joined it (moby#40399, seen with
 * Docker 26.1 and runc 1.1.15, with memory to spare). None of it has run, so asking again does nothing twice.
 */
function isLost(words: string): boolean {
  return /OCI runtime \w+ failed: .*read init-p: connection reset by peer/.test(words);
}

/** Does `work` again for as long as its process is lost, some times. */
export async function pastLostProcesses<T>(clock: Clock, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof MillwrightError) || ![error.message, ...error.details].some(isLost)) throw error;
    }
    await clock.sleep(PAUSE_MILLISECONDS * attempt, signal);
  }
}

/** The same for what Compose starts. */
export function composePastLostProcesses(compose: Compose, clock: Clock): Compose {
  return {
    ...compose,
    up: async (...words) => await pastLostProcesses(clock, () => compose.up(...words)),
    run: async (project, directory, service, words, onLine, signal) =>
      await pastLostProcesses(
        clock,
        async () => {
          let last = "";
          const noted = (line: string): void => {
            last = line;
            onLine(line);
          };
          const code = await compose.run(project, directory, service, words, noted, signal);
          // Compose ends with 1 here, as the program might; but then it was the engine that had the last word.
          if (code !== 0 && last.startsWith("Error response from daemon: ") && isLost(last)) {
            throw new MillwrightError("COMPOSE_FAILED", `The engine could not start the container of ${service}: ${last}`, { subject: service });
          }
          return code;
        },
        signal,
      ),
  };
}
