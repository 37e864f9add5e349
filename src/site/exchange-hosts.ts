import { parseDocument } from "yaml";
import { SITE_DEFAULTS } from "./site-defaults.ts";

/** Keys that a standby has of the host unless it states them itself, with what the host has unless it states them. */
const INHERITED = { port: SITE_DEFAULTS.host.port, admin: undefined, deploy: SITE_DEFAULTS.host.deploy } as const;
const OWN = ["address", "jump", "listen"] as const;

/** The text of a site.yaml in which an environment's standby is its host, and its host the standby. Comments stay where they are. Pure. */
export function exchangeHosts(text: string, environment: string): string {
  const document = parseDocument(text);
  const place = ["environments", environment];
  const put = (path: readonly string[], value: unknown): void => {
    if (value === undefined) document.deleteIn([...place, ...path]);
    else document.setIn([...place, ...path], value);
  };
  const both = (key: string): readonly [unknown, unknown] => [document.getIn([...place, "host", key]), document.getIn([...place, "standby", key])];
  for (const key of OWN) {
    const [host, standby] = both(key);
    put(["host", key], standby);
    put(["standby", key], host);
  }
  for (const [key, fallback] of Object.entries(INHERITED)) {
    const [host, standby] = both(key);
    if (standby === undefined) continue;
    put(["host", key], standby);
    put(["standby", key], host ?? fallback);
  }
  const [disk, otherDisk] = [document.getIn([...place, "dataDisk"]), document.getIn([...place, "standby", "dataDisk"])];
  put(["dataDisk"], otherDisk);
  put(["standby", "dataDisk"], disk);
  return document.toString({ lineWidth: 0 });
}
