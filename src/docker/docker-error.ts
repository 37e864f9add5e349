import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";

/** What the engine or `docker compose` said, as an error that tells people what to do; undefined when the words are not known. */
export function knownDockerError(words: string, subject: string, cause?: unknown): MillwrightError | undefined {
  if (/no space left on device|ENOSPC|disk quota exceeded/i.test(words)) {
    const hint = "Make room on the host (`docker system df`, `df -h`), then run the command again.";
    return new MillwrightError("DISK_FULL", `The host's disk is full: ${lastLine(words)}`, { subject, hint, cause });
  }
  if (/ECONNREFUSED|EACCES|ENOENT.*\.sock|connect ENOENT|Cannot connect to the Docker daemon|Is the docker daemon running/i.test(words)) {
    const hint = "Look at `systemctl status docker` on the host.";
    return new MillwrightError("DOCKER_DOWN", "The Docker engine does not answer.", { subject, hint, cause });
  }
  return undefined;
}

/** An error of a call to the engine, as ours. */
export function dockerError(error: unknown, subject: string): MillwrightError {
  if (error instanceof MillwrightError) return error;
  const words = messageOf(error);
  return (
    knownDockerError(words, subject, error) ?? new MillwrightError("DOCKER_FAILED", `The Docker engine refused: ${lastLine(words)}`, { subject, cause: error })
  );
}

export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

export function lastLine(words: string): string {
  return redact(words.trim().split("\n").at(-1) ?? "").trim() || "no reason given";
}
