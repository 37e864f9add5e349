import * as z from "zod";
import { colourSchema } from "../blueprint/stack.ts";

const runSchema = z.object({
  run: z.string(),
  kind: z.string(),
  purpose: z.string(),
  who: z.string(),
  began: z.string(),
  ended: z.string().optional(),
  outcome: z.string(),
  summary: z.string().optional(),
});

const serviceSchema = z.object({
  service: z.string(),
  state: z.string(),
  health: z.enum(["none", "starting", "healthy", "unhealthy"]),
  since: z.string(),
  image: z.string(),
  restarts: z.number(),
  oomKilled: z.boolean(),
});

const heldSite = z.object({ isThere: z.boolean(), hasRecoveryKey: z.boolean() });

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
    /** The last deploy that was carried out; absent when it is too long ago for the journal's end. */
    deployed: z.object({ at: z.string(), who: z.string(), run: z.string() }).optional(),
  }),
  host: z.object({
    name: z.string(),
    /** Absent when the engine does not answer: then nothing is told of the containers. */
    engine: z.string().optional(),
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
  /** The run that holds the lock, and why it cannot go on, when it cannot. */
  run: z
    .object({
      run: z.string(),
      who: z.string(),
      reason: z.string(),
      since: z.string(),
      /** What it does now, in the words of its plan; absent when it has not begun or cannot be told. */
      step: z.string().optional(),
      /** False when nothing on the host works on it. */
      isActive: z.boolean().default(true),
      /** Since when it waits in its preview for a person, and for how long. */
      preview: z.object({ since: z.string(), until: z.string() }).optional(),
      trouble: z.object({ times: z.number(), at: z.string(), message: z.string() }).optional(),
    })
    .optional(),
  lastRuns: z.array(runSchema),
  /** The last swap or rollback. */
  lastSwap: runSchema.optional(),
  backup: z.object({
    last: z.string().optional(),
    lastFailure: z.string().optional(),
    /** The site folder in the last one, and in the next: whether it is there, and a recovery key opens it. */
    site: z.object({ last: heldSite, next: heldSite }).optional(),
    /** What the last drill of the backups on the host measured that was passed. */
    drill: z.object({ at: z.string(), rpoSeconds: z.number(), rtoSeconds: z.number() }).optional(),
    lastDrillFailure: z.string().optional(),
    /** When the backups on the host were last read and found good. */
    verified: z.string().optional(),
    lastVerifyFailure: z.string().optional(),
    /** Days between two drills by schedule; absent where the site wants none. */
    drillDays: z.number().optional(),
    /** Absent where the site has no offsite repository. */
    offsite: z
      .object({
        last: z.string().optional(),
        /** Whether the newest backup is there, too. */
        hasNewest: z.boolean(),
        /** What the last drill from there measured that was passed. */
        drill: z.object({ at: z.string(), rpoSeconds: z.number(), rtoSeconds: z.number() }).optional(),
        filesFailSince: z.string().optional(),
      })
      .optional(),
    /** The database's log: when it was last archived in every place, how many segments wait for that, and the bytes of all of it on the data disk; `isHeld` when nothing is archived since a restore. */
    log: z.object({ archived: z.string().optional(), waiting: z.number(), bytes: z.number(), isHeld: z.literal(true).optional() }).optional(),
  }),
  /** The host gave its plant up, so that another can take it over; whether one has is not known here. */
  isFenced: z.literal(true).optional(),
  fencedAt: z.string().optional(),
  /** Of a standby: the host that it follows, and how well; `now` is absent while its database does not answer. */
  follows: z
    .object({
      host: z.string(),
      now: z
        .object({
          isStreaming: z.boolean(),
          lagSeconds: z.number().optional(),
          unreplayedBytes: z.number(),
          filesAt: z.string().optional(),
          filesFailSince: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
  /** Of a host that has a standby: its address, and whether it follows. */
  standby: z.object({ host: z.string(), now: z.object({ isStreaming: z.boolean(), lagBytes: z.number().optional() }).optional() }).optional(),
  /** What will happen by itself, the soonest first. */
  next: z.array(z.object({ at: z.string(), what: z.string() })).default([]),
  /** The journal's last entry. Only its end is checked here: `history verify` walks all of it. */
  journal: z.object({ entries: z.number(), head: z.string(), problem: z.string().optional() }).optional(),
  drift: z.array(z.object({ subject: z.string(), text: z.string() })),
  /** What a person should look at, one sentence each; empty when all is well. */
  concerns: z.array(z.string()),
});

export type Status = z.infer<typeof statusSchema>;
export type RunStatus = Status["lastRuns"][number];
export type ServiceStatus = Status["services"][number];
