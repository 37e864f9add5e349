import type { Stack, StackFacts } from "../../../src/blueprint/stack.ts";
import { DEFAULT_POLICY } from "../../fakes/swap-policy.ts";
import { fixtureStack, hardened } from "../../deploy/fixture-stack.ts";
import { releaseNamed, ROUTES } from "../fake-site.ts";
import type { Manner } from "./odoo.ts";

const changed = (content: string): { readonly addons: { readonly scale: { version: string; content: string; schema: string } } } => ({
  addons: { scale: { version: "1", content, schema: "s1" } },
});

/** Every release that the model knows, with its manner. All fit the same database. */
export const RELEASES = {
  one: { release: releaseNamed("2026-11-24-1", changed("c1")), manner: {} },
  two: { release: releaseNamed("2026-11-24-2", changed("c2")), manner: {} },
  three: { release: releaseNamed("2026-11-24-3", changed("c3")), manner: {} },
  "bad page": { release: releaseNamed("2026-11-24-4", changed("c4")), manner: { login: 500 } },
  "bad websocket": { release: releaseNamed("2026-11-24-5", changed("c5")), manner: { websocket: 500 } },
  "bad in use": { release: releaseNamed("2026-11-24-6", changed("c6")), manner: { breaksAfter: 4 } },
  "ends at once": { release: releaseNamed("2026-11-24-7", changed("c7")), manner: { ends: true } },
  "ends its jobs": { release: releaseNamed("2026-11-24-8", changed("c8")), manner: { cronEnds: true } },
} as const satisfies Record<string, { readonly release: ReturnType<typeof releaseNamed>; readonly manner: Manner }>;

export type ReleaseName = keyof typeof RELEASES;

const POLICY: StackFacts["swap"] = {
  ...DEFAULT_POLICY,
  readySeconds: 10,
  drainSeconds: 2,
  cronSeconds: 3,
  bakeSeconds: 3,
  probeSeconds: 1,
  rules: {
    ...DEFAULT_POLICY.rules,
    extendSeconds: 5,
    probes: { failAfter: 2, passAfter: 2, flaps: 4, window: 20 },
    traffic: { minimumRequests: 5, rate: 5, routes: [] },
    latency: { ...DEFAULT_POLICY.rules.latency, action: "off", minimumRequests: 5 },
  },
};

/** `second` has other routes and another exporter, `settings` other settings of Odoo, `proxy` another proxy; `canary` moves a few users first. */
export const STACKS = {
  first: stackOf({}),
  second: stackOf({ "edge/routes.json": ROUTES.replace('"attempts":4', '"attempts":5'), "exporter/a/config.yaml": "a: 2\n" }),
  settings: stackOf({ "app/odoo.conf": "workers = 3\n" }),
  proxy: stackOf({ "edge/traefik.yaml": "entryPoints: { web: {} }\n" }),
  canary: stackOf({}, { ...POLICY, canary: { percent: [1, 50], stageSeconds: 2 } }),
};
export type StackName = keyof typeof STACKS;

function stackOf(files: Readonly<Record<string, string>>, swap = POLICY): Stack {
  const colour = { image: "${MILLWRIGHT_RELEASE}", volumes: [{ type: "bind", source: "../app/odoo.conf", target: "/etc/odoo/odoo.conf", read_only: true }] };
  return fixtureStack((parts) => {
    Object.assign(parts.files, { "edge/routes.json": ROUTES });
    for (const [path, content] of Object.entries(files)) Object.assign(path in parts.secretFiles ? parts.secretFiles : parts.files, { [path]: content });
    const web = hardened({ ...colour, networks: ["app", "data"] });
    const cron = hardened({ ...colour, networks: ["data"] });
    const roles = [{ name: "odoo", secret: "db_odoo", purpose: "owner", connectionLimit: 60 }];
    Object.assign(parts, { colour: web, cron, facts: { roles, secrets: ["db_superuser", "db_odoo", "odoo_admin", "odoo_probe"], swap } });
  });
}
