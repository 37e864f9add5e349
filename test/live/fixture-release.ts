import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RELEASES = fileURLToPath(new URL("releases", import.meta.url));

/** What the numbered releases under `releases/` are for. Each is `common/` with the files of its own folder laid over it. */
export const FIXTURES = {
  first: 1,
  good: 2,
  brokenLogin: 3,
  neverAnswers: 4,
  breaksLater: 5,
  syntaxError: 6,
  redirectsLogin: 7,
  needsUpdate: 8,
  brokenBehindProxy: 9,
} as const;

/** Makes a site's addons folder hold exactly the addons of that release. */
export async function layAddons(addons: string, number: number): Promise<void> {
  const target = join(addons, "plant_portal");
  await rm(target, { recursive: true, force: true });
  await cp(join(RELEASES, "common", "plant_portal"), target, { recursive: true });
  await cp(join(RELEASES, String(number), "plant_portal"), target, { recursive: true });
}
