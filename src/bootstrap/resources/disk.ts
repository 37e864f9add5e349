import type { Resource } from "../resource.ts";
import type { WantedHost } from "../wanted.ts";

export const DATA = "/srv/millwright";

export function diskResources(wanted: WantedHost): readonly Resource[] {
  return wanted.dataDisk === undefined ? [] : [{ group: "disk", kind: "disk", device: wanted.dataDisk, mount: DATA }];
}
