import { Command, InvalidArgumentError, Option } from "commander";
import { VERSION } from "../kernel/version.ts";
import type { CliContext } from "./context.ts";
import type { CommandResult } from "./output.ts";

/** Flags that every command takes, after the verb or before it. */
export interface CommonOptions {
  readonly site?: string;
  readonly identity?: readonly string[];
  readonly yes?: boolean;
  readonly local?: boolean;
}

/** A command's code: options and arguments in, result out; loaded only when the command runs. */
export type Run<Options> = (options: Options & CommonOptions, context: CliContext) => Promise<CommandResult>;

interface Program {
  /** Parses and runs; undefined when commander has answered itself (help, version). */
  run(argv: readonly string[]): Promise<CommandResult | undefined>;
  readonly root: Command;
}

const EXAMPLES = `
Examples:
  millwright new acme                    ask what a plant needs and write its site folder
  millwright host bootstrap production   make a bare VM a hardened Docker host
  millwright deploy production           bring the platform up
  millwright release build --notes "…"   make an immutable release of the addons
  millwright upgrade production          swap to it; health checks decide whether it stays

Exit status: 0 done · 1 failed · 2 wrong input · 3 changes pending · 4 host not reached · 5 another run is under way ·
6 new release bad, old one kept · 7 a person is needed`;

const FROM_NOTHING = `
The worst day, in an empty folder, with the backups' disk mounted on a bare VM:
  millwright backup restore --to-new-host --host admin@10.20.0.5 --recovery-key key.txt
See docs/backup.md, "A lost host".`;

/** For options that may be given more than once. */
const collect = (value: string, all: string[] | undefined): string[] => [...(all ?? []), value];

/** For files and folders: an empty one would be the folder one is in. */
function notEmpty(value: string): string {
  if (value.trim() !== "") return value;
  throw new InvalidArgumentError("It must not be empty.");
}

function lineCount(value: string): string {
  if (/^[1-9]\d{0,4}$/.test(value)) return value;
  throw new InvalidArgumentError("It must be a number from 1 to 99999.");
}

/** Flags of how it is told; main.ts reads them wherever they stand. */
function addOutputFlags(target: Command): Command {
  return target
    .option("--json", "print one JSON document")
    .option("--json-lines", "print events and the result as JSON lines")
    .option("--no-input", "never ask; fail and name the flag instead")
    .option("--no-color", "no colours")
    .option("--debug", "show stack traces");
}

/** What is wrong with the words of a command is told as that command's. */
function nameInErrors(command: Command, path: string, onCommand: (name: string) => void): void {
  command.exitOverride((error) => {
    onCommand(path);
    throw error;
  });
  for (const inner of command.commands) nameInErrors(inner, command.parent === null ? inner.name() : `${path} ${inner.name()}`, onCommand);
}

export function buildProgram(context: CliContext, onCommand: (name: string) => void): Program {
  let outcome: CommandResult | undefined;
  const root = new Command("millwright");
  root
    .description("Generates hardened Odoo stacks, deploys them over SSH, and swaps releases with a way back.")
    .version(VERSION)
    .option("--site <dir>", "site folder, also after the verb")
    // Errors are told in one place, main.ts, in the form of all others.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .helpCommand("help [command]", "what a command does, and its flags: the same as --help after it")
    .addHelpText("after", EXAMPLES);
  addOutputFlags(root);

  const command = (parent: Command, signature: string, summary: string, targetsHost: boolean, hasAgent = targetsHost): Command => {
    const added = parent.command(signature).description(summary);
    added.option("--site <dir>", "site folder (default: the folder you are in)");
    if (targetsHost) added.option("-i, --identity <file>", "private key for SSH; may be given more than once", collect);
    // Only the agent is also on this side: what the admin account does, it does over SSH.
    if (hasAgent) added.option("--local", "run on this machine instead of over SSH");
    return addOutputFlags(added);
  };
  const action =
    <Options>(name: string, load: () => Promise<Run<Options>>, names: readonly string[] = []) =>
    async (...received: unknown[]): Promise<void> => {
      onCommand(name);
      const self = received.at(-1);
      const options: Record<string, unknown> = self instanceof Command ? self.optsWithGlobals() : {};
      names.forEach((key, index) => {
        if (received[index] !== undefined) options[key] = received[index];
      });
      await import("../kernel/interpret-schemas.ts");
      const run = await load();
      outcome = await run(options as Options & CommonOptions, context);
    };
  const pair = (target: Command): Command => target.option("--standby", "the environment's standby is meant, not its host");
  const yes = (target: Command): Command => target.option("-y, --yes", "do not ask for confirmation (also MILLWRIGHT_YES=1)");

  command(root, "new [dir]", "ask what a plant needs and write its site folder", false)
    .option("--answers <file>", "answers as YAML or JSON, instead of questions")
    .option("--set <key=value>", "one answer; may be given more than once", collect)
    .addHelpText("after", "\nKeys of --set and of the answers file: see docs/answers.md, or `millwright new --list`.")
    .option("--list", "list the questions, their keys and defaults")
    .action(action("new", async () => (await import("./commands/new.ts")).newCommand, ["dir"]));
  command(root, "check [env]", "validate the site folder: schema, policy, capacity, lock", false).action(
    action("check", async () => (await import("./commands/check.ts")).checkCommand, ["env"]),
  );
  pair(command(root, "render [env]", "write the stack of an environment, as the host will get it", false))
    .option("--out <dir>", "where to write it (default: <site>/build/<env>)", notEmpty)
    .option("--check", "write nothing; exit 3 if the folder differs")
    .action(action("render", async () => (await import("./commands/render.ts")).renderCommand, ["env"]));
  command(root, "lock [env]", "resolve the blueprint's image tags to digests, through the host's engine or a local one", true)
    .option("--docker <socket>", "ask the Docker engine on this socket instead of the host's", notEmpty)
    .action(action("lock", async () => (await import("./commands/lock.ts")).lockCommand, ["env"]));

  const host = root.command("host").description("make and check the machine that a stack runs on").helpCommand(false);
  pair(command(host, "trust [env]", "pin the host's key (and the jump host's)", true, false))
    .option("--fingerprint <sha256>", "pin only if the key has this fingerprint; without it you are asked")
    .option("--jump-fingerprint <sha256>", "the same for the jump host's key")
    .action(action("host trust", async () => (await import("./commands/host-trust.ts")).hostTrustCommand, ["env"]));
  yes(pair(command(host, "bootstrap [env]", "a bare VM becomes a hardened Docker host; safe to repeat", true, false)))
    .option("--deploy-key <file>", "public key that may deploy (default: the identity's); may be given more than once", collect)
    .action(action("host bootstrap", async () => (await import("./commands/host-bootstrap.ts")).hostBootstrapCommand, ["env"]));
  pair(command(host, "check [env]", "show what bootstrap would change on a host that it has made; exit 3 if anything", true, false)).action(
    action("host check", async () => (await import("./commands/host-check.ts")).hostCheckCommand, ["env"]),
  );

  pair(command(host, "fence [env]", "end the plant on a host so that another can serve it: stopped, and started by nothing", true))
    .option("--lift", "the other way round: start it again, when no other host has taken over")
    .option("--confirm <stack>", "name of the stack, instead of typing it when asked")
    .action(action("host fence", async () => (await import("./commands/host-fence.ts")).hostFenceCommand, ["env"]));

  pair(command(root, "plan [env]", "compare the stack with what runs, change nothing", true))
    .option("--exit-code", "exit 3 when the plan has changes")
    .action(action("plan", async () => (await import("./commands/plan.ts")).planCommand, ["env"]));
  yes(pair(command(root, "deploy [env]", "bring the platform to what the site says", true)))
    .option("--rebuild", "with --standby: make its database anew, whatever is there")
    .option("--docker <socket>", "put packages into images on the Docker engine of this socket instead of the host's", notEmpty)
    .action(action("deploy", async () => (await import("./commands/deploy.ts")).deployCommand, ["env"]));

  const secrets = root.command("secrets").description("what is encrypted in the site folder, and who can open it").helpCommand(false);
  command(secrets, "list", "names of the secrets and who can open them; opens nothing", false).action(
    action("secrets list", async () => (await import("./commands/secrets.ts")).secretsListCommand),
  );
  command(secrets, "show <name> [env]", "print one secret, such as odoo_admin, the administrator's first password", false).action(
    action("secrets show", async () => (await import("./commands/secrets.ts")).secretsShowCommand, ["name", "env"]),
  );
  yes(command(secrets, "set <name> [env]", "set a secret to a value from a hidden prompt or standard input", false)).action(
    action("secrets set", async () => (await import("./commands/secrets.ts")).secretsSetCommand, ["name", "env"]),
  );
  yes(command(secrets, "recovery-key", "make the key that opens everything and lies in a safe, and print it once", false)).action(
    action("secrets recovery-key", async () => (await import("./commands/recovery-key.ts")).recoveryKeyCommand),
  );
  command(secrets, "rekey", "encrypt everything anew for those whom secrets/recipients.yaml names", false).action(
    action("secrets rekey", async () => (await import("./commands/secrets.ts")).secretsRekeyCommand),
  );

  const release = root.command("release").description("immutable releases of Odoo and the site's addons").helpCommand(false);
  command(release, "build [env]", "build the site's addons into an image and write the release file", true)
    .option("--notes <text>", "what is new, for those who approve and those who look back")
    .option("--docker <socket>", "build on the Docker engine of this socket instead of the host's", notEmpty)
    .action(action("release build", async () => (await import("./commands/release-build.ts")).releaseBuildCommand, ["env"]));
  pair(command(release, "push <release> [env]", "bring a release to a host: only the layers it lacks travel", true))
    .option("--docker <socket>", "take the image from the Docker engine of this socket", notEmpty)
    .option("--from <env>", "take the image from another environment's host")
    .action(action("release push", async () => (await import("./commands/release-push.ts")).releasePushCommand, ["release", "env"]));
  command(release, "list", "releases of the site", false).action(
    action("release list", async () => (await import("./commands/release-list.ts")).releaseListCommand),
  );
  command(release, "show <release>", "what a release holds", false).action(
    action("release show", async () => (await import("./commands/release-list.ts")).releaseShowCommand, ["release"]),
  );

  yes(command(root, "upgrade [env]", "swap to a release; health checks decide whether it stays", true))
    .option("--release <id>", "release to swap to (default: you are asked; without a terminal, needed)")
    .option("--preview", "show the new release to testers only, by a secret link or header, and wait for `resume` or `abort`")
    .option("--dry-run", "show the plan, change nothing")
    .action(action("upgrade", async () => (await import("./commands/upgrade.ts")).upgradeCommand, ["env"]));
  yes(command(root, "rollback [env]", "back to the release before", true)).action(
    action("rollback", async () => (await import("./commands/upgrade.ts")).rollbackCommand, ["env"]),
  );
  command(root, "failover [env]", "the standby becomes the host: fence the old one, promote, deploy, bring the release into service", true)
    .option("--release <id>", "release to bring into service (default: the one that served)")
    .option("--powered-off <address>", "you have switched off the host, which does not answer; its address, instead of typing it when asked")
    .option("--confirm <stack>", "name of the stack, instead of typing it when asked")
    .option("--dry-run", "show the plans, change nothing")
    .action(action("failover", async () => (await import("./commands/failover.ts")).failoverCommand, ["env"]));
  const from = (): Option => new Option("--from <place>", "whose backups: local, on the host, or offsite").choices(["local", "offsite"]).default("local");
  const backup = root.command("backup").description("backups of database and files, and the proof that they can be restored").helpCommand(false);
  command(backup, "run [env]", "back up database and files now", true)
    .option("--full", "everything, not only what has changed")
    .action(action("backup run", async () => (await import("./commands/backup.ts")).backupRunCommand, ["env"]));
  command(backup, "point <name> [env]", "give this moment a name, to come back to: backup restore --to point:<name>", true).action(
    action("backup point", async () => (await import("./commands/backup.ts")).backupPointCommand, ["name", "env"]),
  );
  command(backup, "list [env]", "the backups and points that there are, and what the last drill measured", true).action(
    action("backup list", async () => (await import("./commands/backup.ts")).backupListCommand, ["env"]),
  );
  command(backup, "verify [env]", "read the repositories: damage, missing parts, holes in the archived log", true)
    .option("--all", "read every byte of the files' repository, not the next quarter")
    .addOption(from())
    .action(action("backup verify", async () => (await import("./commands/backup.ts")).backupVerifyCommand, ["env"]));
  command(backup, "drill [env]", "restore to a scratch place without network, check everything, log in: measured RPO and RTO", true)
    .addOption(from())
    .action(action("backup drill", async () => (await import("./commands/backup.ts")).backupDrillCommand, ["env"]));

  const fromNothing = (target: Command): Command =>
    target
      .option("--recovery-key <file>", "key that opens the site folder in the backups (default: your own identity)")
      .option("--host <address>", "the new host, as [user@]address[:port]; the disk with the backups is mounted there")
      .option("--repository <path>", "folder of the backups on this machine, or their site.tar.gz.age, instead of the disk on the host")
      .option("--fingerprint <sha256>", "of the host's key; without it you are asked");
  fromNothing(command(backup, "site [env]", "write the site folder out of the backups into an empty folder", true)).action(
    action("backup site", async () => (await import("./commands/backup-site.ts")).backupSiteCommand, ["env"]),
  );
  const restore = command(backup, "restore [env]", "database and files as they were; restored and checked first, then put in place", true)
    .option("--to <moment>", "now, backup:<id>, point:<name>, release:<id> (just before it began to serve), or a time with its zone: 2026-11-24T14:05+01:00")
    .option(
      "--to-new-host",
      "a bare VM becomes the stack's host: site folder (in an empty one), bootstrap, deploy, restore, release; its backups must be mounted there, or --from offsite",
    )
    .addOption(from())
    .option("--beside", "leave it in the scratch place, and the plant as it is")
    .option("--confirm <stack>", "name of the stack, instead of typing it when asked")
    .option("--dry-run", "show the plan, change nothing");
  fromNothing(restore)
    .addHelpText("after", FROM_NOTHING)
    .action(action("backup restore", async () => (await import("./commands/backup.ts")).backupRestoreCommand, ["env"]));

  pair(command(root, "follow [env]", "watch the run that is under way, or the last one", true)).action(
    action("follow", async () => (await import("./commands/runs.ts")).followCommand, ["env"]),
  );
  pair(command(root, "resume [env]", "let a stalled run go on (forward if it had decided, back otherwise), or one that waits in its preview", true)).action(
    action("resume", async () => (await import("./commands/runs.ts")).resumeCommand, ["env"]),
  );
  yes(pair(command(root, "abort [env]", "undo the run that is under way", true))).action(
    action("abort", async () => (await import("./commands/runs.ts")).abortCommand, ["env"]),
  );
  pair(command(root, "status [env]", "what serves, since when, by whom, and how well", true)).action(
    action("status", async () => (await import("./commands/status.ts")).statusCommand, ["env"]),
  );
  const history = pair(command(root, "history [env]", "what was done on the host, by whom, and how it ended", true)).action(
    action("history", async () => (await import("./commands/history.ts")).historyCommand, ["env"]),
  );
  pair(command(history, "verify [env]", "walk the host's journal and name the first entry that is changed, missing or out of order; exit 7", true))
    .option("--accept", "take the journal as it is, whatever this machine has seen of it before")
    .action(action("history verify", async () => (await import("./commands/history.ts")).historyVerifyCommand, ["env"]));
  pair(command(root, "report [run] [env]", "write one HTML page of a run (default: the last swap or rollback): steps, probes, verdicts, versions", true))
    .option("--out <file>", "where to write it (default: <site>/reports/<stack>-<run>.html)", notEmpty)
    .action(action("report", async () => (await import("./commands/report.ts")).reportCommand, ["run", "env"]));
  pair(command(root, "logs <service> [env]", "last log lines of a service: edge, database, web, cron, blue-web, …", true))
    .addOption(new Option("-n, --lines <count>", "how many").default("100").argParser(lineCount))
    .action(action("logs", async () => (await import("./commands/logs.ts")).logsCommand, ["service", "env"]));
  root
    .command("completion <shell>")
    .description("print a completion script for bash, zsh or fish")
    .action(action("completion", async () => (await import("./commands/completion.ts")).completionCommand(root), ["shell"]));

  nameInErrors(root, root.name(), onCommand);
  return {
    root,
    run: async (argv) => {
      await root.parseAsync([...argv], { from: "user" });
      return outcome;
    },
  };
}
