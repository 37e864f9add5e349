import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { lastLines } from "../../kernel/shell.ts";
import { containerOf } from "../colour-view.ts";
import { clearMarker, emptyDatabase, endFilling, fillDatabase, isInitialised, readMarker, setMarker } from "../init-database.ts";
import { PROBE_LOGIN } from "../probes/smoke.ts";
import { writeColourRelease } from "../serving.ts";
import type { SwapContext } from "../swap-context.ts";

/** An empty database becomes one of Odoo; one that holds Odoo already is taken as it is. */
export const initDatabase: StepCode<SwapContext> = {
  async do(context, _step, { signal }) {
    await context.materialiseColour(context.stack, context.colour, context.release);
    await writeColourRelease(context.paths, context.colour, context.release);
    // Left by a run that could not finish undoing: what it made is no one's yet.
    if ((await readMarker(context)) !== undefined) {
      await endFilling(context);
      await emptyDatabase(context);
    }
    if (await isInitialised(context)) return { filled: false, summary: "the database holds Odoo already and is taken as it is" };
    await setMarker(context);
    await fillDatabase(context, signal);
    return { filled: true };
  },
  async undo(context, _step, run) {
    await endFilling(context);
    const isOurs = (await readMarker(context)) === context.run;
    // Once users could get in, what is in the database may be theirs: without the mark the next first release takes it as it is.
    if (isOurs && run.resultOf("front") !== undefined) await clearMarker(context);
    else if (isOurs) await emptyDatabase(context);
    // An undo that was cut off may have dropped the database, and its mark with it, and not made it anew.
    else await context.provisionDatabase();
  },
};

const DONE = "millwright-set-up-done";

/** Python for `odoo shell`; the values come as base64 of JSON, so that none of them can end a literal. */
function setUpScript(values: Readonly<Record<string, string>>): string {
  return `
import base64, json
values = json.loads(base64.b64decode("${Buffer.from(JSON.stringify(values)).toString("base64")}"))
users = env["res.users"].with_context(no_reset_password=True, active_test=False)
env.ref("base.user_admin").write({"password": values["admin"]})
account = users.search([("login", "=", values["login"])])
if not account:
    account = users.create({"name": "Millwright probe", "login": values["login"]})
account.write({"password": values["probe"], "active": True})
parameters = env["ir.config_parameter"].sudo()
parameters.set_param("web.base.url", values["url"])
parameters.set_param("web.base.url.freeze", "True")
parameters.set_param("report.url", "http://127.0.0.1:8069")
env.cr.commit()
print("${DONE}")
`;
}

/** The administrator gets the vault's password instead of "admin", the probes get their account, and links get the public name. */
export const setUp: StepCode<SwapContext> = {
  async do(context, _step, run) {
    if (run.resultOf("init-database")?.["filled"] !== true) return { summary: "left as it is" };
    const { database, domain } = context.stack.facts;
    const [admin, probe] = [await context.secret("odoo_admin"), await context.secret("odoo_probe")];
    if (admin === undefined || probe === undefined)
      throw new MillwrightError("SECRET_MISSING", "The vault lacks odoo_admin or odoo_probe.", {
        hint: "Run `millwright deploy`: it makes the secrets that are missing.",
      });
    const web = await containerOf(context, context.colour, "web");
    if (web === undefined) throw new MillwrightError("RELEASE_UNHEALTHY", `The web container of ${context.colour} is gone.`);
    const input = setUpScript({ admin: admin.reveal(), probe: probe.reveal(), login: PROBE_LOGIN, url: `https://${domain}` });
    const words = ["/usr/bin/odoo", "shell", "--config", "/etc/odoo/odoo.conf", "--database", database, "--no-http"];
    const { code, output } = await context.docker.exec(web.id, words, { input, signal: run.signal });
    // Without the mark nothing was committed, whatever the exit status says.
    if (code === 0 && output.includes(DONE)) return;
    throw new MillwrightError("RELEASE_UNHEALTHY", "The first settings could not be made in Odoo.", {
      subject: database,
      details: lastLines(output, 15),
    });
  },
};
