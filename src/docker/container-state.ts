import type { ContainerInspectInfo } from "dockerode";
import type { ContainerState } from "./docker.ts";

const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"] as const;
const HEALTHS = ["starting", "healthy", "unhealthy"] as const;

/** What an inspect says, reduced to what millwright asks. `State.Health` is absent without a health check. */
export function containerState(found: ContainerInspectInfo): ContainerState {
  const labels = found.Config.Labels ?? {};
  const networks = Object.entries(found.NetworkSettings.Networks ?? {});
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ""),
    project: labels["com.docker.compose.project"] ?? "",
    service: labels["com.docker.compose.service"] ?? "",
    image: found.Config.Image,
    state: STATES.find((state) => state === found.State.Status) ?? "dead",
    health: HEALTHS.find((health) => health === found.State.Health?.Status) ?? "none",
    exitCode: found.State.ExitCode,
    oomKilled: found.State.OOMKilled,
    restartCount: found.RestartCount,
    startedAt: found.State.StartedAt,
    pid: found.State.Pid,
    labels,
    addresses: Object.fromEntries(networks.map(([name, network]) => [name, network.IPAddress])),
  };
}
