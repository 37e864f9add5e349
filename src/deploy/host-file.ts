import { parse } from "yaml";
import { z } from "zod";
import { waiverSchema } from "../blueprint/stack.ts";
import { readIfThere } from "../kernel/durable-file.ts";
import type { Waiver } from "../site/environment.ts";

/** What bootstrap wrote down about the host: root's, and out of reach of who deploys. */
export const HOST_FILE = "/etc/millwright/host.yaml";

export const hostFileSchema = z.object({ stack: z.string(), waivers: z.array(waiverSchema).default([]) });

/**
 * The waivers that the host accepts. They come with bootstrap, from who administers the host: if a stack brought its own, whoever may
 * deploy could waive `privileged` and be root.
 */
export async function readHostWaivers(path: string = HOST_FILE): Promise<readonly Waiver[]> {
  const text = await readIfThere(path);
  return text === undefined ? [] : hostFileSchema.parse(parse(text)).waivers;
}
