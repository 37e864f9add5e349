import { describeBytes } from "../kernel/describe-bytes.ts";
import type { RunStatus, ServiceStatus, Status } from "../observe/status-schema.ts";
import { describeAge, describeInstant, describeSeconds } from "./describe-time.ts";

const LABEL = 11;
/** Of a terminal of 100 columns, what stands beside the label. */
const WIDTH = 100 - LABEL;

/**
 * One screen: what needs a person first, then what serves since when and by whom, how well, the last swap, the last backup, what comes
 * next. Pure.
 */
export function describeStatus(status: Status, now: number): string {
  const { stack, host } = status;
  const sections: readonly (readonly [label: string, lines: readonly string[]])[] = [
    ["serves", serves(status, now)],
    ["health", health(status)],
    ["standby", standby(status, now)],
    ["under way", underWay(status, now)],
    ["last swap", lastSwap(status, now)],
    ["backup", status.follows === undefined ? backup(status, now) : []],
    ["next", status.next.map(({ at, what }) => `${describeInstant(at)}  ${what} (in ${describeAge(Date.parse(at) - now)})`)],
    ["stack", stackLines(status, now)],
    ["host", hostLines(status)],
    ["journal", journal(status)],
  ];
  return [
    `${stack.name} on ${host.name}`,
    ...concerns(status),
    "",
    ...sections.flatMap(([label, lines]) => lines.map((line, index) => `${(index === 0 ? label : "").padEnd(LABEL)}${line}`)),
  ].join("\n");
}

function concerns({ concerns: found }: Status): readonly string[] {
  return found.length === 0 ? ["nothing needs a person"] : found.map((concern) => `needs a person: ${concern}`);
}

function serves({ serving, follows, isFenced, fencedAt }: Status, now: number): readonly string[] {
  if (isFenced === true)
    return [
      `nothing: the plant was given up here${fencedAt === undefined ? "" : ` ${describeInstant(fencedAt)} (${describeAge(now - Date.parse(fencedAt))} ago)`}`,
    ];
  if (follows !== undefined) return [`nothing: it follows ${follows.host}`];
  if (serving === undefined) return ["no release yet"];
  const { release, colour, since, who, rollbackTo } = serving;
  return [
    `release ${release} on ${colour}, since ${describeInstant(since)} (${describeAge(now - Date.parse(since))}), by ${who}`,
    rollbackTo === undefined ? "no release to go back to" : `release ${rollbackTo} is kept ready for \`millwright rollback\``,
  ];
}

/** The platform and the serving colour; the other one is stopped as a rule. Those that are well need no line each. */
function health({ services, colours, host }: Status): readonly string[] {
  if (host.engine === undefined) return ["not known"];
  const serving = colours.flatMap((colour) =>
    colour.serves ? colour.services.map((service) => ({ ...service, service: `${colour.colour}-${service.service}` })) : [],
  );
  const all = [...services, ...serving];
  if (all.length === 0) return ["nothing runs"];
  const well = all.filter(isWell);
  return [
    ...wrap(`${well.length} of ${all.length} containers are well${well.length === 0 ? "" : `: ${well.map(({ service }) => service).join(", ")}`}`),
    ...all.filter((service) => !isWell(service)).map((service) => `${service.service}: ${ailment(service)}`),
    ...well.filter(({ restarts }) => restarts > 0).map(({ service, restarts }) => `${service}: well, and was restarted ${restarts} times`),
  ];
}

function isWell({ state, health: probed }: ServiceStatus): boolean {
  return state === "running" && (probed === "healthy" || probed === "none");
}

function ailment({ state, health: probed, restarts }: ServiceStatus): string {
  const what = state === "running" ? probed : state === "missing" ? "has no container" : state;
  return restarts === 0 ? what : `${what}, restarted ${restarts} times`;
}

function standby({ follows, standby: other }: Status, now: number): readonly string[] {
  if (follows?.now !== undefined) {
    const { isStreaming, lagSeconds, filesAt } = follows.now;
    const lag = lagSeconds === undefined ? "" : `, its last sign of life is ${lagSeconds} s old`;
    const files = filesAt === undefined ? "files: not all yet" : `files as of ${describeInstant(filesAt)} (${describeAge(now - Date.parse(filesAt))} ago)`;
    return [`${isStreaming ? "streams" : "reads the archive"} from ${follows.host}${lag}`, files];
  }
  if (other === undefined) return [];
  const { isStreaming = false, lagBytes = 0 } = other.now ?? {};
  return [isStreaming ? `${other.host} follows, ${describeBytes(lagBytes)} behind` : `${other.host} does not follow`];
}

function underWay({ run }: Status, now: number): readonly string[] {
  if (run === undefined) return [];
  return [
    run.reason,
    ...(run.step === undefined ? [] : [`now: ${run.step}`]),
    ...(run.preview === undefined ? [] : [`waits for a person since ${describeInstant(run.preview.since)}; what leads to its preview: millwright follow`]),
    `for ${describeAge(now - Date.parse(run.since))}, by ${run.who}: millwright follow`,
  ];
}

function lastSwap({ lastSwap: run }: Status, now: number): readonly string[] {
  if (run === undefined) return [];
  return [run.purpose, `${ending(run)}, ${describeInstant(run.began)} (${describeAge(now - Date.parse(run.began))} ago), by ${run.who}: millwright report`];
}

function ending({ outcome, began, ended }: RunStatus): string {
  const took = ended === undefined ? "" : ` after ${describeSeconds(Date.parse(ended) - Date.parse(began))}`;
  switch (outcome) {
    case "done":
      return `done${took}`;
    case "undone":
      return `taken back${took}`;
    case "failed":
      return "could not be undone";
    default:
      return "not ended";
  }
}

function backup({ backup: { last, lastFailure, drill, verified, offsite } }: Status, now: number): readonly string[] {
  const good = last === undefined ? "none yet" : `last good one ${describeInstant(last)} (${describeAge(now - Date.parse(last))} ago)`;
  return [
    lastFailure === undefined ? good : `${good}; failed since at ${describeInstant(lastFailure)}, tried again each hour`,
    ...(offsite === undefined
      ? []
      : [
          offsite.last === undefined
            ? "none in the offsite repository yet"
            : `last one in the offsite repository ${describeInstant(offsite.last)} (${describeAge(now - Date.parse(offsite.last))} ago)`,
        ]),
    ...(drill === undefined ? [] : [`proven ${describeInstant(drill.at)}: RPO ${drill.rpoSeconds} s, RTO ${drill.rtoSeconds} s`]),
    ...(offsite?.drill === undefined
      ? []
      : [`proven from the offsite repository ${describeInstant(offsite.drill.at)}: RPO ${offsite.drill.rpoSeconds} s, RTO ${offsite.drill.rtoSeconds} s`]),
    ...(verified === undefined ? [] : [`read and found good ${describeInstant(verified)}`]),
  ];
}

function stackLines({ stack }: Status, now: number): readonly string[] {
  const { id, domain, deployed } = stack;
  if (id === undefined) return ["none yet"];
  return [
    `${id}${domain === undefined ? "" : ` for ${domain}`}`,
    ...(deployed === undefined ? [] : [`deployed ${describeInstant(deployed.at)} (${describeAge(now - Date.parse(deployed.at))} ago), by ${deployed.who}`]),
  ];
}

function hostLines({ host }: Status): readonly string[] {
  const size = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  return [
    `${host.cpus} processors with a load of ${host.load.toFixed(2)}, ${size(host.memoryFreeBytes)} of ${size(host.memoryBytes)} memory free`,
    `${size(host.disk.freeBytes)} of ${size(host.disk.totalBytes)} disk free, Docker ${host.engine ?? "does not answer"}`,
  ];
}

function journal({ journal: now }: Status): readonly string[] {
  if (now === undefined || now.problem !== undefined || now.entries === 0) return [];
  return [`${now.entries} entries, head ${now.head.slice(0, 16)}: millwright history verify`];
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
