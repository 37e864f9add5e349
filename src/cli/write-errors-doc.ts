import { writeFile } from "node:fs/promises";
import { ERROR_CODES } from "../kernel/errors.ts";

/** `docs/errors.md` from the table of codes, so that it cannot rot; a test compares. */
export function errorsDocument(): string {
  const rows = Object.entries(ERROR_CODES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { exit, means }]) => `| \`${code}\` | ${exit} | ${means} |`);
  return `# Error codes

Every failure prints what failed and why, the next thing to type, a code, and ends with an exit status. With \`--json\` the same is in \`error\`.
Codes are added, never renamed. This page is written by \`npm run schema\`.

| exit | means |
|---|---|
| 0 | done |
| 1 | failed; nothing was left half-done |
| 2 | wrong command line, site folder or release file |
| 3 | there are changes (\`plan --exit-code\`, \`host check\`, \`render --check\`) |
| 4 | the host was not reached, or did not let us in |
| 5 | another run is under way on the stack |
| 6 | the new release was bad; the old one was kept or restored |
| 7 | undoing a step failed; a person is needed |
| 130, 143 | interrupted |

| code | exit | means |
|---|---|---|
${rows.join("\n")}
`;
}

if (process.argv[1]?.endsWith("write-errors-doc.ts")) await writeFile("docs/errors.md", errorsDocument());
