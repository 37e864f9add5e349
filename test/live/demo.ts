import { existsSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureLab, labHost, stopLab } from "../lab/lab.ts";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./fixture-release.ts";
import { type MeasuredRun, runUnderLoad, switchBackMilliseconds } from "./measure.ts";
import { REPOSITORY } from "./operator.ts";
import { DOMAIN, type Plant, createPlant, fingerprintOf } from "./plant.ts";

// `npm run demo`: what the README tells, on a practice host, with its numbers taken while you look.
const { values: flags } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
const say = (text = ""): void => void process.stdout.write(`${text}\n`);
const tell = (text: string): void => say(`\n▶ ${text}`);
const broken: string[] = [];
const rows: string[][] = [];
let plant: Plant | undefined;
let leaving: Promise<void> | undefined;

/** A promise of the README: said when it holds, remembered when it does not. */
function promise(holds: boolean, text: string): void {
  say(`  ${holds ? "✔" : "✘"} ${text}`);
  if (!holds) broken.push(text);
}

/** A command's lines as a person sees them, less the contents of files that bootstrap writes. */
function show(line: string): void {
  if (!/^ {12}/.test(line) && line !== "") say(`    ${line}`);
}

/** Types a command as a person does and shows what it says. */
async function type(scene: Plant, ...words: string[]): Promise<void> {
  say(`  $ millwright ${words.join(" ")}`);
  const { code } = await scene.plain(...words);
  if (code !== 0) throw new Error(`\`millwright ${words.join(" ")}\` ended with exit ${code}.`);
}

/** The same while people work. */
async function typeUnderLoad(scene: Plant, words: readonly string[], meanwhile?: () => Promise<void>): Promise<MeasuredRun> {
  say(`  $ millwright ${words.join(" ")}`);
  return runUnderLoad(scene, words, { plain: true, ...(meanwhile === undefined ? {} : { meanwhile }) });
}

function note(what: string, measured: MeasuredRun): void {
  const { outcome, report, swapSeconds, backSeconds } = measured;
  const isRollback = outcome.words[0] === "rollback";
  const [swap, back] = isRollback ? [undefined, swapSeconds] : [outcome.code === 0 ? swapSeconds : undefined, backSeconds];
  rows.push([
    what,
    String(outcome.code),
    String(report.sent + report.slowSent),
    String(report.failed + report.slowFailed),
    `${report.longestGapMilliseconds}`,
    swap?.toFixed(1) ?? "",
    back?.toFixed(1) ?? "",
  ]);
}

function leave(): Promise<void> {
  leaving ??= (async () => {
    if (flags.keep && plant !== undefined) {
      tell("The practice host stays up (--keep).");
      say(`  site folder   ${plant.directory}`);
      say(`  front door    curl --insecure --resolve ${DOMAIN}:443:${plant.host.address} https://${DOMAIN}/web/login`);
      say(`  commands      node ${join(REPOSITORY, "bin/millwright.cjs")} status --site ${plant.directory} --identity ${plant.host.identityFile}`);
      say("  take it down  test/lab/lab stop");
      return;
    }
    await plant?.[Symbol.asyncDispose]();
    await stopLab();
  })();
  return leaving;
}

async function tour(): Promise<void> {
  tell("Building the practice lab: a Debian machine with systemd and sshd, and the real Odoo, PostgreSQL and Traefik (minutes the first time).");
  await ensureLab();

  tell(
    "The wizard, with its answers from a file, writes the site folder of a plant. The bare machine's SSH key is pinned; a key for the worst day goes into the safe.",
  );
  const scene = await createPlant({ host: "demo", template: "bare", onLine: show, site: { "swap.bake": "10s" } });
  plant = scene;
  say("  $ millwright secrets recovery-key");
  const safe = await scene.recoveryKey();

  tell("A bare machine becomes a hardened Docker host, over SSH.");
  await type(scene, "host", "bootstrap", "--yes");

  tell("Image tags become digests, and the platform comes up: Traefik, PostgreSQL and what else the site asks for.");
  await type(scene, "lock");
  await type(scene, "check");
  await type(scene, "deploy", "--yes");

  tell("Release 1: Odoo and the plant's addons in one image. The first upgrade makes the database.");
  const first = await scene.release(FIXTURES.first);
  await type(scene, "upgrade", "--release", first, "--yes");
  const login = await scene.https("/web/login");
  promise(login.status === 200 && login.body.includes('name="login"'), `https://${DOMAIN}/web/login shows the login page`);

  tell("Release 2 is swapped in while 20 people a second open the login page, one waits for a long answer and one holds a websocket.");
  const second = await scene.release(FIXTURES.good);
  const good = await typeUnderLoad(scene, ["upgrade", "--release", second, "--yes"]);
  note("release 2 swapped in", good);
  promise(good.outcome.code === 0 && (await scene.serving()).number === FIXTURES.good, "release 2 serves");
  promise(good.report.failed + good.report.slowFailed === 0, `none of ${good.report.sent + good.report.slowSent} requests failed`);

  tell("Release 3 starts, and its health route says it is well; only its login page is broken.");
  const third = await scene.release(FIXTURES.brokenLogin);
  const bad = await typeUnderLoad(scene, ["upgrade", "--release", third, "--yes"]);
  note("release 3 refused by its probes", bad);
  promise(bad.outcome.code === 6 && (await scene.serving()).number === FIXTURES.good, "release 2 still serves, and the tool says so with exit 6");
  promise(bad.report.failed + bad.report.slowFailed === 0, `none of ${bad.report.sent + bad.report.slowSent} requests failed`);

  tell("Back to release 1, by hand.");
  const back = await typeUnderLoad(scene, ["rollback", "--yes"]);
  note("rollback to release 1", back);
  promise(back.outcome.code === 0 && (await scene.serving()).number === FIXTURES.first, "release 1 serves");
  promise(back.report.failed + back.report.slowFailed === 0, `none of ${back.report.sent + back.report.slowSent} requests failed`);

  tell("A release that is good until people use it: it breaks while it is being watched.");
  const fifth = await scene.release(FIXTURES.breaksLater);
  const before = await scene.serving();
  const dies = await typeUnderLoad(scene, ["upgrade", "--release", fifth, "--yes"], () => scene.breakInBake());
  note("release that breaks when used", dies);
  promise(dies.outcome.code === 6 && (await scene.serving()).number === before.number, "it was taken back by itself, with exit 6");
  const late = switchBackMilliseconds(dies, before.colour === "blue" ? "green" : "blue");
  if (late !== undefined) say(`  its last request came ${late} ms after the run had decided against it`);

  tell("kill -9 of the agent in the middle of a swap.");
  const killed = await typeUnderLoad(scene, ["upgrade", "--release", second, "--yes"], async () => {
    await eventually(() => scene.lockedBy(), { every: 30, what: "the run" });
    const pid = await eventually(() => scene.runPid(), { every: 30, what: "the run's process" });
    await eventually(async () => (await scene.coloursUp()).some((name) => name.endsWith("/web") && !name.startsWith(before.colour)), {
      what: "the other colour",
    });
    await scene.sh("kill", "-9", String(pid));
    say(`  killed process ${pid}`);
  });
  note("kill -9 in mid swap", killed);
  const serving = await scene.serving();
  const ended = killed.run.events.findLast((event) => event.kind === "ended");
  say(`  the run ended by itself: ${ended?.outcome ?? "not"}; ${ended?.summary ?? ""}`);
  promise(ended?.outcome === "done" ? serving.number === FIXTURES.good : serving.number === before.number, `release ${serving.number} serves, whole`);
  promise(killed.report.failed + killed.report.slowFailed === 0, `none of ${killed.report.sent + killed.report.slowSent} requests failed`);

  tell("A backup, and the proof that it can be restored.");
  await type(scene, "backup", "run");
  await type(scene, "backup", "drill");

  tell("The host is lost, and every laptop with it: what is left is the disk with the backups, and the key in the safe. A bare machine gets that disk.");
  await scene.loseAllButBackups(await labHost(`demo2-${process.pid}`, { template: "bare" }));
  tell("In an empty folder, one command gives the plant back.");
  const lost = Date.now();
  const where = ["--host", `${scene.host.user}@${scene.host.address}`, "--fingerprint", fingerprintOf(scene.host.hostKey)];
  await type(scene, "backup", "restore", "--to-new-host", ...where, "--recovery-key", safe, "--confirm", scene.stack);
  promise(
    (await scene.serving()).number === serving.number,
    `release ${serving.number} serves on the new host, ${Math.round((Date.now() - lost) / 1000)} s after it was bare`,
  );
  await type(scene, "backup", "list");

  tell("What the host has written down.");
  await type(scene, "history");
  await type(scene, "history", "verify");
  await type(scene, "status");
}

process.on("SIGINT", () => {
  void leave().then(() => process.exit(130));
});
if (!existsSync(join(REPOSITORY, "dist/cli/main.cjs"))) execFileSync("npm", ["run", "--silent", "build"], { cwd: REPOSITORY, stdio: "inherit" });
try {
  await tour();
  tell("Measured just now:");
  printTable(["what", "exit", "requests", "failed", "longest gap, ms", "swap, s", "back, s"], rows);
  say("\nSwap: from the run's first step until the new release had proven itself at the front door. Back: the same of a rollback by hand; of a run that went");
  say("back by itself, from what spoke against the release to the run's end.");
} catch (error) {
  broken.push(error instanceof Error ? error.message : String(error));
  if (plant !== undefined) say(`\nWhat is left of it: ${await plant.keepArtifacts("demo")}`);
} finally {
  await leave();
}
for (const text of broken) say(`NOT as promised: ${text}`);
process.exitCode = broken.length === 0 ? 0 : 1;

function printTable(header: readonly string[], body: readonly (readonly string[])[]): void {
  const lines = [header, ...body];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  for (const line of lines)
    say(`  ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("   ")}`);
}
