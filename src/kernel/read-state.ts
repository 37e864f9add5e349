import type * as z from "zod";
import { readIfThere } from "./durable-file.ts";
import { MillwrightError } from "./errors.ts";

const HINT = "Look at the file and at `millwright history`; restore it from a backup if it was changed by hand.";

/** A JSON file in which the host keeps its state; undefined when it is absent. Throws STATE_DAMAGED when it is not what it should be. */
export async function readState<T>(path: string, schema: z.ZodType<T>, hint: string = HINT): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new MillwrightError("STATE_DAMAGED", "A file in which the host keeps its state cannot be read.", { subject: path, hint, cause });
  }
}
