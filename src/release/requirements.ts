import { hashOf } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Context } from "./read-context.ts";
import { PYTHON_PATH, REQUIREMENTS_LABEL } from "./image-config.ts";
import type { Workbench } from "./image-store.ts";
import { layerOfTree } from "./layer-tar.ts";
import { type MadeLayer, makeLayer, type MakeLayerOptions } from "./made-layer.ts";
import { packed, plainHeader } from "./plain-tar.ts";
import type { Requirements } from "./release-image.ts";

/** Where pip finds its input in the container that it runs in. */
const INPUT = "/millwright";

/**
 * pip's "user" scheme installs into a folder of its own and knows what the base has already. The compiled files spare each start of Odoo
 * the work; they name no time (unchecked-hash) and come out the same when hashes of strings do, so the layer can be made again anywhere.
 */
const ENVIRONMENT = {
  PYTHONUSERBASE: PYTHON_PATH,
  PYTHONHASHSEED: "0",
  HOME: "/tmp",
  // Debian and Ubuntu refuse pip outside a virtual environment; older pip ignores the variables, but not the options of that name.
  PIP_BREAK_SYSTEM_PACKAGES: "1",
  PIP_ROOT_USER_ACTION: "ignore",
};

export interface InstallOptions extends MakeLayerOptions {
  readonly context: Context & { readonly requirements: string };
}

/** Requirements are installed once for each engine, base, text and set of wheels. */
export async function installRequirements({ context, ...options }: InstallOptions): Promise<MadeLayer & Requirements> {
  const script = installScript(context);
  const key = hashOf({
    base: options.base.layers,
    requirements: context.requirements,
    wheels: context.wheels?.hashes ?? null,
    script,
    environment: ENVIRONMENT,
  });
  const made = await makeLayer(
    {
      label: REQUIREMENTS_LABEL,
      key,
      words: ["sh", "-c", script],
      environment: ENVIRONMENT,
      network: context.wheels === undefined,
      fill: async (bench) => await putInput(bench, context, options.onLine),
      folder: PYTHON_PATH,
      failure: installError,
    },
    options,
  );
  return { ...made, key };
}

async function putInput(bench: Workbench, { requirements, wheels }: InstallOptions["context"], onLine: (line: string) => void): Promise<void> {
  onLine("Installing the Python packages …");
  await bench.put(
    packed(async (tar) => {
      tar.entry({ ...plainHeader("millwright/", 0o755), type: "directory" });
      tar.entry(plainHeader("millwright/requirements.txt", 0o644), requirements);
    }),
  );
  if (wheels !== undefined) await bench.put(layerOfTree(wheels.folder, `${INPUT}/wheels`));
}

/** What is run in the container; nothing of the site is in it. */
export function installScript({ requirements, wheels }: Pick<Context, "wheels"> & { readonly requirements: string }): string {
  const words = [
    "python3",
    "-m",
    "pip",
    "install",
    "--user",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--no-warn-script-location",
    "--no-compile",
  ];
  if (hasHashes(requirements)) words.push("--require-hashes");
  if (wheels !== undefined) words.push("--no-index", "--find-links", `${INPUT}/wheels`);
  return [
    "set -e",
    "umask 022",
    `mkdir -p ${PYTHON_PATH}`,
    `${words.join(" ")} -r ${INPUT}/requirements.txt`,
    // Packages carry files that are not meant to compile.
    `python3 -s -m compileall -qq --invalidation-mode unchecked-hash ${PYTHON_PATH} || true`,
  ].join("\n");
}

/** pip takes hashes for all requirements or for none: with one in the file, it must be told to insist. */
function hasHashes(requirements: string): boolean {
  return /\s--hash[= ]/.test(requirements);
}

/** pip's output as an error. */
export function installError(lines: readonly string[]): MillwrightError {
  const why = lines.findLast((line) => line.startsWith("ERROR: "))?.slice(7) ?? lines.at(-1) ?? "it gave no reason";
  const isAbsent = lines.some((line) => /No matching distribution|Failed to establish a new connection|Temporary failure in name resolution/.test(line));
  const hint = "The engine must reach a package index, or find the wheels of all requirements in the site's folder wheels/.";
  return new MillwrightError("BUILD_FAILED", `pip could not install requirements.txt: ${why}`, {
    subject: "requirements.txt",
    details: lines.slice(-15),
    ...(isAbsent ? { hint } : {}),
  });
}
