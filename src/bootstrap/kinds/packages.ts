import { MillwrightError } from "../../kernel/errors.ts";
import { lastLines } from "../../kernel/shell.ts";
import type { ResourceOf } from "../resource.ts";
import type { System } from "../system.ts";
import type { Kind } from "./kind.ts";
import { mustHaveRun, mustRun } from "./must-run.ts";

// needrestart in list mode: apt must never restart Docker, or anything else, by itself.
const ENVIRONMENT = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "l", UCF_FORCE_CONFFOLD: "1" };
// A fresh cloud machine often runs its own apt in the first minutes.
const LOCK_SECONDS = 300;
// A slow mirror behind a slow link; dpkg should not be ended in mid work.
const OPTIONS = { environment: ENVIRONMENT, timeoutMilliseconds: 60 * 60_000 };
const APT = [
  "apt-get",
  "-q",
  "-y",
  "-o",
  `DPkg::Lock::Timeout=${LOCK_SECONDS}`,
  "-o",
  "Dpkg::Options::=--force-confdef",
  "-o",
  "Dpkg::Options::=--force-confold",
];

export const packagesKind: Kind<ResourceOf<"packages">> = {
  observe: async ({ names }, system) => {
    const missing = await missingOf(names, system);
    return missing.length === 0 ? [] : [{ title: `install ${missing.join(", ")}` }];
  },
  apply: async ({ names, preseed }, system) => {
    if (preseed !== undefined) await mustRun(system, ["debconf-set-selections"], { input: `${preseed}\n` });
    const install = [...APT, "--no-install-recommends", "install", ...names];
    const first = await system.shell.run(install, OPTIONS);
    if (first.code === 0) return;
    // The lists may be older than the mirror, or absent; a host without internet has the packages in apt's cache and never gets here.
    const update = await system.shell.run([...APT, "update"], OPTIONS);
    const second = await system.shell.run(install, OPTIONS);
    if (second.code === 0) return;
    throw new MillwrightError("PACKAGE_MISSING", `apt could not install ${(await missingOf(names, system)).join(", ")}.`, {
      subject: "apt",
      hint: names.includes("docker-ce")
        ? "docker.source is `docker`: add Docker's repository to the host's apt sources (https://docs.docker.com/engine/install/), then run bootstrap again."
        : "Give the host a package mirror, or lay the packages into /var/cache/apt/archives, then run bootstrap again.",
      details: lastLines([...(update.code === 0 ? [] : [update.stdout, update.stderr]), second.stdout, second.stderr].join("\n"), 15),
    });
  },
};

export const packageDatabaseKind: Kind<ResourceOf<"package-database">> = {
  observe: async (_resource, system) => {
    const { stdout } = await system.shell.run(["dpkg", "--audit"]);
    return stdout.trim() === "" ? [] : [{ title: "finish an installation of packages that was cut off" }];
  },
  apply: async (_resource, system) => {
    await configureAll(system);
    await mustRun(system, [...APT, "--no-install-recommends", "--fix-broken", "install"], OPTIONS);
  },
};

/** dpkg does not wait for its lock, and the apt of a run that was killed holds it until it has ended by itself. */
async function configureAll(system: System): Promise<void> {
  const deadline = system.clock.now() + LOCK_SECONDS * 1000;
  const words = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"];
  for (;;) {
    const result = await system.shell.run(words, OPTIONS);
    if (result.code === 0) return;
    if (!/lock/.test(result.stderr) || system.clock.now() >= deadline) throw mustHaveRun(words, result);
    await system.clock.sleep(1000);
  }
}

async function missingOf(names: readonly string[], system: System): Promise<readonly string[]> {
  const { stdout } = await system.shell.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", ...names]);
  const installed = new Set(stdout.split("\n").flatMap((line) => (line.endsWith(" installed") ? [line.split(" ")[0]] : [])));
  return names.filter((name) => !installed.has(name));
}
