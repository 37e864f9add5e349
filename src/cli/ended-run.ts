import * as z from "zod";

/** How a run that was followed to its end has ended. */
export const endedRunSchema = z.object({ run: z.string(), outcome: z.string(), summary: z.string() }).loose();
