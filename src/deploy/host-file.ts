import { parse } from "yaml";
import * as z from "zod";
import { waiverSchema } from "../blueprint/stack.ts";
import { readIfThere } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Waiver } from "../site/environment.ts";

/** What bootstrap wrote down about the host: root's, and out of reach of who deploys. */
export const HOST_FILE = "/etc/millwright/host.yaml";

const hostFileSchema = z.object({ stack: z.string(), waivers: z.array(waiverSchema).default([]) });

export type HostFile = z.infer<typeof hostFileSchema>;

/** Undefined before the host was bootstrapped. */
export async function readHostFile(path: string = HOST_FILE): Promise<HostFile | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : parseHostFile(text, path);
}

export function parseHostFile(text: string, path: string = HOST_FILE): HostFile {
  try {
    return hostFileSchema.parse(parse(text));
  } catch (cause) {
    throw new MillwrightError("STATE_DAMAGED", "The file that says which stack this host is for cannot be read.", {
      subject: path,
      hint: "Look at it, move it away, and run `millwright host bootstrap`: it writes a new one.",
      cause,
    });
  }
}

/**
 * The waivers that the host accepts. They come with bootstrap, from who administers the host: if a stack brought its own, whoever may
 * deploy could waive `privileged` and be root.
 */
export async function readHostWaivers(path: string = HOST_FILE): Promise<readonly Waiver[]> {
  return (await readHostFile(path))?.waivers ?? [];
}
