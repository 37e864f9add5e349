import type { Answer } from "../http.ts";
import { excerpt, fail, type Finding, pass, type Probe, requestTo, type Target } from "./probe.ts";

/** The page that users meet first; it needs the registry, the database, the views and the filestore. */
export function loginPageProbe(target: Target): Probe {
  return { name: "login page", look: async () => judgeLoginPage(await target.http.ask(requestTo(target, "/web/login"))) };
}

/**
 * Only a 200 with the form counts. Odoo answers 200 on /web/health while this page fails, and redirects (to itself, or to the database
 * selector, which is a 200 again) when its database is gone.
 */
export function judgeLoginPage(answer: Answer): Finding {
  const evidence = {
    status: answer.status,
    milliseconds: Math.round(answer.milliseconds),
    location: answer.headers["location"] ?? "",
    body: excerpt(answer.body),
  };
  if (answer.status !== 200) {
    const where = evidence.location === "" ? "" : ` to ${evidence.location}`;
    return fail(`/web/login answered ${answer.status}${where}`, evidence);
  }
  if (answer.body.includes("/web/database")) return fail("/web/login offers the database manager: Odoo does not know its database", evidence);
  const missing = [`name="login"`, "csrf_token"].filter((part) => !answer.body.includes(part));
  if (missing.length > 0) return fail(`/web/login has no ${missing.join(" and no ")}`, evidence);
  return pass(`/web/login in ${evidence.milliseconds} ms`, evidence);
}
