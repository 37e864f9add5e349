import type { Json } from "../kernel/canonical.ts";
import { RELEASE_IMAGE } from "./stack.ts";

export type JsonMap = { readonly [key: string]: Json };

/** A compose.yaml as data. */
export interface ComposeDocument {
  readonly name?: Json;
  readonly services?: Json;
  readonly networks?: Json;
  readonly [key: string]: Json | undefined;
}

/** The stack's networks, and whether each has a way out of the host. */
export const NETWORKS = {
  /** Published ports. */
  edge: { internal: false },
  /** Traefik and Odoo. */
  app: { internal: true },
  /** Odoo, PostgreSQL, Redis, backup, exporters. */
  data: { internal: true },
  metrics: { internal: true },
  /** Only what must call out: Odoo's mail, ACME. */
  egress: { internal: false },
  /** What keeps backups away from the host; apart from `egress`, where the proxy is, which has no business with the database. */
  offsite: { internal: false },
} as const satisfies Record<string, { readonly internal: boolean }>;

export type NetworkName = keyof typeof NETWORKS;

/**
 * Compose reads `$` in every value as the begin of a variable: doubled, it arrives as typed. Keys are not interpolated. Done once, at the end.
 */
export function escapeDollars(value: Json): Json {
  if (typeof value === "string") return value === RELEASE_IMAGE ? value : value.replaceAll("$", () => "$$");
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item: Json) => escapeDollars(item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escapeDollars(item)]));
}

export function isMap(value: Json | undefined): value is JsonMap {
  return value !== undefined && value !== null && typeof value === "object" && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A value as a person would write it: text as it is, anything else as JSON, nothing as an empty text. */
export function asText(value: Json | undefined): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

/** Services of a document by name; what is not a map counts as an empty service, so that policy sees it. */
export function servicesOf(document: ComposeDocument): readonly (readonly [string, JsonMap])[] {
  if (!isMap(document.services)) return [];
  return Object.entries(document.services).map(([name, service]) => [name, isMap(service) ? service : {}] as const);
}
