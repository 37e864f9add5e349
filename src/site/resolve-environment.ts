import type { BackupPolicy, Environment, Standby, SwapRules } from "./environment.ts";
import { weekdayNumber } from "./backup-schema.ts";
import { resolveOffsite } from "./offsite.ts";
import type { EnvironmentSettings } from "./site-schema.ts";
import { computeSizing } from "./sizing.ts";

export interface SiteIdentity {
  readonly site: string;
  readonly company: string;
  readonly name: string;
}

/** Settings of one environment → Environment, or the sentence why its host is too small for it. */
export function resolveEnvironment(identity: SiteIdentity, settings: EnvironmentSettings): Environment | string {
  const { host, swap } = settings;
  const sized = computeSizing({
    users: settings.odoo.users,
    memoryBytes: host.memory,
    cpus: host.cpus,
    sessions: settings.sessions,
    monitoring: settings.monitoring,
    overrides: settings.sizing,
  });
  if (sized.kind === "too-small") return sized.problem;
  return {
    site: identity.site,
    name: identity.name,
    stack: `${identity.site}-${identity.name}`,
    company: identity.company,
    domain: settings.domain,
    odoo: settings.odoo,
    certificate:
      settings.certificate.kind !== "files"
        ? settings.certificate
        : { kind: "files", chain: settings.certificate.chain, ...(settings.certificate.ca === undefined ? {} : { ca: settings.certificate.ca }) },
    sessions: settings.sessions,
    host: {
      address: host.address,
      port: host.port,
      admin: host.admin,
      deploy: host.deploy,
      ...(host.jump === undefined ? {} : { jump: host.jump }),
      listen: host.listen,
      memoryBytes: host.memory,
      cpus: host.cpus,
    },
    docker: settings.docker,
    firewall: settings.firewall,
    dataDisk: settings.dataDisk,
    ...(settings.standby === undefined ? {} : { standby: resolveStandby(settings.standby, host) }),
    sizing: sized.sizing,
    smoke: settings.smoke.map((probe) => {
      if (probe.kind === "jsonrpc") return probe;
      const { contains, ...rest } = probe;
      return contains === undefined ? rest : { ...rest, contains };
    }),
    swap: {
      readySeconds: swap.ready,
      drainSeconds: swap.drain,
      cronSeconds: swap.cron,
      bakeSeconds: swap.bake,
      probeSeconds: swap.probe,
      ...(swap.canary.percent.length === 0 ? {} : { canary: { percent: swap.canary.percent, stageSeconds: swap.canary.stage } }),
      rules: resolveRules(swap.rules),
    },
    previewSeconds: swap.preview.for,
    backup: resolveBackup(settings.backup),
    monitoring: settings.monitoring,
    waivers: settings.waivers,
  };
}

/** It is logged in to as the host is, but for what it says itself. */
function resolveStandby(said: NonNullable<EnvironmentSettings["standby"]>, host: EnvironmentSettings["host"]): Standby {
  const { address, port = host.port, admin = host.admin, deploy = host.deploy, jump, listen = "0.0.0.0", dataDisk } = said;
  return { address, port, admin, deploy, ...(jump === undefined ? {} : { jump }), listen, ...(dataDisk === undefined ? {} : { dataDisk }) };
}

function resolveBackup({ at, full, drill, keep, offsite: said }: EnvironmentSettings["backup"]): BackupPolicy {
  const offsite = resolveOffsite(said);
  return {
    at,
    full: weekdayNumber(full),
    drill: drill === "never" ? undefined : weekdayNumber(drill),
    keepDays: keep,
    ...(offsite === undefined ? {} : { offsite }),
  };
}

function resolveRules(rules: EnvironmentSettings["swap"]["rules"]): SwapRules {
  const { latency, memory } = rules;
  return {
    baselineSeconds: rules.baseline,
    extendSeconds: rules.extend,
    probes: rules.probes,
    traffic: rules.traffic,
    errors: rules.errors,
    latency: { action: latency.action, ratio: latency.ratio, floorSeconds: latency.floor, minimumRequests: latency.minimumRequests },
    memory: { action: memory.action, overSeconds: memory.over, withinSeconds: memory.within, above: memory.above },
    log: rules.log,
  };
}
