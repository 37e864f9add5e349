import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { lockedReference } from "../../blueprint/image-lock.ts";
import { sha256 } from "../../kernel/canonical.ts";
import { timestamp } from "../../kernel/clock.ts";
import { buildContext } from "../../release/build-context.ts";
import { hashAddons } from "../../release/hash-addons.ts";
import { releaseTag } from "../../release/image-store.ts";
import { makeRelease, nextReleaseId, releaseIds, writeRelease } from "../../release/make-release.ts";
import { openEngine } from "../engine.ts";
import type { Run } from "../program.ts";
import { exists, readIfThere } from "../../kernel/durable-file.ts";
import { countOf } from "../../kernel/count-of.ts";
import { odooBlueprint, siteLock } from "../rendered-stack.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly notes?: string;
  readonly docker?: string;
}

export const releaseBuildCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { site, environment } = target;
  const { series } = environment.odoo;
  const blueprint = odooBlueprint();
  const base = lockedReference(await siteLock(target), "odoo", blueprint.series[series].image);
  const addons = await hashAddons(site.files.addons);
  const requirementsFile = join(site.directory, "requirements.txt");
  const requirements = await readIfThere(requirementsFile);
  const wheels = join(site.directory, "wheels");
  const revision = await gitRevision(site.directory);
  const id = nextReleaseId(await releaseIds(site.files.releases), context.clock.now());

  await using engine = await openEngine(target, options, context);
  context.output.say(`Building release ${id} on ${engine.where}: ${countOf(Object.keys(addons).length, "addon")} on ${base.split("@")[0]} …`);
  const stream = await buildContext({
    base,
    addons: site.files.addons,
    ...(requirements === undefined ? {} : { requirements: requirementsFile }),
    ...((await exists(wheels)) ? { wheels } : {}),
  });
  const built = await engine.build(stream, releaseTag(site.name, id), (event) => context.output.event(event));
  const release = makeRelease({
    id,
    site: site.name,
    series,
    createdAt: timestamp(context.clock),
    createdBy: context.user,
    revision,
    notes: options.notes ?? "",
    image: built.image,
    layers: [...built.layers],
    base,
    requirements: requirements === undefined ? "" : sha256(requirements),
    addons,
  });
  const file = await writeRelease(site.files.releases, release);
  const next = options.docker === undefined ? `millwright upgrade --release ${id}` : `millwright release push ${id} --docker ${options.docker}`;
  return { data: { release, file }, text: `Release ${id} is built: ${built.image.slice(0, 19)}, written to ${file}.\nNext: ${next}` };
};

/** `none` outside git; `-dirty` when the folder differs from its last commit. */
async function gitRevision(directory: string): Promise<string> {
  const git = promisify(execFile);
  try {
    const { stdout: head } = await git("git", ["-C", directory, "rev-parse", "HEAD"]);
    const { stdout: status } = await git("git", ["-C", directory, "status", "--porcelain", "--", "addons", "requirements.txt"]);
    return `${head.trim()}${status.trim() === "" ? "" : "-dirty"}`;
  } catch {
    return "none";
  }
}
