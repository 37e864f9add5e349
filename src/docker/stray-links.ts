import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines, type Shell } from "../kernel/shell.ts";
import type { Compose, ContainerState, Docker } from "./docker.ts";

/**
 * After a restart with live-restore the engine does not close all it has opened of the containers it finds: when one of them is stopped, its
 * network namespace lives on until the engine's garbage collector comes by (measured: up to 50 s, Docker 26.1). Its end of the bridge still
 * answers with the address that the next container gets, so that connections to a new database are refused by the old one's ghost. What is
 * left of a container that we stopped is therefore removed by us.
 */
export interface Links {
  /** Indexes of the host's ends of a running container's network links. */
  of(pid: number): Promise<readonly number[]>;
  /** Removes those that are still there. */
  remove(indexes: readonly number[]): Promise<void>;
}

/** The engine and its projects, leaving no link behind of the containers that they stop. */
export function withoutStrayLinks(
  engine: { readonly docker: Docker; readonly compose: Compose },
  links: Links,
): { readonly docker: Docker; readonly compose: Compose } {
  const { docker, compose } = engine;

  async function clean<T>(before: readonly ContainerState[], work: () => Promise<T>): Promise<T> {
    const running = before.filter(({ pid }) => pid > 0);
    const kept = await Promise.all(running.map(async ({ id, pid }) => ({ id, pid, indexes: await links.of(pid) })));
    const result = await work();
    if (kept.length === 0) return result;
    const now = new Map((await docker.allContainers()).map((container) => [container.id, container.pid]));
    await links.remove(kept.flatMap(({ id, pid, indexes }) => (now.get(id) === pid ? [] : indexes)));
    return result;
  }
  const ofProject = async (project: string, services: readonly string[]): Promise<readonly ContainerState[]> =>
    (await docker.containers(project)).filter((container) => services.length === 0 || services.includes(container.service));

  return {
    docker: {
      ...docker,
      stop: async (id, grace) => {
        const container = (await docker.allContainers()).filter((candidate) => candidate.id === id);
        await clean(container, () => docker.stop(id, grace));
      },
    },
    compose: {
      ...compose,
      up: async (project, directory, services = []) => await clean(await ofProject(project, services), () => compose.up(project, directory, services)),
      stop: async (project, directory, services, grace) =>
        await clean(await ofProject(project, services), () => compose.stop(project, directory, services, grace)),
      down: async (project, directory) => await clean(await ofProject(project, []), () => compose.down(project, directory)),
    },
  };
}

/** Links as Linux shows them below /proc and /sys. */
export function linuxLinks(shell: Shell, root = "/"): Links {
  return {
    async of(pid) {
      const folder = join(root, "proc", String(pid), "root/sys/class/net");
      const names = await readdir(folder).catch(() => []);
      const numbers = await Promise.all(names.filter((name) => name !== "lo").map(async (name) => await indexIn(join(folder, name, "iflink"))));
      return numbers.filter((index) => index !== undefined);
    },
    async remove(indexes) {
      if (indexes.length === 0) return;
      const folder = join(root, "sys/class/net");
      for (const name of await readdir(folder)) {
        const index = name.startsWith("veth") ? await indexIn(join(folder, name, "ifindex")) : undefined;
        if (index === undefined || !indexes.includes(index)) continue;
        const { code, stderr } = await shell.run(["ip", "link", "delete", "dev", name], { timeoutMilliseconds: 10_000 });
        // The engine may have got there in the meantime.
        if (code === 0 || /Cannot find device/i.test(stderr)) continue;
        throw new MillwrightError("DOCKER_FAILED", `A network link of a stopped container could not be removed: ${lastLines(stderr, 1)[0] ?? `exit ${code}`}`, {
          subject: name,
          hint: "Run `millwright host check`: the agent's unit must have CAP_NET_ADMIN.",
        });
      }
    },
  };
}

/** Undefined for a link that went away while it was looked at. */
async function indexIn(path: string): Promise<number | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const index = Number(text.trim());
  return text !== "" && Number.isInteger(index) && index > 0 ? index : undefined;
}
