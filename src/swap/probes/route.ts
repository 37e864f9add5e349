import { frontRequest } from "../front.ts";
import type { SwapDeps } from "../swap-deps.ts";
import { fail, pass, type Probe } from "./probe.ts";

/** One of the site's routes through the front door. What it answers is the site's business, but an answer it must be. */
export function routeProbe(deps: Pick<SwapDeps, "http" | "stack">, path: string): Probe {
  return {
    name: routeProbeName(path),
    look: async () => {
      const { status, milliseconds } = await deps.http.ask(frontRequest(deps, path));
      const evidence = { status, milliseconds: Math.round(milliseconds) };
      return status >= 500 ? fail(`${path} answered ${status}`, evidence) : pass(`${path} answered ${status}`, evidence);
    },
  };
}

export function routeProbeName(path: string): string {
  return `route ${path}`;
}
