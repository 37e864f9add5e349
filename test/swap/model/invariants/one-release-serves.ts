import { STACK } from "../../../deploy/fixture-stack.ts";
import type { Rest } from "../rest.ts";

/** Exactly one release serves, whole: the front door, web, websocket and scheduled jobs are of the one that is written down; or none does. */
export function oneReleaseServes({ machine, serving, routed, releases }: Rest): readonly string[] {
  const { engine, odoo } = machine;
  const wrong: string[] = [];
  const front = odoo.ask({ address: "127.0.0.1", port: 443, path: "/web/login", timeoutMilliseconds: 1 });
  if (serving === undefined) {
    if (odoo.coloursInRoutes().length > 0) wrong.push(`the routes name ${odoo.coloursInRoutes().join(" and ")}, but it is written down that nothing serves`);
    if (routed !== undefined) wrong.push(`users are led to ${routed}, but it is written down that nothing serves`);
    return wrong;
  }
  const { colour, image } = serving;
  const listed = odoo.coloursInRoutes().join(" and ");
  if (listed !== colour) wrong.push(`the routes name ${listed}, but it is written down that ${colour} serves all users`);
  if (routed !== colour) wrong.push(`users are led to ${routed ?? "nobody"}, but it is written down that ${colour} serves`);
  if (releases[colour]?.id !== serving.release) wrong.push(`${colour} holds release ${releases[colour]?.id ?? "none"}, not ${serving.release}, which serves`);
  if (front.status !== 200) wrong.push(`the front door answers ${front.status}`);
  if (front.headers["x-millwright-switch"] !== serving.run)
    wrong.push(`the routes are of ${front.headers["x-millwright-switch"] ?? "no run"}, not of ${serving.run}`);
  for (const service of ["web", "cron"]) {
    const container = engine.service(`${STACK}-${colour}`, service);
    if (container === undefined) wrong.push(`${colour}/${service} is not there`);
    else if (container.state !== "running" || container.isEnding)
      wrong.push(`${colour}/${service} ${container.isEnding ? "is ending" : `is ${container.state}`}`);
    else if (container.image !== image) wrong.push(`${colour}/${service} is of another release`);
  }
  return wrong;
}
