import { posix } from "node:path";
import { parseDocument, stringify } from "yaml";
import { z } from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { type Colour, RELEASE_IMAGE, type Stack, type StackFile } from "../blueprint/stack.ts";
import { hashOf, sha256 } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { healthSecondsOf, publishedPortsOf, type PublishedPort } from "./service-facts.ts";

/** Names the definition a container was made from. */
export const CONFIG_LABEL = "millwright.config";

export interface MaterialisedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly uid: number;
  /** The content-addressed folder it belongs to, which comes into being at once. */
  readonly tree?: string;
}

export interface MaterialisedService {
  /** Value of `millwright.config`: changes with the definition and with every file it mounts. */
  readonly config: string;
  /** Hash of the definition alone. */
  readonly definition: string;
  readonly image: string;
  /** Where each mounted stack file or folder lies on the host, by its path in the stack. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly healthSeconds: number;
  readonly ports: readonly PublishedPort[];
}

export interface Materialised {
  /** The complete compose.yaml. */
  readonly compose: string;
  readonly services: Readonly<Record<string, MaterialisedService>>;
  readonly files: readonly MaterialisedFile[];
}

interface Options {
  readonly stack: Pick<Stack, "files">;
  readonly project: "platform" | Colour;
  readonly paths: HostPaths;
  /** Puts secrets in the place of their references. */
  readonly fill: (content: string) => string;
  /** Image id of the colour's release. */
  readonly release?: string;
}

const plainMap = z.record(z.string(), z.unknown());
const composeSchema = z.looseObject({
  services: z.record(z.string(), plainMap),
  secrets: z.record(z.string(), plainMap).optional(),
  configs: z.record(z.string(), plainMap).optional(),
});
type ServiceData = z.infer<typeof plainMap>;

/**
 * A project of a stack as this host runs it: mounted stack files become content-addressed paths, secrets are filled in, the release's
 * image stands for its placeholder, and each service carries the hash of its definition. A file that did not change keeps its path, so
 * Compose recreates exactly the services whose definition or files changed. Pure.
 */
export function materialise(options: Options): Materialised {
  const composePath = `${options.project}/compose.yaml`;
  const document = readCompose(options, composePath);
  const files = new Map<string, MaterialisedFile>();
  const mountsOfSource = new Map<string, string>();

  const place = (source: string): string => {
    if (source.startsWith("/")) return source;
    const path = posix.normalize(posix.join(options.project, source));
    const known = mountsOfSource.get(path);
    if (known !== undefined) return known;
    const placed = placeFile(options, path) ?? placeTree(options, path) ?? placeOnHost(options.paths, path);
    if (placed === undefined) throw new MillwrightError("STACK_INVALID", `${composePath} mounts ${source}, which the stack does not hold.`, { subject: composePath });
    for (const file of placed.files) files.set(file.path, file);
    mountsOfSource.set(path, placed.path);
    return placed.path;
  };

  const shared = { secrets: placeTopLevel(document.secrets, place), configs: placeTopLevel(document.configs, place) };
  const services: Record<string, MaterialisedService> = {};
  const definitions: Record<string, ServiceData> = {};
  for (const [name, original] of Object.entries(document.services)) {
    const service = putRelease(original, options.release) as ServiceData;
    if ("env_file" in service) throw new MillwrightError("STACK_INVALID", `Service ${name} has an env_file: its values would show in \`docker inspect\`.`, { subject: composePath });
    const mounts: Record<string, string> = {};
    const note = (source: string): string => {
      const placed = place(source);
      if (placed !== source) mounts[posix.normalize(posix.join(options.project, source))] = placed;
      return placed;
    };
    const placed: ServiceData = { ...service, ...("volumes" in service ? { volumes: placeVolumes(service["volumes"], note) } : {}) };
    const referred = { secrets: referredOf(service["secrets"], shared.secrets), configs: referredOf(service["configs"], shared.configs) };
    for (const kind of ["secrets", "configs"] as const) {
      for (const key of Object.keys(referred[kind])) {
        const file = document[kind]?.[key]?.["file"];
        if (typeof file === "string") note(file);
      }
    }
    const config = hashOf({ placed, referred }).slice(0, 16);
    definitions[name] = { ...placed, labels: withLabel(placed["labels"], config) };
    services[name] = {
      config,
      definition: hashOf(original).slice(0, 16),
      image: typeof service["image"] === "string" ? service["image"] : "",
      mounts,
      healthSeconds: healthSecondsOf(service),
      ports: publishedPortsOf(service),
    };
  }
  const data = {
    ...document,
    services: definitions,
    ...(shared.secrets === undefined ? {} : { secrets: shared.secrets }),
    ...(shared.configs === undefined ? {} : { configs: shared.configs }),
  };
  return { compose: composeText(data), services, files: [...files.values()] };
}

/** Compose reads YAML as neither 1.1 nor 1.2: `compat` quotes what the two read differently, such as `1_000` and `2026-11-24`. */
function composeText(data: unknown): string {
  return stringify(data, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false });
}

function readCompose(options: Options, composePath: string): z.infer<typeof composeSchema> {
  const text = options.stack.files.find((file) => file.path === composePath)?.content;
  if (text === undefined) throw new MillwrightError("STACK_INVALID", `The stack lacks ${composePath}.`, { subject: composePath });
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new MillwrightError("STACK_INVALID", `${composePath} is not YAML: ${error.message}`, { subject: composePath });
  const parsed = composeSchema.safeParse(document.toJS());
  if (!parsed.success) throw new MillwrightError("STACK_INVALID", `${composePath} is not a Compose file.`, { subject: composePath, details: z.prettifyError(parsed.error).split("\n") });
  return parsed.data;
}

interface Placed {
  readonly path: string;
  readonly files: readonly MaterialisedFile[];
}

function placeFile(options: Options, path: string): Placed | undefined {
  const file = options.stack.files.find((candidate) => candidate.path === path);
  if (file === undefined) return undefined;
  const made = contentOf(options, file);
  const name = `${hashOf(made).slice(0, 16)}-${posix.basename(path)}`;
  const target = posix.join(file.secret ? options.paths.secrets : options.paths.files, name);
  return { path: target, files: [{ path: target, ...made }] };
}

function placeTree(options: Options, path: string): Placed | undefined {
  const inside = options.stack.files.filter((file) => file.path.startsWith(`${path}/`)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (inside.length === 0) return undefined;
  const made = inside.map((file) => ({ relative: file.path.slice(path.length + 1), ...contentOf(options, file) }));
  const name = `${hashOf(made.map((file) => ({ ...file, content: sha256(file.content) }))).slice(0, 16)}-${posix.basename(path)}`;
  const tree = posix.join(inside.some((file) => file.secret) ? options.paths.secrets : options.paths.files, name);
  return { path: tree, files: made.map(({ relative, ...file }) => ({ ...file, path: posix.join(tree, relative), tree })) };
}

/** `../data/postgres` and `../traffic` mean the stack's own folders on the host, from either project. */
function placeOnHost(paths: HostPaths, path: string): Placed | undefined {
  if (path === "traffic" || path.startsWith("data/") || path.startsWith("traffic/")) return { path: posix.join(paths.base, path), files: [] };
  return undefined;
}

function contentOf(options: Options, file: StackFile): Pick<MaterialisedFile, "content" | "mode" | "uid"> {
  if (file.secret) return { content: options.fill(file.content), mode: 0o400, uid: file.uid };
  return { content: file.content, mode: file.executable ? 0o555 : 0o444, uid: 0 };
}

function placeTopLevel(entries: Readonly<Record<string, ServiceData>> | undefined, place: (source: string) => string): Record<string, ServiceData> | undefined {
  if (entries === undefined) return undefined;
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, typeof entry["file"] === "string" ? { ...entry, file: place(entry["file"]) } : entry]));
}

function referredOf(list: unknown, entries: Readonly<Record<string, ServiceData>> | undefined): Record<string, ServiceData> {
  if (!Array.isArray(list) || entries === undefined) return {};
  const names = list.map((item: unknown) => (typeof item === "string" ? item : typeof item === "object" && item !== null && "source" in item ? String(item.source) : ""));
  return Object.fromEntries(Object.entries(entries).filter(([name]) => names.includes(name)));
}

function placeVolumes(volumes: unknown, place: (source: string) => string): unknown {
  if (!Array.isArray(volumes)) return volumes;
  return volumes.map((volume: unknown) => {
    if (typeof volume === "string") {
      const [source, ...rest] = volume.split(":");
      return source !== undefined && source.startsWith(".") ? [place(source), ...rest].join(":") : volume;
    }
    const bind = z.looseObject({ type: z.literal("bind"), source: z.string() }).safeParse(volume);
    return bind.success ? { ...bind.data, source: place(bind.data.source) } : volume;
  });
}

function withLabel(labels: unknown, config: string): unknown {
  if (Array.isArray(labels)) return [...(labels as readonly unknown[]), `${CONFIG_LABEL}=${config}`];
  return { ...(typeof labels === "object" && labels !== null ? labels : {}), [CONFIG_LABEL]: config };
}

/** The placeholder may stand in any value of a service: its image, or a label that names the release. */
function putRelease(value: unknown, release: string | undefined): unknown {
  if (typeof value === "string") {
    if (!value.includes(RELEASE_IMAGE)) return value;
    if (release === undefined) throw new MillwrightError("STACK_INVALID", "A platform service asks for the image of a release.");
    return value.replaceAll(RELEASE_IMAGE, release);
  }
  if (Array.isArray(value)) return value.map((inner) => putRelease(inner, release));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, putRelease(inner, release)]));
  return value;
}
