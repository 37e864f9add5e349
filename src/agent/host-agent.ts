import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { HOST_IDENTITY } from "../deploy/open-host-vault.ts";
import { localShell } from "../docker/local-shell.ts";
import { systemClock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { readIdentity } from "../secrets/identity.ts";
import type { AgentDeps } from "./agent-deps.ts";

/** The agent on this machine: what `main.ts` and the command line's --local run on. */
export function hostAgent(): AgentDeps {
  return {
    root: "/",
    clock: systemClock,
    shell: localShell(),
    random: randomBytes,
    recipient: async () => {
      try {
        return (await readIdentity(HOST_IDENTITY)).recipient;
      } catch (error) {
        if (error instanceof MillwrightError && error.code === "IDENTITY_MISSING") return undefined;
        throw error;
      }
    },
    hostName: hostname(),
  };
}
