import type { Docker } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { MillwrightError } from "../kernel/errors.ts";

/** Commands of restic that nobody needs any more once the run that has begun them has ended. */
type Command = "restore" | "check";

/**
 * Killed: what a restore has written is about to be removed, a check writes nothing, and the lock that either leaves in the repository is broken by
 * the next command. One that still waits for its turn is ended as well. This script's own words do not look like either.
 */
const endScript = (command: Command): string => `
for pass in 1 2 3 4 5 6 7 8 9 10; do
  found=
  for process in /proc/[0-9]*; do
    words=$(tr '\\0' ' ' < "$process/cmdline" 2> /dev/null) || continue
    case "$words" in restic" "*" ${command} "*|*/files.sh" run "*" ${command} "*|*/files.sh" offsite "*" ${command} "*) kill -KILL "\${process#/proc/}" 2> /dev/null; found=yes ;; esac
  done
  [ -n "$found" ] || exit 0
  sleep 1
done
exit 1
`;

/** Ends a command that outlived who started it: the engine cannot be told to, and it would go on writing, or keep snapshots from being taken. */
export async function endRestic(docker: Docker, stack: string, command: Command): Promise<void> {
  const container = await findContainer(docker, stack, "backup");
  if (container?.state !== "running") return;
  const { code } = await docker.exec(container.id, ["/bin/sh", "-c", endScript(command)]);
  if (code !== 0) {
    throw new MillwrightError("BACKUP_FAILED", `A ${command} of files that was cut off still runs and does not end.`, { subject: "backup" });
  }
}
