import { CONFINEMENT } from "./run-unit.ts";

/** File names of the units that begin what is due; bootstrap writes them there and enables the timer of each stack. */
export const SCHEDULE_TIMER_NAME = "millwright-schedule@.timer";
export const SCHEDULE_SERVICE_NAME = "millwright-schedule@.service";

/** While this file lies in a stack's state folder, nothing is begun by schedule. */
export const PAUSE_FILE = "schedule-paused";

/**
 * Asks every few minutes whether a backup, a drill or a verification is due. What is due is decided by what the host has (`dueNow`), not by when the timer
 * elapsed: a host that was off, or that a swap kept busy, catches up, and a changed time in site.yaml needs no other timer.
 */
export function scheduleTimer(): string {
  return `[Unit]
Description=millwright: backups and drills of %i when they are due

[Timer]
OnCalendar=*:0/5
AccuracySec=10s

[Install]
WantedBy=timers.target
`;
}

/** Only makes the plan and starts the run's own unit, which does the work. */
export function scheduleService(): string {
  return `[Unit]
Description=millwright: begin what is due on %i
ConditionPathExists=/srv/millwright/%i/current
ConditionPathExists=!/srv/millwright/%i/state/${PAUSE_FILE}
After=docker.service

[Service]
Type=oneshot
ExecStart=/opt/millwright/bin/agent schedule %i
# Another run is under way: the next look will do.
SuccessExitStatus=5
MemoryMax=200M
TasksMax=64
${CONFINEMENT}
`;
}

export function scheduleTimerOf(stack: string): string {
  return SCHEDULE_TIMER_NAME.replace("@", `@${stack}`);
}
