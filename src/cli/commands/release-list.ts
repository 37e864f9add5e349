import { loadSite } from "../../site/load-site.ts";
import { readRelease, readReleases } from "../../release/read-release.ts";
import type { Run } from "../program.ts";
import { table } from "../table.ts";
import { siteDirectory } from "../target.ts";
import { countOf } from "../../kernel/count-of.ts";

export const releaseListCommand: Run<object> = async (options, context) => {
  const site = await loadSite(siteDirectory(options, context));
  const releases = await readReleases(site.files.releases);
  const rows = releases.map((release) => [
    release.id,
    release.series,
    release.createdBy,
    countOf(Object.keys(release.addons).length, "addon"),
    release.revision.slice(0, 12),
    release.notes.split("\n")[0] ?? "",
  ]);
  const text = rows.length === 0 ? "No releases yet. Next: millwright release build" : table(["release", "odoo", "by", "addons", "revision", "notes"], rows);
  return { data: { releases }, text };
};

export const releaseShowCommand: Run<{ readonly release: string }> = async (options, context) => {
  const site = await loadSite(siteDirectory(options, context));
  const release = await readRelease(site.files.releases, options.release);
  const addons = Object.entries(release.addons).map(([name, addon]) => [name, addon.version, addon.content.slice(0, 12), addon.schema.slice(0, 12)]);
  const text = [
    `${release.id}: Odoo ${release.series}, made ${release.createdAt} by ${release.createdBy} from ${release.revision}`,
    ...(release.notes === "" ? [] : ["", release.notes]),
    "",
    `image  ${release.image}`,
    `base   ${release.base}`,
    "",
    table(["addon", "version", "content", "schema"], addons),
  ].join("\n");
  return { data: { release }, text };
};
