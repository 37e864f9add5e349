import { resolve } from "node:path";
import { MillwrightError } from "../../kernel/errors.ts";
import { environmentOf } from "../../site/load-site.ts";
import { describeSizing } from "../../site/describe-sizing.ts";
import { checkSite } from "../../site/load-site.ts";
import { formatProblem } from "../../site/site-problem.ts";
import type { Run } from "../program.ts";
import { renderedStack } from "../rendered-stack.ts";
import { table } from "../table.ts";
import type { EnvironmentOption } from "../target.ts";

/** Everything that can be known without a host: schema, capacity, certificates, and that each environment renders and passes the policy. */
export const checkCommand: Run<EnvironmentOption> = async (options, context) => {
  const directory = resolve(context.directory, options.site ?? ".");
  const check = await checkSite(directory);
  if (check.kind === "bad") {
    const count = check.problems.length;
    throw new MillwrightError("SITE_INVALID", count === 1 ? "site.yaml has a mistake." : `site.yaml has ${count} mistakes.`, {
      subject: directory,
      hint: "Mend what is listed, then run `millwright check` again.",
      details: check.problems.map(formatProblem),
    });
  }
  const { site } = check;
  const environments = options.env === undefined ? [...site.environments.values()] : [environmentOf(site, options.env)];
  const reports = [];
  for (const environment of environments) {
    const stack = await renderedStack({ site, environment }, context);
    reports.push({ environment: environment.name, stack: stack.id, waived: stack.facts.waived, sizing: describeSizing(environment.sizing) });
  }
  const text = reports.map(({ environment, stack, waived, sizing }) =>
    [
      `${environment}: good, stack ${stack}`,
      ...waived.map((waiver) => `  waived: ${waiver.rule} for ${waiver.service}, because ${waiver.reason}`),
      table(["  sizing", "", ""], sizing.map((row) => [`  ${row.what}`, row.value, row.why])).trimStart(),
    ].join("\n"),
  );
  return { data: { environments: reports }, text: text.join("\n\n") };
};
