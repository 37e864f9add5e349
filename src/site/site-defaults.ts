/** The authority that certificates come from unless the site names another. */
export const PUBLIC_ACME_DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory";

/** What a site.yaml need not say: the lowest layer under the site's own values, written as in the file. */
export const SITE_DEFAULTS = {
  odoo: { users: 10, modules: ["mrp", "stock", "purchase", "sale_management"], database: "odoo", language: "en_US" },
  sessions: "files",
  docker: { source: "distribution", mirrors: [], pool: "10.201.0.0/16" },
  firewall: { ssh: [], web: [] },
  smoke: [],
  swap: {
    ready: "180s",
    drain: "60s",
    cron: "5min",
    bake: "60s",
    probe: "2s",
    canary: { percent: [], stage: "5min" },
    preview: { for: "2h" },
    rules: {
      baseline: "10min",
      extend: "60s",
      probes: { failAfter: 3, passAfter: 3, flaps: 4, window: 20 },
      // Enough to see one failure in fifty.
      traffic: { minimumRequests: 300, rate: 10, routes: [] },
      errors: { action: "fail", share: 0.01, routeShare: 0.2, minimum: 3 },
      latency: { action: "fail", ratio: 2, floor: "500ms", minimumRequests: 50 },
      memory: { action: "fail", over: "45s", within: "10min", above: 0.6 },
      log: { action: "fail", kinds: 5, entries: 30 },
    },
  },
  backup: { at: "02:30", full: "sunday", drill: "sunday", keep: 14 },
  monitoring: true,
  waivers: [],
  sizing: {},
  host: { port: 22, deploy: "deploy", listen: "0.0.0.0" },
} as const;
