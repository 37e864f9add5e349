import { z } from "zod";
import { colourSchema } from "../blueprint/stack.ts";

const serviceSchema = z.object({
  service: z.string(),
  state: z.string(),
  health: z.enum(["none", "starting", "healthy", "unhealthy"]),
  since: z.string(),
  image: z.string(),
  restarts: z.number(),
  oomKilled: z.boolean(),
});

/** What `millwright status` tells. Fields are added, never renamed. */
export const statusSchema = z.object({
  version: z.literal(1),
  at: z.string(),
  stack: z.object({
    name: z.string(),
    /** Id of the stack that is deployed; absent before the first deploy. */
    id: z.string().optional(),
    domain: z.string().optional(),
    blueprint: z.string().optional(),
  }),
  host: z.object({
    name: z.string(),
    engine: z.string(),
    cpus: z.number(),
    memoryBytes: z.number(),
    memoryFreeBytes: z.number(),
    load: z.number(),
    uptimeSeconds: z.number(),
    disk: z.object({ path: z.string(), totalBytes: z.number(), freeBytes: z.number() }),
  }),
  /** The release that users are on. */
  serving: z
    .object({
      colour: colourSchema,
      release: z.string(),
      image: z.string(),
      since: z.string(),
      who: z.string(),
      run: z.string(),
      rollbackTo: z.string().optional(),
    })
    .optional(),
  /** Platform services in their order. Those that have no container have the state `missing`. */
  services: z.array(serviceSchema),
  colours: z.array(z.object({ colour: colourSchema, release: z.string().optional(), serves: z.boolean(), services: z.array(serviceSchema) })),
  /** The run that holds the lock. */
  run: z.object({ run: z.string(), who: z.string(), reason: z.string(), since: z.string() }).optional(),
  lastRuns: z.array(
    z.object({ run: z.string(), kind: z.string(), purpose: z.string(), who: z.string(), began: z.string(), ended: z.string().optional(), outcome: z.string() }),
  ),
  backup: z.object({ last: z.string().optional(), lastFailure: z.string().optional() }),
  drift: z.array(z.object({ subject: z.string(), text: z.string() })),
  /** What a person should look at, one sentence each; empty when all is well. */
  concerns: z.array(z.string()),
});

export type Status = z.infer<typeof statusSchema>;
export type ServiceStatus = Status["services"][number];
