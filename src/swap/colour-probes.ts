import type { Probe } from "./probes/probe.ts";
import { assetsProbe } from "./probes/assets.ts";
import { databaseProbe } from "./probes/database.ts";
import { loginPageProbe } from "./probes/login-page.ts";
import { sessionStoreProbe } from "./probes/session-store.ts";
import { smokeProbes } from "./probes/smoke.ts";
import { versionInfoProbe } from "./probes/version-info.ts";
import { websocketProbe } from "./probes/websocket.ts";
import type { Target } from "./probes/probe.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** Everything that a colour must show to be fit for users, the site's own checks last. */
export function colourProbes(deps: Pick<SwapDeps, "stack" | "psql" | "secret" | "clock">, target: Target): readonly Probe[] {
  const { series, database, sessions, smoke } = deps.stack.facts;
  return [
    loginPageProbe(target),
    assetsProbe(target),
    versionInfoProbe(target, series),
    websocketProbe(target),
    ...(sessions === "redis" ? [sessionStoreProbe(target, series)] : []),
    databaseProbe(deps.psql, deps.clock, database, series),
    ...smokeProbes(target, smoke, { database, password: () => deps.secret("odoo_probe") }),
  ];
}
