import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { removeDurable, writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";

type Paths = Pick<HostPaths, "run">;

/** `preview.json` in a run's folder, there as long as the run waits in its preview. The only place, beside the routing file, that names what leads to it. */
const previewSchema = z.object({ since: z.string(), until: z.string(), link: z.string(), header: z.string() });
export type OpenPreview = z.infer<typeof previewSchema>;

/** `go` beside it: a person wants the run to go on. */
const goSchema = z.object({ who: z.string() });

const PRIVATE = { mode: 0o600 };

export async function openPreview(paths: Paths, run: string, preview: OpenPreview): Promise<void> {
  await writeDurable(previewFile(paths, run), `${JSON.stringify(preview)}\n`, PRIVATE);
}

/** Undefined for a run that does not wait in a preview. */
export async function readPreview(paths: Paths, run: string): Promise<OpenPreview | undefined> {
  return await readState(previewFile(paths, run), previewSchema);
}

export async function closePreview(paths: Paths, run: string): Promise<void> {
  await removeDurable(previewFile(paths, run));
}

export async function sayGo(paths: Paths, run: string, who: string): Promise<void> {
  await writeDurable(goFile(paths, run), `${JSON.stringify({ who })}\n`, PRIVATE);
}

export async function goSaidBy(paths: Paths, run: string): Promise<string | undefined> {
  return (await readState(goFile(paths, run), goSchema))?.who;
}

function previewFile(paths: Paths, run: string): string {
  return join(paths.run(run), "preview.json");
}

function goFile(paths: Paths, run: string): string {
  return join(paths.run(run), "go");
}
