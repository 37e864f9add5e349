import { fail, pass, type Probe, requestTo, type Target } from "./probe.ts";

/**
 * That the store of sessions can be asked. A page without a cookie stores and reads nothing, so it is 200 while Redis is away; a
 * well-formed cookie that nobody has costs one look-up and tells the truth.
 */
export function sessionStoreProbe(target: Target, series: string): Probe {
  // Odoo 17: 40 hexadecimal digits; from 18 on 84 characters of base64url.
  const sid = series === "17.0" ? "0".repeat(40) : "millwright-probe".padEnd(84, "0");
  return {
    name: "session store",
    look: async () => {
      const answer = await target.http.ask(requestTo(target, "/web/login", { headers: { Cookie: `session_id=${sid}` } }));
      return answer.status === 200
        ? pass("asked for an unknown session")
        : fail(`a page with a session cookie answered ${answer.status}`, { status: answer.status });
    },
  };
}
