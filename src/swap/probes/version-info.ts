import { excerpt, fail, pass, type Probe, requestTo, type Target } from "./probe.ts";

/** That the container runs Odoo of the expected series. It proves the code, not the data. */
export function versionInfoProbe(target: Target, series: string): Probe {
  return {
    name: "version",
    look: async () => {
      const body = JSON.stringify({ jsonrpc: "2.0", method: "call", params: {} });
      const answer = await target.http.ask(
        requestTo(target, "/web/webclient/version_info", { method: "POST", body, headers: { "Content-Type": "application/json" } }),
      );
      const found = /"server_serie"\s*:\s*"([^"]+)"/.exec(answer.body)?.[1];
      const evidence = { status: answer.status, body: excerpt(answer.body) };
      if (answer.status !== 200 || found === undefined) return fail(`version_info answered ${answer.status} without a version`, evidence);
      return found === series ? pass(`Odoo ${found}`, evidence) : fail(`Odoo ${found} instead of ${series}`, evidence);
    },
  };
}
