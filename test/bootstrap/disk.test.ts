import { describe, expect, it } from "vitest";
import { applyResource, observeResource } from "../../src/bootstrap/kinds/kinds.ts";
import type { Resource } from "../../src/bootstrap/resource.ts";
import type { System } from "../../src/bootstrap/system.ts";
import { FakeHost } from "./fake-host.ts";

const DISK: Resource = { group: "disk", kind: "disk", device: "/dev/vdb", mount: "/srv/millwright" };
const OURS = "TYPE=xfs\nLABEL=millwright\nUUID=0b1c\n";

interface Machine {
  /** What blkid finds on the device; empty for nothing. */
  blkid?: string;
  lsblk?: object;
  /** UUID mounted at the mount point. */
  mounted?: string;
}

function machine(state: Machine): { readonly system: System; readonly ran: string[]; readonly host: FakeHost } {
  const host = new FakeHost();
  host.files.set("/dev/vdb", { kind: "other", mode: 0o660, uid: 0, gid: 0, content: "" });
  const ran: string[] = [];
  const run: System["shell"]["run"] = async ([program = "", ...rest]) => {
    const say = (code: number, stdout = ""): { code: number; stdout: string; stderr: string } => ({ code, stdout, stderr: "" });
    if (program === "blkid") return state.blkid === undefined ? say(2) : say(0, state.blkid);
    if (program === "lsblk") return say(0, JSON.stringify({ blockdevices: [state.lsblk ?? { name: "vdb", mountpoints: [null] }] }));
    if (program === "findmnt") return state.mounted === undefined ? say(1) : say(0, `${state.mounted}\n`);
    ran.push([program, ...rest].join(" "));
    if (program === "mkfs.xfs") state.blkid = OURS;
    if (program === "mount") state.mounted = "0b1c";
    return say(0);
  };
  return { system: { ...host.system, shell: { run } }, ran, host };
}

describe("the data disk", () => {
  it("is formatted when it is empty, mounted by UUID, and then left alone", async () => {
    const { system, ran, host } = machine({});
    expect(await observeResource(DISK, system)).toHaveLength(1);
    await applyResource(DISK, system);
    expect(ran[0]).toBe("mkfs.xfs -q -m reflink=1 -L millwright /dev/vdb");
    expect(host.files.get("/etc/fstab")?.content).toMatch(/^UUID=0b1c \/srv\/millwright xfs /);
    expect(await observeResource(DISK, system)).toEqual([]);
  });

  it("is mounted again with what is on it when a run was cut off after formatting it", async () => {
    const { system, ran } = machine({ blkid: OURS });
    expect((await observeResource(DISK, system)).length).toBeGreaterThan(0);
    await applyResource(DISK, system);
    expect(ran.join("\n")).not.toContain("mkfs");
  });

  it.each([
    ["a file system", { blkid: "TYPE=ext4\nUUID=77\n" }],
    ["an XFS that is not ours", { blkid: "TYPE=xfs\nUUID=77\n" }],
    ["a partition table", { blkid: "PTTYPE=gpt\n" }],
    ["partitions", { lsblk: { name: "vdb", mountpoints: [null], children: [{}] } }],
    ["a mount", { lsblk: { name: "vdb", mountpoints: ["/var/lib/postgresql"] } }],
    ["a mount point that another file system has", { mounted: "99" }],
  ] satisfies [string, Machine][])("is refused when it holds %s", async (_what, state) => {
    const { system, ran } = machine(state);
    await expect(observeResource(DISK, system)).rejects.toMatchObject({ code: "DISK_IN_USE" });
    expect(ran).toEqual([]);
  });

  it("is refused when the mount would hide files that are there already", async () => {
    const { system, host } = machine({});
    host.files.set("/srv/millwright/acme-production", { kind: "directory", mode: 0o755, uid: 0, gid: 0, content: "" });
    await expect(observeResource(DISK, system)).rejects.toMatchObject({ code: "DISK_IN_USE" });
  });

  it("is refused when the host has no such device", async () => {
    const { system, host } = machine({});
    host.files.delete("/dev/vdb");
    await expect(observeResource(DISK, system)).rejects.toMatchObject({ code: "DISK_IN_USE" });
  });
});
