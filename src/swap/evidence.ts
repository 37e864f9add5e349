import { join } from "node:path";
import { redact } from "../kernel/secret.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import type { SwapContext } from "./swap-context.ts";

/** Keeps what was seen beside the run: `state/runs/<id>/evidence/<name>.json`. Returns the path. */
export async function writeEvidence(context: Pick<SwapContext, "paths" | "run">, name: string, data: unknown): Promise<string> {
  const path = join(context.paths.run(context.run), "evidence", `${name}.json`);
  await writeDurable(path, `${redact(JSON.stringify(data, null, 2))}\n`, { mode: 0o640 });
  return path;
}
