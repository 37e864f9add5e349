import { z } from "zod";

/** Where a release's addons lie in its image. Not /mnt/extra-addons: the base image declares that a VOLUME, and a recreated container would keep the addons of the release before. */
export const ADDONS_PATH = "/opt/millwright/addons";

/** What a build context says of its release. Each is held to what cannot end its line of the Dockerfile. */
export const contextFactsSchema = z.strictObject({
  /** Odoo image by digest. */
  base: z.string().regex(/^[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64}$/),
  /** User of the base image, to go back to after the steps that need root. */
  user: z.string().regex(/^[a-z0-9_-]{1,32}(:[a-z0-9_-]{1,32})?$/),
  release: z.string().regex(/^[0-9a-z][0-9a-z.-]{0,40}$/),
  site: z.string().regex(/^[a-z0-9-]{1,48}$/),
  revision: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
});

export type ContextFacts = Readonly<z.infer<typeof contextFactsSchema>>;

export interface DockerfileParts extends ContextFacts {
  /** Text of requirements.txt; undefined without one. */
  readonly requirements: string | undefined;
  /** Whether wheels/ holds the requirements, so that the build needs no network. */
  readonly wheels: boolean;
}

/** Compiles every Python file in memory. It writes nothing, so the step adds no bytes to the image. */
const CHECK_SYNTAX = `
import os, sys
bad = 0
for folder, _, names in os.walk("${ADDONS_PATH}"):
    for name in names:
        if not name.endswith(".py"):
            continue
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            bad += 1
            print("millwright-syntax: %s:%s: %s" % (os.path.relpath(path, "${ADDONS_PATH}"), getattr(error, "lineno", None) or 0, getattr(error, "msg", error)), flush=True)
sys.exit(1 if bad else 0)
`;

/** The Dockerfile of a release. What changes seldom comes first, so that a new release of the addons is one new layer. */
export function dockerfile(parts: DockerfileParts): string {
  const lines = [`FROM ${parts.base}`, "USER root"];
  if (parts.requirements !== undefined) {
    lines.push("COPY requirements.txt /opt/millwright/requirements.txt");
    const words = ["python3", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--no-input"];
    if (hasHashes(parts.requirements)) words.push("--require-hashes");
    if (parts.wheels) {
      lines.push("COPY wheels /opt/millwright/wheels");
      words.push("--no-index", "--find-links", "/opt/millwright/wheels");
    }
    // Debian and Ubuntu refuse pip outside a virtual environment; older pip ignores the variables, but not the options of that name.
    const environment = "PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore";
    lines.push(`RUN ${environment} ${words.join(" ")} -r /opt/millwright/requirements.txt`);
  }
  lines.push(
    `COPY addons ${ADDONS_PATH}`,
    `RUN ${JSON.stringify(["python3", "-I", "-B", "-c", CHECK_SYNTAX])}`,
    `LABEL ${label("org.opencontainers.image.title", `${parts.site} release ${parts.release}`)}`,
    `LABEL ${label("org.opencontainers.image.version", parts.release)}`,
    `LABEL ${label("org.opencontainers.image.revision", parts.revision)}`,
    `LABEL ${label("org.opencontainers.image.base.name", parts.base)}`,
    `LABEL ${label("millwright.site", parts.site)}`,
    `LABEL ${label("millwright.release", parts.release)}`,
    `USER ${parts.user}`,
  );
  return `${lines.join("\n")}\n`;
}

/** pip takes hashes for all requirements or for none: with one in the file, it must be told to insist. */
export function hasHashes(requirements: string): boolean {
  return /\s--hash[= ]/.test(requirements);
}

/** Docker expands `$` in the value of a label. */
function label(name: string, value: string): string {
  return `${name}=${JSON.stringify(value).replaceAll("$", String.raw`\$`)}`;
}

export interface SyntaxProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** The syntax errors that a build's output tells of, whatever the builder put before them. */
export function syntaxProblems(lines: readonly string[]): readonly SyntaxProblem[] {
  const found = new Map<string, SyntaxProblem>();
  for (const text of lines) {
    const match = /millwright-syntax: (.+?):(\d+): (.*)$/.exec(text);
    // Classic and BuildKit repeat lines of a failed step.
    if (match !== null) found.set(match[0], { file: match[1] ?? "", line: Number(match[2]), message: match[3] ?? "" });
  }
  return [...found.values()];
}
