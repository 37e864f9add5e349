import * as z from "zod";
import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { redact } from "../../kernel/secret.ts";
import { lastLines } from "../../kernel/shell.ts";
import { PROBE_LOGIN } from "../../swap/probes/smoke.ts";
import { writeDrillRecord } from "../drill-record.ts";
import { loginScript, LOGIN_DONE } from "../login-script.ts";
import { planOf, restoredBy, type RecoveryRun } from "../recovery-context.ts";
import { recoveryProject } from "../recovery-deps.ts";
import { bringUp, scratchContainer } from "../scratch-service.ts";

type Code = StepCode<RecoveryRun>;

/** The longest that Odoo may take to start on what was restored. */
const ODOO_SECONDS = 10 * 60;

export const login: Code = {
  async do(run, step, view) {
    const { database } = run.stack.facts;
    // No mail, no scheduled job and no outside service may take it for the plant, were it ever to get a network.
    await must(run, "odoo", ["/usr/bin/odoo", "neutralize", "--config", "/etc/odoo/odoo.conf", "--database", database], view.signal);
    await bringUp(run, step, "odoo", ODOO_SECONDS, view.signal);
    const [account] = await run.scratchPsql.query(database, `SELECT count(*) FROM res_users WHERE login = '${PROBE_LOGIN}' AND active;`);
    const password = account?.[0] === "1" ? await run.secret("odoo_probe") : undefined;
    const input = loginScript({ database, ...(password === undefined ? {} : { login: PROBE_LOGIN, password: password.reveal() }) });
    const { code, output } = await run.docker.exec(await scratchContainer(run, "odoo"), ["python3", "-"], { input, signal: view.signal });
    // Without the mark nobody was let in, whatever the exit status says.
    if (code !== 0 || !output.includes(LOGIN_DONE)) {
      throw new MillwrightError("DRILL_FAILED", "Odoo starts on the restored database, but lets nobody in.", {
        subject: "odoo",
        details: lastLines(output, 15),
      });
    }
    const began = Date.parse(z.string().parse(view.resultOf("restore-database")?.["beganAt"]));
    const rtoSeconds = Math.round((run.clock.now() - began) / 1000);
    return { rtoSeconds, summary: `${password === undefined ? "the login page answers" : "logged in"} ${rtoSeconds} s after the restore began` };
  },
};

export const recordDrill: Code = {
  async do(run, _step, view) {
    const number = (step: string, key: string): number => Number(view.resultOf(step)?.[key] ?? 0);
    await writeDrillRecord(run.paths, {
      version: 1,
      run: run.run,
      at: timestamp(run.clock),
      backup: restoredBy(run).backup.id,
      rpoSeconds: number("open", "rpoSeconds"),
      rtoSeconds: number("login", "rtoSeconds"),
      attachments: number("check-files", "attachments"),
      attachmentBytes: number("check-files", "bytes"),
      tooYoung: number("check-files", "tooYoung"),
      databaseBytes: number("check-database", "bytes"),
      ...(planOf(run, "drill").from === "local" ? {} : { from: planOf(run, "drill").from }),
    });
  },
};

async function must(run: RecoveryRun, service: "database" | "odoo", words: readonly string[], signal: AbortSignal): Promise<void> {
  const lines: string[] = [];
  const code = await run.compose.run(recoveryProject(run), run.paths.recovery, service, words, (line) => lines.push(line), signal);
  if (code === 0) return;
  throw new MillwrightError("DRILL_FAILED", `\`${words.slice(0, 2).join(" ")}\` failed on the restored database.`, {
    subject: service,
    details: lastLines(lines.map(redact).join("\n"), 15),
  });
}
