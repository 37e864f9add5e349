import { join } from "node:path";
import type { Colour, Stack } from "../blueprint/stack.ts";
import { fillSecrets } from "../secrets/fill-secrets.ts";
import { secretsOf } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { type Materialised, materialise } from "./materialise.ts";
import { makeDirectory, writeDurable } from "../kernel/durable-file.ts";
import { writeFiles } from "./write-files.ts";

type Deps = Pick<DeployDeps, "paths" | "openVault">;

/** Writes what one colour needs to run a release: its mounted files and `colours/<colour>/compose.yaml`. May be done again at any time. */
export async function materialiseColour(deps: Deps, stack: Stack, colour: Colour, releaseImage: string): Promise<Materialised> {
  const secrets = await secretsOf(deps, stack);
  const made = materialise({ stack, project: colour, paths: deps.paths, release: releaseImage, fill: (content) => fillSecrets(content, secrets) });
  const directory = deps.paths.colour(colour);
  await writeFiles(deps.paths, made.files);
  await makeDirectory(directory, 0o750);
  await writeDurable(join(directory, "compose.yaml"), made.compose, { mode: 0o640 });
  return made;
}
