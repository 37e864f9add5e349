/** The authority that certificates come from unless the site names another. */
export const PUBLIC_ACME_DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory";

/** What a site.yaml need not say: the lowest layer under the site's own values, written as in the file. */
export const SITE_DEFAULTS = {
  odoo: { users: 10, modules: ["mrp", "stock", "purchase", "sale_management"], database: "odoo", language: "en_US" },
  sessions: "files",
  docker: { source: "distribution", mirrors: [], pool: "10.201.0.0/16" },
  firewall: { ssh: [], web: [] },
  smoke: [],
  swap: { ready: "180s", drain: "60s", cron: "5min", bake: "60s", probe: "2s", failedRounds: 3, errorShare: 0.05, minimumRequests: 20 },
  backup: { at: "02:30", keep: 7 },
  monitoring: true,
  waivers: [],
  sizing: {},
  host: { port: 22, deploy: "deploy", listen: "0.0.0.0" },
} as const;
