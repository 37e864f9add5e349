import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linuxLinks, withoutStrayLinks, type Links } from "../../src/docker/stray-links.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";

class FakeLinks implements Links {
  readonly removed: number[] = [];
  async of(pid: number): Promise<readonly number[]> {
    return [pid * 10];
  }
  async remove(indexes: readonly number[]): Promise<void> {
    this.removed.push(...indexes);
  }
}

async function engine(): Promise<{ docker: FakeDocker; links: FakeLinks; swept: ReturnType<typeof withoutStrayLinks>; directory: string }> {
  const docker = new FakeDocker(new FakeClock());
  docker.addImage("busybox");
  const directory = await mkdtemp(join(tmpdir(), "millwright-"));
  await writeFile(join(directory, "compose.yaml"), "services: { web: { image: busybox } }");
  await docker.up("shop", directory);
  const links = new FakeLinks();
  // A class instance has its methods on the prototype: what is spread must be the calls that the sweep passes on.
  const plain = { stop: docker.stop.bind(docker), allContainers: () => docker.allContainers(), containers: docker.containers.bind(docker) };
  const compose = { up: docker.up.bind(docker), down: docker.down.bind(docker) };
  return {
    docker,
    links,
    swept: withoutStrayLinks({ docker: Object.assign(Object.create(docker), plain), compose: Object.assign(Object.create(docker), compose) }, links),
    directory,
  };
}

describe("the links of a container", () => {
  it("are removed when it was stopped", async () => {
    const { docker, links, swept } = await engine();
    const [web] = await docker.containers("shop");
    await swept.docker.stop(web?.id ?? "", 10);
    expect(links.removed).toEqual([(web?.pid ?? 0) * 10]);
  });

  it("are removed when it was made anew, and kept when it was not touched", async () => {
    const { docker, links, swept, directory } = await engine();
    const [web] = await docker.containers("shop");
    await swept.compose.up("shop", directory, ["web"]);
    expect(links.removed).toEqual([]);
    await writeFile(join(directory, "compose.yaml"), "services: { web: { image: busybox, labels: { new: 'yes' } } }");
    await swept.compose.up("shop", directory, ["web"]);
    expect(links.removed).toEqual([(web?.pid ?? 0) * 10]);
  });
});

describe("links on Linux", () => {
  async function machine(): Promise<{ root: string; ran: string[] }> {
    const root = await mkdtemp(join(tmpdir(), "millwright-"));
    const put = async (path: string, content: string): Promise<void> => {
      await mkdir(join(root, path, ".."), { recursive: true });
      await writeFile(join(root, path), content);
    };
    await put("proc/77/root/sys/class/net/lo/iflink", "1\n");
    await put("proc/77/root/sys/class/net/eth0/iflink", "556\n");
    await put("sys/class/net/veth0aa/ifindex", "556\n");
    await put("sys/class/net/veth0bb/ifindex", "557\n");
    await put("sys/class/net/eth0/ifindex", "556\n");
    return { root, ran: [] };
  }

  it("are found by the container's process, without its loopback", async () => {
    const { root } = await machine();
    const links = linuxLinks({ run: async () => ({ code: 0, stdout: "", stderr: "" }) }, root);
    expect(await links.of(77)).toEqual([556]);
    expect(await links.of(78)).toEqual([]);
  });

  it("are removed only if they are a container's, and one that is gone already is no error", async () => {
    const { root, ran } = await machine();
    const links = linuxLinks(
      {
        run: async (words) => {
          ran.push(words.join(" "));
          return { code: 1, stdout: "", stderr: 'Cannot find device "veth0aa"' };
        },
      },
      root,
    );
    await links.remove([556]);
    expect(ran).toEqual(["ip link delete dev veth0aa"]);
  });

  it("that cannot be removed are an error with its reason", async () => {
    const { root } = await machine();
    const links = linuxLinks({ run: async () => ({ code: 2, stdout: "", stderr: "RTNETLINK answers: Operation not permitted" }) }, root);
    await expect(links.remove([556])).rejects.toMatchObject({ code: "DOCKER_FAILED", message: expect.stringContaining("not permitted") });
  });
});
