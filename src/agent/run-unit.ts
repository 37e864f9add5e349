import { MillwrightError } from "../kernel/errors.ts";
import type { Shell } from "../kernel/shell.ts";

/** File name of the run's unit; bootstrap writes `runUnit` there and enables one instance for each stack. */
export const RUN_UNIT_NAME = "millwright-run@.service";

/** What every unit of the agent is kept to. */
export const CONFINEMENT = `Environment=LANG=C.UTF-8
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/srv/millwright
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes`;

/** How long a run that is told to stop may take to finish what it is undoing before it is killed; the journal covers the rest. */
const STOP_SECONDS = 30;

/** From systemd 254 on the time between two tries can grow: at once for a process that was killed, less often while the cause lasts. */
const RESTART = { growing: "RestartSec=1\nRestartSteps=6\nRestartMaxDelaySec=60", fixed: "RestartSec=5" };

/**
 * Carries out the run that holds the stack's lock. Started by a verb, by systemd again when it dies, and at boot when a lock is there.
 * Status 7 means that a person is needed, so it is not tried again; after any other it is, without end, since a run that has decided must be
 * finished. Where processor time is short, the containers that people use come before it. It works on files under /srv/millwright and talks to
 * Docker's socket; reading the connections of a container's network needs CAP_SYS_PTRACE.
 */
export function runUnit(restart: keyof typeof RESTART): string {
  return `[Unit]
Description=millwright run on %i
ConditionPathExists=/srv/millwright/%i/state/lock
RequiresMountsFor=/srv/millwright
Wants=docker.service
After=docker.service network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/opt/millwright/bin/agent run %i
Restart=on-failure
${RESTART[restart]}
RestartPreventExitStatus=7
KillMode=mixed
TimeoutStopSec=${STOP_SECONDS}
MemoryMax=200M
TasksMax=256
OOMScoreAdjust=-500
CPUWeight=30
${CONFINEMENT}
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_ADMIN CAP_SYS_PTRACE

[Install]
WantedBy=multi-user.target
`;
}

export function runUnitOf(stack: string): string {
  return RUN_UNIT_NAME.replace("@", `@${stack}`);
}

/**
 * Starts the stack's run unit, also after it gave up, and returns without waiting for the run. `start` does nothing to a unit that is
 * running: for a run that may be under way. `restart` is for a new run: the process of the one before may be about to end, and a `start`
 * would be lost on it.
 */
export async function startUnit(shell: Shell, stack: string, how: "start" | "restart"): Promise<void> {
  const unit = runUnitOf(stack);
  // Fails when the unit is not loaded yet, which is as good as reset.
  await shell.run(["systemctl", "reset-failed", unit]);
  const verb = how === "start" && (await isWaiting(shell, unit)) ? "restart" : how;
  const started = await shell.run(["systemctl", verb, "--no-block", unit]);
  if (started.code === 0) return;
  throw new MillwrightError("UNIT_FAILED", `systemd did not start the run: ${started.stderr.trim().split("\n")[0] ?? "no reason given"}`, {
    subject: unit,
    hint: "Put the host's units right with `millwright host bootstrap`, then `millwright resume`.",
  });
}

/** True while the unit runs, is about to, or waits to be started again. */
export async function isUnitActive(shell: Shell, stack: string): Promise<boolean> {
  const { stdout } = await shell.run(["systemctl", "show", "--property=ActiveState,Job", runUnitOf(stack)]);
  return /^ActiveState=(active|activating|reloading|deactivating)$/m.test(stdout) || /^Job=[1-9]/m.test(stdout);
}

/** True between two tries. A `start` would then only wait for the second with systemd. */
async function isWaiting(shell: Shell, unit: string): Promise<boolean> {
  const { stdout } = await shell.run(["systemctl", "show", "--property=SubState", unit]);
  return /^SubState=auto-restart/m.test(stdout);
}
