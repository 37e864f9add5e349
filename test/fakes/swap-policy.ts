import type { StackFacts } from "../../src/blueprint/stack.ts";

/** What a site gets that says nothing of it; test/site/load-site.test.ts keeps it so. */
export const DEFAULT_POLICY: StackFacts["swap"] = {
  readySeconds: 180,
  drainSeconds: 60,
  cronSeconds: 300,
  bakeSeconds: 60,
  probeSeconds: 2,
  rules: {
    baselineSeconds: 600,
    extendSeconds: 60,
    probes: { failAfter: 3, passAfter: 3, flaps: 4, window: 20 },
    traffic: { minimumRequests: 300, rate: 10, routes: [] },
    errors: { action: "fail", share: 0.01, routeShare: 0.2, minimum: 3 },
    latency: { action: "fail", ratio: 2, floorSeconds: 0.5, minimumRequests: 50 },
    memory: { action: "fail", overSeconds: 45, withinSeconds: 600, above: 0.6 },
    log: { action: "fail", kinds: 5, entries: 30 },
  },
};
