import { MillwrightError } from "../kernel/errors.ts";
import type { WantedHost } from "./wanted.ts";

const KNOWN = ["debian 12", "debian 13", "ubuntu 24.04"];

/** Refuses a system that bootstrap does not know, or that lacks what the stack is to have. `distribution` is `debian 13`, `ubuntu 24.04`. */
export function refuseUnknownSystem(distribution: string, wanted: { readonly stack: string; readonly docker: Pick<WantedHost["docker"], "source"> }): void {
  if (!KNOWN.includes(distribution)) {
    throw new MillwrightError("HOST_UNSUPPORTED", `The host runs ${distribution}; millwright knows Debian 12, Debian 13 and Ubuntu 24.04.`, {
      subject: wanted.stack,
      hint: "Give the stack a host with one of these.",
    });
  }
  if (distribution === "debian 12" && wanted.docker.source === "distribution") {
    throw new MillwrightError("HOST_UNSUPPORTED", "Debian 12's own packages hold Docker 20.10 and no Compose 2; millwright needs both newer.", {
      subject: "docker.source",
      hint: "Use Debian 13 or Ubuntu 24.04; or add Docker's own package source to the host and set docker.source to `docker` in site.yaml.",
    });
  }
}

/** The system's name as `refuseUnknownSystem` wants it, from /etc/os-release. */
export function distributionOf(osRelease: string): string {
  const value = (key: string): string => new RegExp(`^${key}=["']?([^"'\n]*)`, "m").exec(osRelease)?.[1] ?? "";
  return `${value("ID") || "unknown"} ${value("VERSION_ID")}`.trim();
}
