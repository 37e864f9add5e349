import { randomBytes } from "node:crypto";
import { isMissing } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { GUARD, GUARDED_FILES, ROLLBACK_UNIT } from "./guard-files.ts";
import { mustRun } from "./kinds/must-run.ts";
import type { System } from "./system.ts";

const TIMER = "millwright-guard";
const PENDING = `${GUARD}/pending`;

/** From here on the host takes the change back by itself, after `seconds` or at its next boot, unless `confirmGuard` is called. */
export async function beginGuard(system: System, seconds: number): Promise<string> {
  const { files, shell } = system;
  const id = randomBytes(6).toString("hex");
  const draft = `${GUARD}/draft`;
  await files.remove(draft);
  await files.makeDirectory(draft, 0o700);
  await files.write(`${draft}/id`, id, 0o600);
  for (const [name, path] of Object.entries(GUARDED_FILES)) {
    const entry = await files.look(path);
    const content = await files.read(path);
    if (entry !== undefined && content !== undefined) await files.write(`${draft}/${name}`, content, entry.mode);
  }
  await files.rename(draft, PENDING);
  // A timer of an earlier guard may have been left over; there is none to stop in the usual case.
  await shell.run(["systemctl", "stop", `${TIMER}.timer`]);
  await mustRun(system, [
    "systemd-run",
    `--unit=${TIMER}`,
    "--collect",
    `--on-active=${seconds}`,
    "--timer-property=AccuracySec=1s",
    "systemctl",
    "start",
    ROLLBACK_UNIT,
  ]);
  return id;
}

export async function isGuardPending(system: System): Promise<boolean> {
  return (await system.files.look(PENDING)) !== undefined;
}

/** Called over a connection that was opened after the change. */
export async function confirmGuard(system: System, id: string): Promise<void> {
  const gone = new MillwrightError("LOGIN_NOT_PROVEN", "The new login came too late: the host had already taken its sshd and firewall settings back.", {
    subject: id,
    hint: "Run bootstrap again.",
  });
  if ((await system.files.read(`${PENDING}/id`)) !== id) throw gone;
  await system.files.remove(`${GUARD}/confirmed`);
  try {
    await system.files.rename(PENDING, `${GUARD}/confirmed`);
  } catch (error) {
    throw isMissing(error) ? gone : error;
  }
  // The timer may be gone already; without the folder it has nothing to do.
  await system.shell.run(["systemctl", "stop", `${TIMER}.timer`]);
}

/** Puts the old settings back now. Does nothing when no change is pending. */
export async function rollBackGuard(system: System): Promise<boolean> {
  if (!(await isGuardPending(system))) return false;
  await mustRun(system, ["systemctl", "start", ROLLBACK_UNIT]);
  await system.shell.run(["systemctl", "stop", `${TIMER}.timer`]);
  if (await isGuardPending(system)) {
    throw new MillwrightError("BOOTSTRAP_FAILED", "The host did not take back its sshd and firewall settings.", {
      subject: ROLLBACK_UNIT,
      hint: `Look at \`journalctl -u ${ROLLBACK_UNIT}\` on the host.`,
    });
  }
  return true;
}
