import { readRecipients } from "../../secrets/recipients.ts";
import { describeSizing } from "../../site/describe-sizing.ts";
import { loadSite } from "../../site/load-site.ts";
import { environmentOf } from "../../site/site.ts";
import { standbyOf } from "../../site/standby.ts";
import type { Run } from "../program.ts";
import { renderedStack } from "../rendered-stack.ts";
import { table } from "../table.ts";
import { type EnvironmentOption, siteDirectory } from "../target.ts";
import { vaultConcerns } from "../vault-concerns.ts";

/** Everything that can be known without a host: schema, capacity, certificates, and that each environment renders and passes the policy. */
export const checkCommand: Run<EnvironmentOption> = async (options, context) => {
  const site = await loadSite(siteDirectory(options, context));
  const environments = options.env === undefined ? [...site.environments.values()] : [environmentOf(site, options.env)];
  const reports = [];
  for (const environment of environments) {
    const stack = await renderedStack({ site, environment }, context);
    if (environment.standby !== undefined) await renderedStack({ site, environment: standbyOf(environment) }, context);
    reports.push({ environment: environment.name, stack: stack.id, waived: stack.facts.waived, sizing: describeSizing(environment.sizing) });
  }
  const concerns = vaultConcerns(await readRecipients(site.directory));
  const text = reports.map(({ environment, stack, waived, sizing }) =>
    [
      `${environment}: good, stack ${stack}`,
      ...waived.map((waiver) => `  waived: ${waiver.rule} for ${waiver.service}, because ${waiver.reason}`),
      table(
        ["  sizing", "", ""],
        sizing.map((row) => [`  ${row.what}`, row.value, row.why]),
      ).trimStart(),
    ].join("\n"),
  );
  return { data: { environments: reports, concerns }, text: [...text, ...concerns].join("\n\n") };
};
