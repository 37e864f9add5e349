import { join } from "node:path";
import type { Colour, Stack } from "../blueprint/stack.ts";
import { fillSecrets } from "../secrets/fill-secrets.ts";
import { secretsOf } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { type Materialised, materialise } from "./materialise.ts";
import { makeDirectory, writeDurable } from "../kernel/durable-file.ts";
import { writeFiles } from "./write-files.ts";

type Deps = Pick<DeployDeps, "paths" | "openVault">;

/** A colour as it would be made now; nothing is written. */
export async function colourAsWanted(deps: Deps, stack: Stack, colour: Colour, releaseImage: string): Promise<Materialised> {
  const secrets = await secretsOf(deps, stack);
  return materialise({ stack, project: colour, paths: deps.paths, release: releaseImage, fill: (content) => fillSecrets(content, secrets) });
}

/** Writes what the scratch place needs to restore a backup and run a release on it. */
export async function materialiseRecovery(deps: Deps, stack: Stack, releaseImage: string): Promise<void> {
  const secrets = await secretsOf(deps, stack);
  const made = materialise({ stack, project: "recovery", paths: deps.paths, release: releaseImage, fill: (content) => fillSecrets(content, secrets) });
  await writeProject(deps, deps.paths.recovery, made);
}

async function writeProject(deps: Deps, directory: string, made: Materialised): Promise<void> {
  await writeFiles(deps.paths, made.files);
  await makeDirectory(directory, 0o750);
  await writeDurable(join(directory, "compose.yaml"), made.compose, { mode: 0o640 });
}

/** Writes what one colour needs to run a release: its mounted files and `colours/<colour>/compose.yaml`. May be done again at any time. */
export async function materialiseColour(deps: Deps, stack: Stack, colour: Colour, releaseImage: string): Promise<Materialised> {
  const made = await colourAsWanted(deps, stack, colour, releaseImage);
  await writeProject(deps, deps.paths.colour(colour), made);
  return made;
}
