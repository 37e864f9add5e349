import { writeFile } from "node:fs/promises";
import { ERROR_CODES } from "../kernel/error-codes.ts";
import { type JsonSchema, siteJsonSchema } from "../site/site-json-schema.ts";

import { describeQuestions } from "../wizard/describe-questions.ts";

/** `docs/errors.md` from the table of codes, so that it cannot rot; a test compares. */
export function errorsDocument(): string {
  const rows = Object.entries(ERROR_CODES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { exit, means, next }]) => `| \`${code}\` | ${exit} | ${means} | ${next} |`);
  return `# Error codes

Every failure prints what failed and why, the next thing to type, a code, and ends with an exit status. With \`--json\` the same is in \`error\`.
Codes are added, never renamed. This page is written by \`npm run schema\`.

| exit | means |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong command line, site folder or release file |
| 3 | there are changes (\`plan --exit-code\`, \`host check\`, \`render --check\`) |
| 4 | the host was not reached, or did not let us in |
| 5 | another run is under way on the stack |
| 6 | the new release was bad; the old one was kept or restored |
| 7 | a person is needed: undoing a step failed, or the journal was tampered with |
| 130, 143 | interrupted |

| code | exit | means | what to do, when the message says nothing better |
|---|---|---|---|
${rows.join("\n")}
`;
}

/** `docs/site.md`: every key of site.yaml with its default and what it is for, from the schema itself. */
export function siteDocument(): string {
  return `# site.yaml

One file describes a site; each environment under \`environments:\` may state any of the site's keys again but \`version\`, \`name\` and \`company\` (maps merge, lists replace). Unknown keys are
errors. Durations and sizes carry units (\`60s\`, \`16GiB\`). Editors that understand JSON Schema complete and check it as you type. This page is written by
\`npm run schema\`.

| key | default | what it is |
|---|---|---|
${rowsOf(siteJsonSchema(), "").join("\n")}
`;
}

/** `docs/answers.md`: the wizard's questions, from the wizard. */
export function answersDocument(): string {
  const rows = describeQuestions().map(({ key, takes, assumed, explanation }) => `| \`${key}\` | ${takes} | ${assumed} | ${explanation} |`);
  return `# Answers of \`millwright new\`

Without a terminal, each question is answered by \`--set key=value\` or by a key in the file given with \`--answers\` (YAML or JSON); flags win. What is
assumed needs no answer. This page is written by \`npm run schema\`.

| key | takes | assumed | what it is |
|---|---|---|---|
${rows.join("\n")}
`;
}

function rowsOf(schema: JsonSchema, path: string): readonly string[] {
  const variants = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  const own = path === "" || typeof schema["description"] !== "string" ? [] : [row(path, schema)];
  const inner = variants.flatMap((variant) =>
    Object.entries(variant.properties ?? {}).flatMap(([key, value]) => rowsOf(value, path === "" ? key : `${path}.${key}`)),
  );
  const named = typeof schema.additionalProperties === "object" ? rowsOf(schema.additionalProperties, `${path}.<name>`) : [];
  const items = typeof schema.items === "object" ? rowsOf(schema.items, `${path}[]`) : [];
  // Variants of a union repeat keys such as `kind`; an environment's keys repeat the site's.
  const rows = [
    ...own,
    ...inner,
    ...items,
    ...(path === "environments" ? named.filter((line) => /<name>`|<name>\.(host|dataDisk|standby|domain)/.test(line)) : named),
  ];
  return [...new Set(rows)];
}

function row(path: string, schema: JsonSchema): string {
  const value = schema.default;
  const shown = value === undefined || (typeof value === "object" && !Array.isArray(value)) ? "" : `\`${JSON.stringify(value)}\``;
  return `| \`${path}\` | ${shown} | ${String(schema["description"]).replaceAll("|", String.raw`\|`)} |`;
}

if (process.argv[1]?.endsWith("write-docs.ts")) {
  await writeFile("docs/errors.md", errorsDocument());
  await writeFile("docs/site.md", siteDocument());
  await writeFile("docs/answers.md", answersDocument());
}
