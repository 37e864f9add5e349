import { MillwrightError } from "../kernel/errors.ts";
import { parseRange, rangesOverlap } from "../site/address-range.ts";
import type { HostFacts, ListeningProgram } from "./host-facts.ts";
import { refuseUnknownSystem } from "./known-systems.ts";
import type { WantedHost } from "./wanted.ts";

const NEEDED_BYTES = 8 * 1024 ** 3;
const CLOCK_SECONDS = 60;
const DOCKER_PROGRAMS = ["dockerd", "docker-proxy"];

/** Refuses what bootstrap cannot or must not change, before anything is changed; returns what a person should know. */
export function preflight(wanted: WantedHost, facts: HostFacts, operatorNow: number): readonly string[] {
  refuseUnknownSystem(facts.distribution, wanted);
  if (facts.stack !== undefined && facts.stack !== wanted.stack) {
    throw new MillwrightError("HOST_TAKEN", `The host was bootstrapped for the stack ${facts.stack}; it cannot carry ${wanted.stack} as well.`, {
      subject: wanted.stack,
      hint: "Check host.address of this environment in site.yaml.",
    });
  }
  const offset = Math.round((facts.now - operatorNow) / 1000);
  if (Math.abs(offset) > CLOCK_SECONDS) {
    throw new MillwrightError(
      "CLOCK_WRONG",
      `The host's clock is ${Math.abs(offset)} s ${offset > 0 ? "ahead of" : "behind"} this machine's; certificates and the journal need the right time.`,
      {
        subject: `host ${new Date(facts.now).toISOString()}, here ${new Date(operatorNow).toISOString()}`,
        hint: "Set the clock that is wrong (on the host: timedatectl), then run it again.",
      },
    );
  }
  if (facts.freeBytes < NEEDED_BYTES) {
    throw new MillwrightError(
      "NO_SPACE",
      `The disk for Docker's data has ${gibibytes(facts.freeBytes)} free; at least ${gibibytes(NEEDED_BYTES)} are needed.`,
      {
        subject: "/var/lib/docker",
        hint: "Enlarge the disk, or free space on it.",
      },
    );
  }
  refuseTakenPorts(wanted, facts);
  refuseTakenPool(wanted, facts);
  return notes(wanted, facts);
}

function refuseTakenPorts(wanted: WantedHost, facts: HostFacts): void {
  const foreign = facts.listeners.find(
    ({ port, address, program }) => isWebPort(port) && collides(address, wanted.listen) && !DOCKER_PROGRAMS.includes(program),
  );
  const container = facts.containers.find(({ project, ports }) => !isOurs(wanted, project) && publishes(ports, wanted.listen));
  if (foreign === undefined && container === undefined) return;
  const holder = foreign === undefined ? `the container ${container?.name}` : foreign.program === "" ? "a program" : `the program ${foreign.program}`;
  throw new MillwrightError("PORT_TAKEN", `Port ${foreign?.port ?? "80 or 443"} of the host is taken by ${holder}; Traefik needs 80 and 443.`, {
    subject: `${wanted.listen}:80, ${wanted.listen}:443`,
    hint:
      foreign === undefined
        ? `Stop it: docker stop ${container?.name}`
        : "Stop it and keep it from starting again (systemctl disable --now …), or set host.listen to another address.",
  });
}

function refuseTakenPool(wanted: WantedHost, facts: HostFacts): void {
  const pool = parseRange(wanted.docker.pool);
  if (pool === undefined) {
    throw new MillwrightError("SITE_INVALID", `docker.pool \`${wanted.docker.pool}\` is not an address range.`, { subject: "docker.pool" });
  }
  const taken = facts.routes.find(({ destination, device }) => {
    if (isDockerBridge(device) || destination === "default") return false;
    const range = parseRange(destination) ?? parseRange(`${destination}/${destination.includes(":") ? 128 : 32}`);
    return range !== undefined && rangesOverlap(range, pool);
  });
  if (taken === undefined) return;
  throw new MillwrightError(
    "POOL_TAKEN",
    `The range ${wanted.docker.pool} for Docker's networks overlaps with the host's route to ${taken.destination} (${taken.device}).`,
    {
      subject: "docker.pool",
      hint: "Choose a range that the plant does not use, and set it as docker.pool in site.yaml.",
    },
  );
}

function notes(wanted: WantedHost, facts: HostFacts): readonly string[] {
  const foreign = facts.containers.filter(({ project }) => !isOurs(wanted, project));
  return [
    ...(foreign.length > 0
      ? [
          `Containers that are not of this stack run here: ${foreign.map(({ name }) => name).join(", ")}. They are left alone, but the firewall closes their published ports.`,
        ]
      : []),
    ...facts.firewalls.map((name) => `${name} is active: a connection must pass its rules and millwright's.`),
    ...(facts.apparmor ? [] : ["The kernel runs without AppArmor: containers are confined by seccomp and capabilities only."]),
  ];
}

/** Docker names bridges of its own accord: docker0, and br- with the first twelve digits of the network's id. */
export function isDockerBridge(device: string): boolean {
  return device === "docker0" || /^br-[0-9a-f]{12}$/.test(device);
}

function isOurs(wanted: WantedHost, project: string): boolean {
  return [wanted.stack, `${wanted.stack}-blue`, `${wanted.stack}-green`].includes(project);
}

function isWebPort(port: ListeningProgram["port"]): boolean {
  return port === 80 || port === 443;
}

function collides(one: string, other: string): boolean {
  const every = ["0.0.0.0", "::", "*", ""];
  return one === other || every.includes(one) || every.includes(other);
}

function publishes(ports: string, listen: string): boolean {
  return [...ports.matchAll(/(\S+):(\d+)->/g)].some(([, address = "", port]) => isWebPort(Number(port)) && collides(address.replace(/^\[|\]$/g, ""), listen));
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
