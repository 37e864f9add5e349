import type { CollectionTag, ScalarTag } from "yaml";
import type { Json } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { parseYaml } from "../kernel/parse-yaml.ts";
import { asText, isList, isMap, type JsonMap } from "./compose-document.ts";

/** A file of the site's `overrides/` folder: a Compose overlay. Text in it arrives as it is written: `$` needs no doubling. */
export interface Override {
  readonly path: string;
  readonly content: string;
}

const RESET = "\u0000reset";
const REPLACE = "\u0000override";

const resetScalar: ScalarTag = { tag: "!reset", resolve: () => RESET };
const resetMap: CollectionTag = { tag: "!reset", collection: "map", resolve: () => RESET };
const resetList: CollectionTag = { tag: "!reset", collection: "seq", resolve: () => RESET };
const replaceMap: CollectionTag = { tag: "!override", collection: "map", resolve: (node) => ({ [REPLACE]: node.toJSON() as Json }) };
const replaceList: CollectionTag = { tag: "!override", collection: "seq", resolve: (node) => ({ [REPLACE]: node.toJSON() as Json }) };

/** Services of an override file. Anything beside `services` is refused: networks, volumes and secrets are the blueprint's. */
export function readOverride({ path, content }: Override): JsonMap {
  const refuse = (why: string, hint?: string): MillwrightError =>
    new MillwrightError("SITE_INVALID", `${path}: ${why}.`, { subject: path, ...(hint === undefined ? {} : { hint }) });
  const parsed = parseYaml(content, { merge: true, customTags: [resetScalar, resetMap, resetList, replaceMap, replaceList] });
  if (parsed.kind === "fault") throw refuse(parsed.fault);
  const data = parsed.data as Json;
  if (data === null) return {};
  if (!isMap(data)) throw refuse("it is not a map with `services`");
  const other = Object.keys(data).find((key) => key !== "services" && !key.startsWith("x-"));
  if (other !== undefined) throw refuse(`it has "${other}"; an override can only change services`, "Move what you need under services.");
  const services = data["services"] ?? {};
  if (!isMap(services)) throw refuse("services is not a map");
  for (const [name, service] of Object.entries(services)) if (!isMap(service) && service !== RESET) throw refuse(`the service "${name}" is not a map`);
  return services;
}

/** Lists that Compose adds to; every other list (command, entrypoint, healthcheck.test) is replaced. */
const ADDED = new Set([
  "ports",
  "tmpfs",
  "cap_add",
  "cap_drop",
  "security_opt",
  "dns",
  "dns_search",
  "extra_hosts",
  "expose",
  "devices",
  "group_add",
  "external_links",
]);

/** An overlay on a service (or on the map of services), by Compose's merge rules. */
export function mergeOverride(base: Json | undefined, overlay: Json, key = ""): Json | undefined {
  if (overlay === RESET) return undefined;
  if (isMap(overlay) && Object.hasOwn(overlay, REPLACE)) return overlay[REPLACE];
  if (isMap(overlay)) {
    const start = isMap(base) ? base : key === "environment" || key === "labels" ? listAsMap(base) : key === "networks" ? namesAsMap(base) : {};
    const result: Record<string, Json> = { ...start };
    for (const [name, value] of Object.entries(overlay)) {
      const merged = mergeOverride(result[name], value, name);
      if (merged === undefined) delete result[name];
      else result[name] = merged;
    }
    return result;
  }
  if (isList(overlay)) {
    if (key === "environment" || key === "labels") return mergeOverride(base, listAsMap(overlay), key);
    if (key === "networks") return mergeOverride(base, namesAsMap(overlay), key);
    if (!isList(base)) return overlay;
    if (key === "volumes") return mergeVolumes(base, overlay);
    if (ADDED.has(key)) return [...base, ...overlay.filter((item) => !base.some((other) => JSON.stringify(other) === JSON.stringify(item)))];
  }
  return overlay;
}

function mergeVolumes(base: readonly Json[], overlay: readonly Json[]): readonly Json[] {
  const targets = new Set(overlay.map(targetOf));
  return [...base.filter((volume) => !targets.has(targetOf(volume))), ...overlay];
}

export function targetOf(volume: Json): string {
  if (isMap(volume)) return asText(volume["target"]);
  const fields = asText(volume).split(":");
  return fields[1] ?? fields[0] ?? "";
}

function listAsMap(list: Json | undefined): JsonMap {
  if (!isList(list)) return {};
  return Object.fromEntries(
    list.map((entry) => {
      const [name, ...value] = asText(entry).split("=");
      return [name ?? "", value.join("=")];
    }),
  );
}

function namesAsMap(list: Json | undefined): JsonMap {
  return isList(list) ? Object.fromEntries(list.map((name) => [asText(name), {}])) : {};
}
