import type { Environment, OffsitePolicy } from "./environment.ts";
import type { EnvironmentSettings } from "./site-schema.ts";

/** What the site says of its second repository, with the port that its kind has by itself; undefined where there is none. */
export function resolveOffsite(said: EnvironmentSettings["backup"]["offsite"]): OffsitePolicy | undefined {
  switch (said?.kind) {
    case undefined:
    case "none":
      return undefined;
    case "s3": {
      const { endpoint, keep, ...rest } = said;
      return { ...rest, ...splitServer(endpoint, 443), keepDays: keep };
    }
    case "sftp": {
      const { server, keep, ...rest } = said;
      return { ...rest, ...splitServer(server, 22), keepDays: keep };
    }
  }
}

/** Where it is, for people and records: two with the same place are the same repository. */
export function offsitePlace(offsite: OffsitePolicy): string {
  const server = `${offsite.host}:${offsite.port}`;
  switch (offsite.kind) {
    case "s3":
      return `${server}/${offsite.bucket}${offsite.path}`;
    case "sftp":
      return `${offsite.user}@${server}${offsite.path}`;
  }
}

/** PEM file of the site folder with the authorities that vouch for its server; undefined where it shows a key of its own. */
export function offsiteAuthority({ backup: { offsite } }: Environment): string | undefined {
  return offsite?.kind === "s3" ? offsite.ca : undefined;
}

function splitServer(server: string, usualPort: number): Pick<OffsitePolicy, "host" | "port"> {
  const [host = "", port = usualPort] = server.split(":");
  return { host, port: Number(port) };
}
