import * as z from "zod";
import { findContainer } from "../docker/find-container.ts";
import { timestamp } from "../kernel/clock.ts";
import { makeDirectory, writeDurable } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { StepCode } from "../kernel/run-plan.ts";
import type { DeployContext } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { restoreSettings } from "./previous-platform.ts";
import { fileState } from "./write-files.ts";

const params = z.object({ isReload: z.boolean() });
const PATIENCE_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 100;

/** Where the folder is in the database's container. */
const OURS = "sourcefile LIKE '/etc/postgresql/settings/%'";
/**
 * Both views read the files as they lie there, whatever the server runs with: what it would refuse shows before it is told to read them. A rule of access
 * for TLS is told as well while TLS is off, and is no more than that: the server takes it, and it counts once a standby's key is there, by the restart.
 */
const REFUSED = `SELECT concat_ws(' ', name, 'in line', sourceline) || ': ' || error FROM pg_file_settings WHERE ${OURS} AND error IS NOT NULL
UNION ALL SELECT 'pg_hba.conf in line ' || line_number || ': ' || error FROM pg_hba_file_rules
  WHERE error IS NOT NULL AND error NOT LIKE 'hostssl record cannot match%';`;
const OVERRULED = `SELECT name FROM pg_file_settings WHERE ${OURS} AND error IS NULL AND NOT applied ORDER BY name;`;
/** Of the server's last reading that was without errors, to the microsecond. */
const LOADED = "SELECT pg_conf_load_time();";
const RELOAD = "SELECT pg_reload_conf();";

/** Writes what PostgreSQL takes by a reload, and has the running one take it. */
export const giveSettings: StepCode<DeployContext> = {
  async do({ deps, desired, events }, step, { signal }) {
    await makeDirectory(deps.paths.settings, 0o755);
    for (const file of desired.settings) if ((await fileState(file)) !== "whole") await writeDurable(file.path, file.content, file);
    if (!params.parse(step.params).isReload) return;
    const refused = (await deps.query(REFUSED)).map(([line = ""]) => line);
    if (refused.length > 0) throw notTaken(`PostgreSQL would not take its new settings: ${refused[0]}.`, refused);
    const milliseconds = await reload(deps, signal);
    const overruled = (await deps.query(OVERRULED)).map(([name = ""]) => name);
    if (overruled.length > 0) {
      const text = `${overruled.join(", ")}: set by ALTER SYSTEM on the host, which goes before the stack's settings; \`ALTER SYSTEM RESET\` ends that.`;
      events.emit({ kind: "note", at: timestamp(deps.clock), level: "warning", text });
    }
    return { summary: `taken after ${milliseconds} ms` };
  },
  async undo({ deps }, step) {
    await restoreSettings(deps.paths);
    // Not judged: it may be what hands had written, and was so before this run. One that does not run reads them when it starts.
    const database = await findContainer(deps.docker, deps.stack, "database");
    if (params.parse(step.params).isReload && database?.state === "running") await deps.query(RELOAD);
  },
};

async function reload({ query, clock }: DeployDeps, signal: AbortSignal): Promise<number> {
  const loaded = async (): Promise<string | undefined> => (await query(LOADED))[0]?.[0];
  const [before, began] = [await loaded(), clock.now()];
  await query(RELOAD);
  while ((await loaded()) === before) {
    if (clock.now() - began >= PATIENCE_MILLISECONDS) throw notTaken(`PostgreSQL did not read its new settings within ${PATIENCE_MILLISECONDS / 1000} s.`, []);
    await clock.sleep(POLL_MILLISECONDS, signal);
  }
  return clock.now() - began;
}

function notTaken(message: string, details: readonly string[]): MillwrightError {
  return new MillwrightError("SETTINGS_REFUSED", message, { subject: "database", details });
}
