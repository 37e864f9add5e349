import { isIP } from "node:net";
import type { Json } from "../kernel/canonical.ts";
import { asText, type ComposeDocument, isList, isMap, type JsonMap, NETWORKS, servicesOf } from "./compose-document.ts";
import type { Waiver } from "../site/environment.ts";
import { RELEASE_IMAGE } from "./stack.ts";

/** Something in a rendered service that weakens the host, in the words a person needs to mend it. */
export interface Violation {
  readonly rule: string;
  /** Empty when it is the document's own. */
  readonly service: string;
  /** Where in the service, such as `volumes[0]`. */
  readonly path: string;
  readonly message: string;
}

interface Rule {
  readonly name: string;
  readonly judge: (service: JsonMap, name: string, derived: readonly string[]) => readonly Problem[];
}

type Problem = readonly [path: string, message: string];

/** Keys of a service that the rules below understand. Any other could open a way past them (`extends`, `env_file`, `secrets`, `devices`). */
const KNOWN_KEYS = new Set(
  (
    "image pull_policy entrypoint command user init restart stop_grace_period stop_signal read_only cap_add cap_drop security_opt mem_limit memswap_limit mem_reservation cpus " +
    "cpu_shares pids_limit oom_score_adj ulimits shm_size environment volumes tmpfs ports expose networks healthcheck logging labels hostname working_dir " +
    "privileged network_mode pid ipc uts userns_mode cgroup container_name depends_on"
  ).split(" "),
);

const HOST_NAMESPACES = ["network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup"];

/**
 * A stack's own data and backups, its traffic folder, and files that the agent laid out by content. Plain names only, which nothing expands; of the data
 * only whole folders, since in one that a container writes to a link of its own could lead anywhere on the host.
 */
const OWN_PATH = /^\/srv\/millwright\/[a-z0-9-]+\/((?:data|backup)\/[a-z0-9][\w.-]*|traffic|(files|secrets)\/[\w-][\w.-]*(\/[\w-][\w.-]*)*)$/;
const STACK_FILE = /^\.\.\/(?:data\/[a-z0-9][\w.-]*|traffic|(?!(?:data|traffic)(?:\/|$))[a-z0-9][\w.-]*(\/[\w-][\w.-]*)*\/?)$/;
const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|CREDENTIAL|PRIVATE_?KEY)/i;

export const RULES: readonly Rule[] = [
  {
    name: "known-keys",
    judge: (service) =>
      Object.keys(service).flatMap((key) => (KNOWN_KEYS.has(key) ? [] : [[key, `"${key}" is not a setting that this policy can judge`] as const])),
  },
  {
    name: "privileged",
    judge: ({ privileged }) => (privileged === undefined || privileged === false ? [] : [["privileged", "the container would be root on the host"]]),
  },
  {
    name: "host-namespace",
    judge: (service) =>
      HOST_NAMESPACES.flatMap((key) =>
        service[key] === undefined || isAlone(key, service[key]) ? [] : [[key, `"${key}: ${asText(service[key])}" shares a namespace`] as const],
      ),
  },
  {
    name: "docker-socket",
    judge: (service) =>
      mounts(service).flatMap(([path, source]) =>
        /(docker|containerd|podman)[^/]*\.sock|\/run\/(docker|containerd)(\/|$)/.test(source)
          ? [[path, `${source}: who reaches the engine's socket is root on the host`] as const]
          : [],
      ),
  },
  {
    name: "host-path",
    judge: (service) =>
      mounts(service).flatMap(([path, source]) => (isOwnSource(source) ? [] : [[path, `${source} is not one of the stack's own files and folders`] as const])),
  },
  { name: "capabilities", judge: capabilities },
  {
    name: "no-new-privileges",
    judge: ({ security_opt: options }) => {
      const list = isList(options) ? options.map(asText) : [];
      const loose = list.flatMap((option, index) =>
        /^no-new-privileges([:=]true)?$/.test(option) ? [] : [[`security_opt[${index}]`, `"${option}" changes the default confinement`] as const],
      );
      return list.some((option) => /^no-new-privileges([:=]true)?$/.test(option)) ? loose : [...loose, ["security_opt", "no-new-privileges is missing"]];
    },
  },
  { name: "read-only", judge: ({ read_only: flag }) => (flag === true ? [] : [["read_only", "the root file system is writable"]]) },
  {
    name: "non-root",
    judge: ({ user }) => (/^[1-9]\d*:[1-9]\d*$/.test(asText(user)) ? [] : [["user", `"${asText(user)}" is not a numeric user and group other than root`]]),
  },
  {
    name: "pinned-image",
    judge: ({ image, pull_policy: pull }, _name, derived) => {
      const text = asText(image);
      if (derived.includes(text)) return pull === "never" ? [] : [["pull_policy", `"${text}" is made here and must never be pulled`]];
      const isPinned = text === RELEASE_IMAGE || /^sha256:[0-9a-f]{64}$/.test(text) || /@sha256:[0-9a-f]{64}$/.test(text);
      return isPinned ? [] : [["image", `"${text}" is not pinned by digest`]];
    },
  },
  { name: "published-port", judge: publishedPorts },
  {
    name: "healthcheck",
    judge: ({ healthcheck }) => {
      const test = isMap(healthcheck) && healthcheck["disable"] !== true ? healthcheck["test"] : undefined;
      const isReal = isList(test) ? test.length > 1 && test[0] !== "NONE" : typeof test === "string" && test !== "NONE" && test !== "";
      return isReal ? [] : [["healthcheck", "there is no health check"]];
    },
  },
  {
    name: "limits",
    judge: (service) => ["mem_limit", "pids_limit"].flatMap((key) => (isPositive(service[key]) ? [] : [[key, `"${key}" is missing`] as const])),
  },
  { name: "networks", judge: ownNetworks },
  {
    name: "container-name",
    judge: ({ container_name: name }) => (name === undefined ? [] : [["container_name", "a fixed name keeps the two colours from running side by side"]]),
  },
  { name: "environment-secret", judge: environmentSecrets },
];

/**
 * What is wrong with the documents and not waived. The agent asks this again on the host: what a client says is not trusted. `derived` are
 * names of images that are made of pinned ones.
 */
export function judge(documents: readonly ComposeDocument[], waivers: readonly Waiver[], derived: readonly string[] = []): readonly Violation[] {
  return judgeAll(documents, waivers, derived).findings;
}

/** The same, with the waivers that let something pass: they are shown in every plan. */
export function judgeAll(
  documents: readonly ComposeDocument[],
  waivers: readonly Waiver[],
  derived: readonly string[] = [],
): { readonly findings: readonly Violation[]; readonly waived: readonly Waiver[] } {
  const findings: Violation[] = [];
  const used = new Set<Waiver>();
  for (const document of documents) {
    for (const finding of judgeDocument(document, derived)) {
      const waiver = waivers.find((one) => one.rule === finding.rule && one.service === finding.service && one.reason.trim() !== "");
      if (waiver === undefined) findings.push(finding);
      else used.add(waiver);
    }
  }
  // Blue and green are the same services: what is wrong with both is said once.
  const unique = [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
  return { findings: unique, waived: waivers.filter((waiver) => used.has(waiver)).map(({ rule, service, reason }) => ({ rule, service, reason })) };
}

function judgeDocument(document: ComposeDocument, derived: readonly string[]): readonly Violation[] {
  const findings: Violation[] = [];
  for (const key of Object.keys(document)) {
    if (["name", "services", "networks"].includes(key)) continue;
    findings.push({ rule: "known-keys", service: "", path: key, message: `"${key}" is not a part of a stack's compose file` });
  }
  for (const [name, problem] of documentNetworks(document)) findings.push({ rule: "networks", service: "", path: `networks.${name}`, message: problem });
  for (const [name, service] of servicesOf(document)) {
    for (const rule of RULES)
      for (const [path, message] of rule.judge(service, name, derived)) findings.push({ rule: rule.name, service: name, path, message });
  }
  return findings;
}

function documentNetworks({ networks }: ComposeDocument): readonly (readonly [string, string])[] {
  if (!isMap(networks)) return [];
  return Object.entries(networks).flatMap(([name, network]): (readonly [string, string])[] => {
    if (!isNetwork(name)) return [[name, "is not one of the stack's networks"]];
    if (!isMap(network)) return [[name, "has no settings"]];
    const other = Object.keys(network).find((key) => !["name", "internal", "external"].includes(key));
    if (other !== undefined) return [[name, `has the setting "${other}", which this policy cannot judge`]];
    // By its name it could be any network of the host's, such as `host`, which is the host itself.
    if (!asText(network["name"]).endsWith(`_${name}`)) return [[name, `must be called <stack>_${name}`]];
    if (NETWORKS[name].internal && network["external"] !== true && network["internal"] !== true)
      return [[name, "must have no way out of the host (internal: true)"]];
    return [];
  });
}

/** `network_mode: none`: no network at all. */
function isAlone(key: string, value: Json | undefined): boolean {
  return key === "network_mode" && value === "none";
}

function ownNetworks(service: JsonMap): readonly Problem[] {
  const { networks } = service;
  if (networks === undefined && isAlone("network_mode", service["network_mode"])) return [];
  const names = isMap(networks) ? Object.keys(networks) : isList(networks) ? networks.map(asText) : [];
  if (names.length === 0) return [["networks", "the service names no network, so it would get one of its own with a way out"]];
  return names.flatMap((name) => (isNetwork(name) ? [] : [[`networks.${name}`, "is not one of the stack's networks"] as const]));
}

function isNetwork(name: string): name is keyof typeof NETWORKS {
  return Object.hasOwn(NETWORKS, name);
}

function capabilities({ cap_add: added, cap_drop: dropped }: JsonMap): readonly Problem[] {
  const problems: Problem[] = [];
  if (!isList(dropped) || !dropped.includes("ALL")) problems.push(["cap_drop", "not all capabilities are dropped"]);
  if (added !== undefined) problems.push(["cap_add", `${asText(added)} is added`]);
  return problems;
}

function publishedPorts({ ports }: JsonMap, name: string): readonly Problem[] {
  if (ports === undefined) return [];
  if (name !== "edge" && name !== "database") return [["ports", "only the edge publishes ports; Docker's own rules would let them past the host's firewall"]];
  if (!isList(ports)) return [["ports", "is not a list"]];
  return ports.flatMap((port, index): readonly Problem[] => {
    const said = isMap(port) ? port : portOfText(asText(port));
    if (!isPlainPort(said)) return [[`ports[${index}]`, `"${asText(port)}" is not one TCP port on one address of the host`]];
    // The firewall, which is root's, lets that one in from the other host of a pair alone.
    const isItsOwn = name === "edge" || [said["published"], said["target"]].every((number) => asText(number) === "5432");
    return isItsOwn ? [] : [[`ports[${index}]`, "the database publishes 5432 alone, for a standby"] as const];
  });
}

/** Address and numbers and nothing else: what stands here goes into rules of the host's firewall. */
function isPlainPort(port: JsonMap): boolean {
  const { host_ip: address, published, target, protocol = "tcp", ...others } = port;
  const isNumber = (value: Json | undefined): boolean => /^[1-9]\d{0,4}$/.test(asText(value)) && Number(value) <= 65535;
  return (
    isIP(typeof address === "string" ? address : "") !== 0 && isNumber(published) && isNumber(target) && protocol === "tcp" && Object.keys(others).length === 0
  );
}

function portOfText(text: string): JsonMap {
  const [, six, four, published, target, protocol] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+):(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  return { host_ip: six ?? four ?? "", published: published ?? "", target: target ?? "", ...(protocol === undefined ? {} : { protocol }) };
}

function environmentSecrets({ environment }: JsonMap): readonly Problem[] {
  const entries: (readonly [string, string])[] = isMap(environment)
    ? Object.entries(environment).map(([key, value]) => [key, asText(value)] as const)
    : isList(environment)
      ? environment.map((entry) => [asText(entry).split("=")[0] ?? "", asText(entry).split("=").slice(1).join("=")] as const)
      : [];
  return entries.flatMap(([key, value]) => {
    const isSecret = (SECRET_NAME.test(key) && !/_FILE$/i.test(key)) || value.includes("<<secret") || /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/.test(value);
    return isSecret ? [[`environment.${key}`, "a secret in the environment shows in `docker inspect`; mount it as a file"] as const] : [];
  });
}

/** Sources of binds and volumes, in both of Compose's forms. */
function mounts({ volumes }: JsonMap): readonly (readonly [path: string, source: string])[] {
  if (volumes === undefined) return [];
  if (!isList(volumes)) return [["volumes", asText(volumes)]];
  return volumes.flatMap((volume, index): (readonly [string, string])[] => {
    const path = `volumes[${index}]`;
    if (isMap(volume)) return volume["type"] === "tmpfs" ? [] : [[path, asText(volume["source"])]];
    return [[path, asText(volume).split(":")[0] ?? ""]];
  });
}

function isOwnSource(source: string): boolean {
  if (source.split("/").some((segment, index) => segment === ".." && index > 0)) return false;
  return OWN_PATH.test(source) || STACK_FILE.test(source);
}

function isPositive(value: Json | undefined): boolean {
  return typeof value === "number" ? value > 0 : typeof value === "string" && /^[1-9]\d*([kmg]b?)?$/i.test(value);
}
