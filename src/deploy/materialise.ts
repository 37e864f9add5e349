import { posix } from "node:path";
import { type ComposeDocument, isList, isMap, type JsonMap, servicesOf } from "../blueprint/compose-document.ts";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { type Colour, CONFIG_LABEL, RELEASE_IMAGE, type Stack } from "../blueprint/stack.ts";
import { toYaml } from "../blueprint/to-yaml.ts";
import { hashOf, type Json, sha256 } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { parseYaml } from "../kernel/parse-yaml.ts";
import { START_SETTINGS } from "./changed-settings.ts";
import { contentName, contentOf, type MaterialisedFile } from "./materialised-file.ts";
import { type PlacedCertificate, placeCertificate } from "./place-certificate.ts";
import { healthSecondsOf, publishedPortsOf, type PublishedPort } from "./service-facts.ts";

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
  /** Files of `SETTINGS_FOLDER`, which lie at fixed paths: what runs is told to read them again. */
  readonly settings: readonly MaterialisedFile[];
  /** The file of those that need a restart; empty when the stack has none. */
  readonly startSettings: string;
  readonly certificate: PlacedCertificate | undefined;
}

/** Folder of the stack that the platform's database mounts and PostgreSQL reads again by a reload. */
export const SETTINGS_FOLDER = "database/settings";

interface Options {
  readonly stack: Pick<Stack, "files" | "facts">;
  readonly project: "platform" | "recovery" | Colour;
  readonly paths: HostPaths;
  /** Puts secrets in the place of their references. */
  readonly fill: (content: string) => string;
  /** Image id of the colour's release. */
  readonly release?: string;
}

/**
 * A project of a stack as this host runs it: mounted stack files become content-addressed paths, secrets are filled in, the release's
 * image stands for its placeholder, and each service carries the hash of its definition. A file that did not change keeps its path, so
 * Compose recreates exactly the services whose definition or files changed. Pure.
 */
export function materialise(options: Options): Materialised {
  const composePath = `${options.project}/compose.yaml`;
  const document = readCompose(options.stack, composePath);
  const files = new Map<string, MaterialisedFile>();
  const services: Record<string, MaterialisedService> = {};
  const definitions: Record<string, JsonMap> = {};

  for (const [name, original] of servicesOf(document)) {
    const mounts: Record<string, string> = {};
    const place = (source: string): string => {
      const path = posix.normalize(posix.join(options.project, source));
      const placed = placeSettings(options, path) ?? placeFile(options, path) ?? placeTree(options, path) ?? placeOnHost(options.paths, path);
      if (placed === undefined)
        throw new MillwrightError("STACK_INVALID", `${name} mounts ${source}, which the stack does not hold.`, { subject: composePath });
      for (const file of placed.files) files.set(file.path, file);
      mounts[path] = placed.path;
      return placed.path;
    };
    const service = placeVolumes(putRelease(original, options.release), place);
    const config = hashOf(service).slice(0, 16);
    definitions[name] = { ...service, labels: withLabel(service["labels"], config) };
    services[name] = {
      config,
      definition: hashOf(original).slice(0, 16),
      image: typeof service["image"] === "string" ? service["image"] : "",
      mounts,
      healthSeconds: healthSecondsOf(service),
      ports: publishedPortsOf(service),
    };
  }
  const certificate = options.project === "platform" ? placeCertificate(options) : undefined;
  return {
    compose: toYaml({ ...document, services: definitions }),
    services,
    files: [...files.values(), ...(certificate?.files ?? [])],
    settings: options.project === "platform" ? settingsOf(options) : [],
    startSettings: options.stack.files.find(({ path }) => path === START_SETTINGS)?.content ?? "",
    certificate,
  };
}

/** A compose.yaml of a stack as data. */
export function readCompose(stack: Pick<Stack, "files">, path: string): ComposeDocument {
  const text = stack.files.find((file) => file.path === path)?.content;
  if (text === undefined) throw new MillwrightError("STACK_INVALID", `The stack lacks ${path}.`, { subject: path });
  const parsed = parseYaml(text);
  if (parsed.kind === "fault") throw new MillwrightError("STACK_INVALID", `${path} is not YAML: ${parsed.fault}`, { subject: path });
  const data = parsed.data as Json;
  if (!isMap(data)) throw new MillwrightError("STACK_INVALID", `${path} is not a Compose file.`, { subject: path });
  return data;
}

interface Placed {
  readonly path: string;
  readonly files: readonly MaterialisedFile[];
}

/** Mounted by a path that stays, so that other settings are no other container. A scratch place is made anew each time, and goes by content. */
function placeSettings(options: Options, path: string): Placed | undefined {
  return options.project === "platform" && path === SETTINGS_FOLDER ? { path: options.paths.settings, files: [] } : undefined;
}

function settingsOf({ stack, paths }: Options): readonly MaterialisedFile[] {
  return stack.files
    .filter(({ path }) => posix.dirname(path) === SETTINGS_FOLDER)
    .map(({ path, content }) => ({ path: posix.join(paths.settings, posix.basename(path)), content, mode: 0o444, uid: 0 }));
}

function placeFile(options: Options, path: string): Placed | undefined {
  const file = options.stack.files.find((candidate) => candidate.path === path);
  if (file === undefined) return undefined;
  const made = contentOf(file, options.fill);
  const name = contentName(made, path);
  const target = posix.join(file.secret ? options.paths.secrets : options.paths.files, name);
  return { path: target, files: [{ path: target, ...made }] };
}

function placeTree(options: Options, path: string): Placed | undefined {
  const inside = options.stack.files.filter((file) => file.path.startsWith(`${path}/`)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (inside.length === 0) return undefined;
  const made = inside.map((file) => ({ relative: file.path.slice(path.length + 1), ...contentOf(file, options.fill) }));
  const name = `${hashOf(made.map((file) => ({ ...file, content: sha256(file.content) }))).slice(0, 16)}-${posix.basename(path)}`;
  const tree = posix.join(inside.some((file) => file.secret) ? options.paths.secrets : options.paths.files, name);
  return { path: tree, files: made.map(({ relative, ...file }) => ({ ...file, path: posix.join(tree, relative), tree })) };
}

/** `../data/postgres`, `../backup/files` and `../traffic` mean the stack's own folders on the host, from either project. */
function placeOnHost(paths: HostPaths, path: string): Placed | undefined {
  if (path === "traffic" || /^(data|backup|traffic)\//.test(path)) return { path: posix.join(paths.base, path), files: [] };
  return undefined;
}

function placeVolumes(service: JsonMap, place: (source: string) => string): JsonMap {
  const volumes = service["volumes"];
  if (!isList(volumes)) return service;
  const placed = volumes.map((volume): Json => {
    if (typeof volume === "string") {
      const [source, ...rest] = volume.split(":");
      return source !== undefined && source.startsWith(".") ? [place(source), ...rest].join(":") : volume;
    }
    if (!isMap(volume)) return volume;
    const source = volume["source"];
    return volume["type"] === "bind" && typeof source === "string" && source.startsWith(".") ? { ...volume, source: place(source) } : volume;
  });
  return { ...service, volumes: placed };
}

function withLabel(labels: Json | undefined, config: string): Json {
  if (isList(labels)) return [...labels, `${CONFIG_LABEL}=${config}`];
  return { ...(isMap(labels) ? labels : {}), [CONFIG_LABEL]: config };
}

/** The placeholder may stand in any value of a service: its image, or a label that names the release. */
function putRelease(service: JsonMap, release: string | undefined): JsonMap {
  const put = (value: Json): Json => {
    if (typeof value === "string") {
      if (!value.includes(RELEASE_IMAGE)) return value;
      if (release === undefined) throw new MillwrightError("STACK_INVALID", "A platform service asks for the image of a release.");
      return value.replaceAll(RELEASE_IMAGE, release);
    }
    if (isList(value)) return value.map(put);
    return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, put(inner)])) : value;
  };
  return Object.fromEntries(Object.entries(service).map(([key, value]) => [key, put(value)]));
}
