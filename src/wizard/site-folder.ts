import { siteJsonSchema } from "../site/site-json-schema.ts";
import type { Answers } from "./answers.ts";
import { siteDocument } from "./site-document.ts";

/** Every file of a new site folder but those that hold or belong to secrets. Pure. */
export function siteFolder(answers: Answers): ReadonlyMap<string, string> {
  return new Map([
    ["site.yaml", siteDocument(answers)],
    ["README.md", readme(answers)],
    [".gitignore", GITIGNORE],
    [".millwright/site.schema.json", `${JSON.stringify(siteJsonSchema(), undefined, 2)}\n`],
    ["addons/README.md", ADDONS],
    ["releases/README.md", RELEASES],
  ]);
}

const GITIGNORE = `# Rendered stacks, unfinished wizard runs, reports, and what this machine has seen of the hosts' journals
/build/
/.millwright/answers.json
/.millwright/journal-heads.json
/reports/
# Keys belong into the vault, never into git
*.key
`;

const ADDONS = `# Addons

One folder for each Odoo addon of this site. \`requirements.txt\` beside them lists Python packages they need. A release takes them as they are at the
time of \`millwright release build\`.
`;

const RELEASES = `# Releases

One file for each release that \`millwright release build\` made. They are sealed: a file that was edited is refused.
`;

function readme(answers: Answers): string {
  const environments = answers.staging ? "production, staging" : "production";
  const authority =
    answers.certificate === "ca" || (answers.certificate === "files" && answers.staging)
      ? "\nBrowsers must trust `certificates/ca.pem` once: hand it out with your device management, or import it by hand.\n"
      : "";
  return `# ${answers.company}: Odoo ${answers.series}

This folder describes the site \`${answers.name}\` (${environments}) for millwright. Keep it in git: all of it may be committed, secrets are encrypted.

| What | Where |
|---|---|
| the site, with every key explained | \`site.yaml\` |
| own Odoo addons | \`addons/\` |
| releases made from them | \`releases/\` |
| secrets, encrypted for the people and hosts in \`recipients.yaml\` | \`secrets/\` |
| certificates (no keys) | \`certificates/\` |
| changes to the generated Compose files, if you need any | \`overrides/*.yaml\` |
| image digests and host keys, written by millwright | \`images.lock.yaml\`, \`known_hosts\` |
${authority}
## From here to the first login

\`\`\`
millwright check
millwright host trust production
millwright host bootstrap production
millwright lock production
millwright deploy production
millwright release build production
millwright upgrade production
\`\`\`

Who opens the vaults needs an age identity named in \`secrets/recipients.yaml\`. \`millwright secrets recovery-key\` makes one for the safe: when the last one
is lost, the secrets and the backups are too.
`;
}
