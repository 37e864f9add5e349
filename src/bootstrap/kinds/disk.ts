import * as z from "zod";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Difference, ResourceOf } from "../resource.ts";
import type { System } from "../system.ts";
import type { Kind } from "./kind.ts";
import { mustRun } from "./must-run.ts";

const LABEL = "millwright";
type Disk = ResourceOf<"disk">;

/** Only an empty device is ever formatted; one that carries our label is mounted again with what is on it. */
export const diskKind: Kind<Disk> = {
  observe: async ({ device, mount }, system) => {
    const { label, type, uuid } = await signature(device, system);
    const mounted = await mountedAt(mount, system);
    if (type === undefined) {
      await refuseUnlessEmpty(device, mount, mounted, system);
      return [{ title: `format ${device} with XFS and mount it at ${mount}` }];
    }
    if (type !== "xfs" || label !== LABEL || uuid === undefined)
      throw inUse(device, `it carries ${type === "" ? "a partition table" : `a file system or signature (${type})`}`);
    const kept = ((await system.files.read("/etc/fstab")) ?? "").split("\n").includes(fstabLine(uuid, mount));
    const here = mounted === uuid;
    if (!here) await refuseUnlessEmpty(device, mount, mounted, system);
    const findings: readonly Difference[] = [
      ...(kept ? [] : [{ title: `mount ${device} at ${mount} at boot`, diff: [`+ ${fstabLine(uuid, mount)}`] }]),
      ...(here ? [] : [{ title: `mount ${device} at ${mount}` }]),
    ];
    return findings;
  },
  apply: async ({ device, mount }, system) => {
    // Without -f mkfs refuses by itself what has come onto the device since it was looked at.
    if ((await signature(device, system)).type === undefined) {
      // It discards every block first, which some disks take their time for.
      await mustRun(system, ["mkfs.xfs", "-q", "-m", "reflink=1", "-L", LABEL, device], { timeoutMilliseconds: 30 * 60_000 });
    }
    const { uuid } = await signature(device, system);
    if (uuid === undefined) throw inUse(device, "its new file system has no UUID");
    const fstab = (await system.files.read("/etc/fstab")) ?? "";
    const others = fstab.split("\n").filter((line) => line !== "" && line.split(/\s+/)[1] !== mount);
    await system.files.write("/etc/fstab", [...others, fstabLine(uuid, mount), ""].join("\n"), 0o644);
    await system.files.makeDirectory(mount, 0o755);
    if ((await mountedAt(mount, system)) !== uuid) {
      await mustRun(system, ["systemctl", "daemon-reload"]);
      await mustRun(system, ["mount", mount]);
    }
  },
};

function fstabLine(uuid: string, mount: string): string {
  return `UUID=${uuid} ${mount} xfs noatime,nodev,nosuid 0 2`;
}

interface Signature {
  /** undefined on an empty device; empty when there is a partition table only. */
  readonly type: string | undefined;
  readonly label?: string | undefined;
  readonly uuid?: string | undefined;
}

async function signature(device: string, system: System): Promise<Signature> {
  const { code, stdout, stderr } = await system.shell.run(["blkid", "-p", "-o", "export", device]);
  if (code === 2) {
    // 2 is "nothing found", and also "no such device".
    if ((await system.files.look(device)) === undefined)
      throw new MillwrightError("DISK_IN_USE", `The host has no block device ${device}.`, {
        subject: "dataDisk",
        hint: "Look at `lsblk` on the host, and correct dataDisk in site.yaml.",
      });
    return { type: undefined };
  }
  if (code !== 0) throw inUse(device, stderr.trim() === "" ? "blkid cannot tell what is on it" : stderr.trim());
  const found = Object.fromEntries(stdout.split("\n").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]));
  return { type: found["TYPE"] ?? "", label: found["LABEL"], uuid: found["UUID"] };
}

async function refuseUnlessEmpty(device: string, mount: string, mounted: string | undefined, system: System): Promise<void> {
  if (mounted !== undefined) throw inUse(device, `another file system is mounted at ${mount}`);
  if ((await system.files.list(mount)).length > 0) throw inUse(device, `${mount} already holds files on the system disk, which the mount would hide`);
  const { stdout } = await system.shell.run(["lsblk", "-J", "-o", "NAME,MOUNTPOINTS", device]);
  const [node] = devicesSchema.parse(JSON.parse(stdout === "" ? '{"blockdevices":[]}' : stdout)).blockdevices;
  if ((node?.children ?? []).length > 0) throw inUse(device, "it has partitions or carries other devices");
  if ((node?.mountpoints ?? []).some((point) => point !== null)) throw inUse(device, `it is mounted at ${node?.mountpoints.join(", ")}`);
}

const devicesSchema = z.object({
  blockdevices: z.array(z.object({ mountpoints: z.array(z.string().nullable()).default([]), children: z.array(z.unknown()).optional() })),
});

async function mountedAt(mount: string, system: System): Promise<string | undefined> {
  const { code, stdout } = await system.shell.run(["findmnt", "-n", "-o", "UUID", "--mountpoint", mount]);
  return code === 0 ? stdout.trim() : undefined;
}

function inUse(device: string, why: string): MillwrightError {
  return new MillwrightError("DISK_IN_USE", `Bootstrap does not touch ${device}: ${why}.`, {
    subject: "dataDisk",
    hint: `If nothing on it is needed, empty it by hand (wipefs -a ${device}) and run bootstrap again; else correct dataDisk in site.yaml.`,
  });
}
