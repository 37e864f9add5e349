import { stringify } from "yaml";
import { RUN_UNIT_NAME, runUnit, runUnitOf } from "../../agent/run-unit.ts";
import { SCHEDULE_SERVICE_NAME, SCHEDULE_TIMER_NAME, scheduleService, scheduleTimer, scheduleTimerOf } from "../../agent/schedule-unit.ts";
import { hostPaths } from "../../blueprint/host-paths.ts";
import { HOST_FILE } from "../../deploy/host-file.ts";
import { HOST_IDENTITY } from "../../deploy/open-host-vault.ts";
import { GUARD_FILES } from "../guard-files.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Resource } from "../resource.ts";
import type { WantedHost } from "../wanted.ts";
import { DATA } from "./disk.ts";

/** The runtime is in place already (it runs this); here it becomes the host's agent. */
export function agentResources(wanted: WantedHost, facts: HostFacts): readonly Resource[] {
  const paths = hostPaths(wanted.stack);
  const unit = { group: "agent", kind: "file", mode: 0o644, triggers: ["daemon-reload"] } as const;
  return [
    { group: "agent", kind: "directory", path: "/opt/millwright", mode: 0o755 },
    { group: "agent", kind: "directory", path: "/opt/millwright/bin", mode: 0o755 },
    { group: "agent", kind: "symlink", path: "/opt/millwright/current", target: wanted.agent },
    { group: "agent", kind: "file", path: "/opt/millwright/bin/agent", mode: 0o755, content: WRAPPER },
    { group: "agent", kind: "directory", path: "/etc/millwright", mode: 0o755 },
    { group: "agent", kind: "file", path: HOST_FILE, mode: 0o644, content: hostFile(wanted) },
    { group: "agent", kind: "identity", path: HOST_IDENTITY },
    { group: "agent", kind: "directory", path: DATA, mode: 0o755 },
    { group: "agent", kind: "directory", path: paths.base, mode: 0o755 },
    { group: "agent", kind: "directory", path: paths.state, mode: 0o700 },
    ...GUARD_FILES.map(({ path, content, mode }): Resource => ({ ...unit, path, content, mode })),
    { ...unit, path: `/etc/systemd/system/${RUN_UNIT_NAME}`, content: runUnit(facts.systemd >= 254 ? "growing" : "fixed") },
    { ...unit, path: `/etc/systemd/system/${SCHEDULE_SERVICE_NAME}`, content: scheduleService() },
    { ...unit, path: `/etc/systemd/system/${SCHEDULE_TIMER_NAME}`, content: scheduleTimer() },
    { group: "agent", kind: "action", name: "daemon-reload", title: "let systemd read its units again", words: [["systemctl", "daemon-reload"]] },
    { group: "agent", kind: "unit", unit: "millwright-rollback.service", active: false },
    { group: "agent", kind: "unit", unit: runUnitOf(wanted.stack), active: false },
    { group: "agent", kind: "unit", unit: scheduleTimerOf(wanted.stack), active: true },
  ];
}

function hostFile({ stack, agent, waivers }: WantedHost): string {
  return stringify({ version: 1, stack, agent, ...(waivers.length === 0 ? {} : { waivers }) });
}

// The link is read once, so that runtime and agent are of one version even while it is being moved to another.
const WRAPPER = `#!/bin/sh
# Managed by millwright: \`millwright host bootstrap\` puts it back.
here=$(readlink -f /opt/millwright/current) || exit 127
exec "$here/node" "$here/agent.mjs" "$@"
`;
