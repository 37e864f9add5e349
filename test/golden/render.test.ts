import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { renderStack } from "../../src/blueprint/render-stack.ts";
import type { Stack } from "../../src/blueprint/stack.ts";
import { loadSite } from "../../src/site/load-site.ts";
import { hostName, standbyOf } from "../../src/site/standby.ts";
import { exampleInput, odooBlueprint } from "../blueprint/fixtures/example-input.ts";

/** The rendered stacks of the examples, file by file. Files that a part holds as they are would only be there twice. */
const EXAMPLES = ["acme", "minimal", "pair"];
const golden = fileURLToPath(new URL(".", import.meta.url));
const examples = fileURLToPath(new URL("../../examples", import.meta.url));

const composeCommand = [
  ["docker", "compose"],
  ["docker-compose"],
].find(([program = "", ...words]) => spawnSync(program, [...words, "version"]).status === 0);
if (composeCommand === undefined) console.info("test/golden: there is no docker compose here; the rendered files are compared but not read by it");

const cases = await Promise.all(
  EXAMPLES.map(async (name) => {
    const site = await loadSite(join(examples, name));
    const hosts = [...site.environments.values()].flatMap((environment) => (environment.standby === undefined ? [environment] : [environment, standbyOf(environment)]));
    return hosts.map((environment) => ({ name: `${name}/${hostName(environment)}`, environment }));
  }),
);

describe.each(cases.flat())("examples/$name", ({ name, environment }) => {
  it("renders the files of its golden folder, and no others", async () => {
    const copied = new Set(odooBlueprint().parts.flatMap((part) => [...part.files.values()]));
    const stack = renderStack(exampleInput(environment));
    const files = stack.files.filter((file) => !copied.has(file.content) && file.path !== "secrets.age");
    const shown = [...files, { path: "facts.json", content: `${JSON.stringify(stack.facts, null, 2)}\n` }];
    for (const file of shown) await expect(file.content).toMatchFileSnapshot(join(golden, name, file.path));
    // A new file is written only after the test, so the folder may lack some of these, but never hold others.
    const left = (await filesBelow(join(golden, name))).filter((path) => !shown.some((file) => file.path === path));
    expect(left).toEqual([]);
  });

  it.skipIf(composeCommand === undefined)("is read by docker compose without a complaint", async () => {
    const folder = await mkdtemp(join(tmpdir(), "golden-"));
    try {
      await write(folder, renderStack(exampleInput(environment)));
      const [program = "", ...words] = composeCommand ?? [];
      for (const project of ["platform", "blue", "green"]) {
        const release = `sha256:${"a".repeat(64)}`;
        const { stderr } = await promisify(execFile)(program, [...words, "--env-file", "/dev/null", "config", "--quiet"], {
          cwd: join(folder, project),
          env: { PATH: process.env["PATH"], MILLWRIGHT_RELEASE: release },
        });
        expect(stderr).toBe("");
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function write(folder: string, stack: Stack): Promise<void> {
  for (const file of stack.files) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.content);
  }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
