import type { Difference, Resource } from "../resource.ts";
import type { System } from "../system.ts";

/** One kind of resource. `apply` is called after findings only, and may be called again after having been cut off anywhere. */
export interface Kind<R extends Resource> {
  observe(resource: R, system: System): Promise<readonly Difference[]>;
  apply(resource: R, system: System): Promise<void>;
}
