import { isIPv4 } from "node:net";
import { parseRange, rangeHolds, rangesOverlap } from "./address-range.ts";
import { offsitePlace, resolveOffsite } from "./offsite.ts";
import type { SchemaProblem } from "./schema-problems.ts";
import { PUBLIC_ACME_DIRECTORY } from "./site-defaults.ts";
import type { EnvironmentSettings } from "./site-schema.ts";

/** Names that no public authority gives certificates for (RFC 2606, RFC 6761, RFC 6762, RFC 8375 and names common in plants). */
const PRIVATE_ENDINGS = /(?:^|\.)(?:local|localhost|localdomain|lan|internal|intranet|home|corp|private|test|example|invalid|arpa)$/;

/** The agent holds a bake's rounds in memory while it judges them: 20 MB for two hours. */
const LONGEST_BAKE = 2 * 3600;
/** Two releases beside each other, and a stack that nothing else can be done to. */
const LONGEST_PREVIEW = 24 * 3600;

/** What no single key can tell. Paths are those of the environment's own settings. */
export function crossCheck(settings: EnvironmentSettings): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const say = (path: readonly string[], message: string): void => void problems.push({ path, message });
  const { certificate, domain, docker, host, firewall, swap } = settings;

  if (certificate.kind === "acme" && certificate.directory === PUBLIC_ACME_DIRECTORY && (!domain.includes(".") || PRIVATE_ENDINGS.test(domain))) {
    say(["certificate", "kind"], `no public authority gives a certificate for ${domain}: use the kind ca or files, or a public name`);
  }

  const pool = parseRange(docker.pool);
  if (pool !== undefined) {
    if (pool.family === 6 || pool.prefix > 20) say(["docker", "pool"], "must be an IPv4 range of /20 or larger: every network takes a /24 of it");
    for (const [path, address] of [
      [["host", "address"], host.address],
      [["host", "listen"], host.listen],
      [["host", "jump", "address"], host.jump?.address],
      [["standby", "address"], settings.standby?.address],
    ] as const) {
      if (address !== undefined && rangeHolds(pool, address))
        say(["docker", "pool"], `holds ${path.join(".")} ${address}: containers would hide the host's own network`);
    }
    for (const [key, ranges] of Object.entries(firewall)) {
      const clash = ranges.find((range) => overlaps(pool, range));
      if (clash !== undefined) say(["docker", "pool"], `overlaps firewall.${key} ${clash}: that part of the plant could not be answered`);
    }
  }

  problems.push(...standbyProblems(settings));

  const { rules } = swap;
  // A stage of a canary is watched as the bake is. Ten of the longest are less than the day that a browser keeps its cookie.
  const watched = [
    [["swap", "bake"], swap.bake] as const,
    ...(swap.canary.percent.length === 0 ? [] : [[["swap", "canary", "stage"], swap.canary.stage] as const]),
  ];
  for (const [path, seconds] of watched) {
    if (swap.probe < 1 || swap.probe * rules.probes.failAfter > seconds) {
      say(path, `must be long enough for swap.rules.probes.failAfter (${rules.probes.failAfter}) rounds of probes, one every ${swap.probe} s`);
    }
    if (seconds + rules.extend > LONGEST_BAKE) say(path, "must be at most 2h with swap.rules.extend");
  }
  if (swap.preview.for < 1 || swap.preview.for > LONGEST_PREVIEW) say(["swap", "preview", "for"], "must be from 1s to 24h");
  if (swap.ready < 30) say(["swap", "ready"], "must be at least 30s: Odoo needs that long to load its modules");

  for (const [index, probe] of settings.smoke.entries()) {
    const first = settings.smoke.findIndex((other) => other.name === probe.name);
    if (first !== index) problems.push({ path: ["smoke", index, "name"], message: `"${probe.name}" is the name of another probe already` });
  }
  const modules = settings.odoo.modules;
  const twice = modules.findIndex((name, index) => modules.indexOf(name) !== index);
  if (twice >= 0) problems.push({ path: ["odoo", "modules", twice], message: `"${modules[twice] ?? ""}" is listed twice` });
  return problems;
}

function standbyProblems({ standby, host, backup }: EnvironmentSettings): readonly SchemaProblem[] {
  if (standby === undefined) return [];
  const problems: SchemaProblem[] = [];
  if (standby.address === host.address)
    problems.push({ path: ["standby", "address"], message: `${standby.address} is the host itself: a standby is another one` });
  if (!isIPv4(host.address))
    problems.push({
      path: ["host", "address"],
      message: "must be an IPv4 address where there is a standby: each host lets the other's address in, and no other",
    });
  if (resolveOffsite(backup.offsite) === undefined)
    problems.push({
      path: ["standby"],
      message: "needs backup.offsite: the standby is made of what is there, and gets its files and what it has missed from there",
    });
  return problems;
}

/** What two environments may not have in common, told at the second one. */
export function crossCheckAll(environments: ReadonlyMap<string, EnvironmentSettings>): readonly { readonly name: string; readonly problem: SchemaProblem }[] {
  const all = [...environments];
  return all.flatMap(([name, settings], index) =>
    all.slice(0, index).flatMap(([earlier, other]) => {
      const problems: SchemaProblem[] = [];
      if (settings.domain === other.domain) problems.push({ path: ["domain"], message: `${settings.domain} is the domain of ${earlier} already` });
      for (const [key, address] of placesOf(settings)) {
        if (placesOf(other).some(([, taken]) => taken === address))
          problems.push({
            path: [key, "address"],
            message: `${address.replace(/:\d+$/, "")} is a host of ${earlier} already: each environment needs hosts of its own`,
          });
      }
      if (placeOf(settings) !== undefined && placeOf(settings) === placeOf(other))
        problems.push({
          path: ["backup", "offsite", "path"],
          message: `is where ${earlier} keeps its backups already: give each environment a path of its own`,
        });
      return problems.map((problem) => ({ name, problem }));
    }),
  );
}

/** Its host, and its standby where it has one, by address and port. */
function placesOf({ host, standby }: EnvironmentSettings): readonly (readonly ["host" | "standby", string])[] {
  const own = ["host", `${host.address}:${host.port}`] as const;
  return standby === undefined ? [own] : [own, ["standby", `${standby.address}:${standby.port ?? host.port}`]];
}

function placeOf({ backup }: EnvironmentSettings): string | undefined {
  const offsite = resolveOffsite(backup.offsite);
  return offsite === undefined ? undefined : offsitePlace(offsite);
}

function overlaps(pool: NonNullable<ReturnType<typeof parseRange>>, written: string): boolean {
  const range = parseRange(written);
  // 0.0.0.0/0 and its like mean everyone, not a network of the plant.
  return range !== undefined && range.prefix >= 8 && rangesOverlap(pool, range);
}
