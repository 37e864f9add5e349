/**
 * Every way millwright can fail, by a code that is part of its interface: codes are added, never renamed.
 * `exit` is the process exit status (docs/errors.md lists them); `means` is one sentence for a reader who has only the code, `next` another.
 */
export const ERROR_CODES = {
  INTERNAL: { exit: 1, means: "A fault in millwright itself.", next: "Report it, with what `--debug` prints." },
  USAGE: {
    exit: 2,
    means: "The command line is not one that millwright knows.",
    next: "`millwright --help` lists the commands, and `--help` after one its flags.",
  },
  ANSWER_MISSING: {
    exit: 2,
    means: "A question has no answer and there is no terminal to ask on.",
    next: "Pass the flag that the message names, or run it in a terminal.",
  },
  SITE_NOT_FOUND: { exit: 2, means: "The folder holds no site.yaml.", next: "Change to a site's folder, pass `--site`, or make one with `millwright new`." },
  SITE_INVALID: { exit: 2, means: "site.yaml, or a file it refers to, breaks a rule.", next: "Mend what is listed, then run `millwright check`." },
  SITE_EXISTS: {
    exit: 2,
    means: "The folder holds a site already, or files that a new one would overwrite.",
    next: "Edit its site.yaml, or name another folder.",
  },
  ENVIRONMENT_UNKNOWN: { exit: 2, means: "The site has no environment of that name.", next: "Name one of the environments in site.yaml." },
  ANSWERS_INVALID: {
    exit: 2,
    means: "An answer given by a flag or the answers file breaks a rule.",
    next: "`millwright new --list` shows the keys and what they take.",
  },
  IDENTITY_MISSING: { exit: 2, means: "The operator's age identity is not where it should be, or is not one.", next: "Put your copy of it back." },
  IDENTITY_UNSAFE: {
    exit: 2,
    means: "Others can read the operator's age identity.",
    next: "Run `chmod 600` on it; if others may have read it, replace it and every secret that it opens.",
  },
  STANDBY_UNKNOWN: { exit: 2, means: "The environment has no standby.", next: "State one, `standby` in site.yaml." },
  STANDBY_BEHIND: {
    exit: 1,
    means: "The standby lacks some of what the host has written, and does not get it.",
    next: "`millwright status --standby` says how it follows; `millwright logs database --standby` why it does not.",
  },
  PROMOTION_OPEN: {
    exit: 1,
    means: "The promotion of the standby was begun, and its end was not seen: there is no way back.",
    next: "Do not start the plant on the old host. Look at `millwright logs database --standby`, then run `millwright failover` again.",
  },
  STANDBY_ROLE: {
    exit: 1,
    means: "The host has the other role: one that follows was asked for what only one that serves can do, or the other way round.",
    next: "`millwright status`, and `millwright status --standby`, say which of the two hosts serves.",
  },
  VAULT_MISSING: { exit: 2, means: "The environment has no vault yet.", next: "Get it from the site's git history." },
  VAULT_INVALID: { exit: 1, means: "The vault, or the list of its recipients, is damaged.", next: "Get it from the site's git history." },
  SECRET_MISSING: {
    exit: 1,
    means: "A file refers to a secret that the vault does not hold.",
    next: "Run `millwright deploy` where the operator's identity is: it makes the secrets that are missing.",
  },
  SECRET_UNKNOWN: { exit: 2, means: "The environment has no secret of that name.", next: "`millwright secrets list` shows their names." },
  SECRET_INVALID: { exit: 2, means: "A value cannot be that secret.", next: "Choose another value." },
  CERTIFICATE_INVALID: {
    exit: 2,
    means: "A certificate or its key cannot be used for this site.",
    next: "Ask whoever issued it for the chain and its unencrypted key, both as PEM.",
  },
  CERTIFICATE_NOT_SERVED: {
    exit: 1,
    means: "The proxy goes on serving another certificate than the one it was given; the one before is back.",
    next: "Look at `millwright logs edge`, then run `millwright deploy` again.",
  },
  HOST_UNREACHABLE: {
    exit: 4,
    means: "No connection to the host, or to a jump host on the way.",
    next: "Check address, port, VPN and firewall; then try again.",
  },
  HOST_KEY_UNKNOWN: { exit: 4, means: "The host's key is not pinned yet.", next: "Compare it with the host's console, then run `millwright host trust`." },
  HOST_KEY_CHANGED: { exit: 4, means: "The host shows another key than the pinned one.", next: "Do not go on before you know why; ask whoever runs the host." },
  LOGIN_REFUSED: { exit: 4, means: "The host refused the key or the account.", next: "Check account and key; name the right key with `--identity`." },
  LINK_LOST: {
    exit: 4,
    means: "The connection broke while a verb was under way; what it started on the host goes on.",
    next: "Look again with `millwright follow`, or run the command again.",
  },
  AGENT_MISSING: { exit: 4, means: "The host has no agent of this version.", next: "Run `millwright host bootstrap`." },
  AGENT_VERSION: {
    exit: 4,
    means: "The host's agent and this millwright are of different versions.",
    next: "Run `millwright host bootstrap`, or use the host's version of millwright.",
  },
  KEY_UNUSABLE: {
    exit: 4,
    means: "An identity file cannot be read, or is locked and no SSH agent holds its key.",
    next: "`ssh-add` the key, or name another one with `--identity`.",
  },
  JUMP_REFUSED: {
    exit: 4,
    means: "The jump host let us in but does not forward to the host.",
    next: "Check the host's address as the jump host sees it, and AllowTcpForwarding there.",
  },
  HOST_KEY_REVOKED: { exit: 4, means: "The host shows a key that known_hosts marks as revoked.", next: "Give the host new keys." },
  GATE_REFUSED: { exit: 2, means: "The host's gate knows no such command.", next: "Use the millwright command line, of the same version as the host's agent." },
  PAYLOAD_INVALID: {
    exit: 2,
    means: "What was sent to the host with a verb is too big or not what the verb takes.",
    next: "Use a millwright of the host's version: `millwright host bootstrap` brings the agent to yours.",
  },
  NO_RUN: { exit: 1, means: "No run is, or ever was, under way on this stack.", next: "See `millwright history`." },
  RUN_UNKNOWN: { exit: 1, means: "The host does not keep the run.", next: "`millwright history` lists the runs; the host keeps its last 50." },
  RUN_STALLED: {
    exit: 1,
    means: "A run has begun and has not ended, and nothing on the host is working on it.",
    next: "Finish it with `millwright resume`, or take it back with `millwright abort`.",
  },
  ABORT_LATE: { exit: 1, means: "The run had ended before it could be aborted.", next: "Go back with `millwright rollback`." },
  UNIT_FAILED: { exit: 1, means: "systemd did not start the run.", next: "Run `millwright host bootstrap`, then `millwright resume`." },
  PLAN_UNKNOWN: { exit: 1, means: "The host does not have the plan.", next: "Run the command again: it makes a new plan." },
  JOURNAL_BROKEN: {
    exit: 7,
    means: "The host's journal was changed by something other than millwright.",
    next: "Run `millwright history verify`, and find out who changed it.",
  },
  LOCK_HELD: { exit: 5, means: "Another run is under way on this stack.", next: "Watch it with `millwright follow`, and try again when it is over." },
  PLAN_STALE: { exit: 1, means: "The host has changed since the plan was made.", next: "Run the command again, and look at what is different." },
  SERVICE_UNHEALTHY: {
    exit: 1,
    means: "A platform service did not become healthy; the previous stack was restored.",
    next: "Look at its log with `millwright logs`, mend the cause, then run `millwright deploy`.",
  },
  RELEASE_UNHEALTHY: {
    exit: 6,
    means: "The new release failed its judgement; the old one was kept or restored.",
    next: "Mend the release and build it anew; `millwright follow` tells again what was seen.",
  },
  JOB_RUNNING: {
    exit: 6,
    means: "A scheduled job ran on for longer than an upgrade waits; the old release was kept.",
    next: "Wait for the job or end it in Odoo, then run `millwright upgrade` again.",
  },
  PREVIEW_EXPIRED: {
    exit: 6,
    means: "Nobody said in time that a previewed release may go on; the old one was kept.",
    next: "Run `millwright upgrade --preview` again; `swap.preview.for` in site.yaml gives testers longer.",
  },
  PREVIEW_IMPOSSIBLE: {
    exit: 2,
    means: "A preview was asked for where no release serves that others could stay on.",
    next: "Bring the first release into service without `--preview`.",
  },
  ABORTED: { exit: 6, means: "A person aborted the run; what it had done was undone.", next: "See `millwright history` for what was undone." },
  UNDO_FAILED: { exit: 7, means: "Undoing a step failed; a person is needed.", next: "Mend the cause, then run `millwright resume`." },
  ADDONS_INVALID: {
    exit: 2,
    means: "The addons folder holds something that cannot become part of a release.",
    next: "Mend the addons folder, then build again.",
  },
  ADDON_SYNTAX: { exit: 1, means: "A Python file of an addon does not compile; no image was built.", next: "Mend the file, then build again." },
  ENGINE_UNSUITABLE: {
    exit: 1,
    means: "The Docker engine keeps images in a way in which releases have other ids.",
    next: "Give the engine its layer store, or build on another one.",
  },
  BUILD_FAILED: {
    exit: 1,
    means: "An image could not be made: a release's, or one that packages are put into.",
    next: "Mend what the last lines tell, then run the command again.",
  },
  RELEASE_NOT_FOUND: { exit: 2, means: "The site folder has no release of that id.", next: "`millwright release list` shows those that there are." },
  RELEASE_EXISTS: { exit: 2, means: "A release of that id exists; releases are immutable.", next: "Run the command again: it takes the next free number." },
  RELEASE_INVALID: { exit: 2, means: "A release file breaks a rule, or belongs to another site.", next: "Restore the file from git, or build a new release." },
  RELEASE_EDITED: { exit: 2, means: "A release file was changed after it was built.", next: "Restore the file from git, or build a new release." },
  RELEASE_NEEDS_UPDATE: {
    exit: 2,
    means: "The release changes what is in the database; millwright swaps only releases that do not.",
    next: "Build a release without these changes, or update the modules by hand in a maintenance window.",
  },
  RELEASE_TRANSFER: { exit: 1, means: "A release's image did not arrive whole.", next: "Push the release again: layers that arrived are kept." },
  DOCKER_DOWN: { exit: 1, means: "The Docker engine does not answer.", next: "Look at `systemctl status docker` on the host." },
  DOCKER_FAILED: { exit: 1, means: "The Docker engine refused a call.", next: "Look at `journalctl -u docker` on the host, then run the command again." },
  COMPOSE_FAILED: {
    exit: 1,
    means: "`docker compose` ended with an error.",
    next: "Look at the lines above and at `millwright status`, then run the command again.",
  },
  IMAGE_MISSING: {
    exit: 1,
    means: "An image is neither on the host nor in a registry that the host reaches.",
    next: "Let the host reach a mirror (`docker.mirrors`), or bring a release's image with `millwright release push <id> --docker <socket>` (from the engine that built it) or `--from <env>` (from another host).",
  },
  DISK_FULL: {
    exit: 1,
    means: "A disk ran full: one of the host's, or one of the machine that the command runs on.",
    next: "Make room (`df -h` shows where), then run the command again.",
  },
  FILE_REFUSED: {
    exit: 1,
    means: "The system does not let this account read or write a file or folder.",
    next: "Look at its owner and mode (`ls -ld`), and at which account you are.",
  },
  NO_SPACE: {
    exit: 1,
    means: "The host's disk has less room than the run may need; nothing was begun.",
    next: "Make room on the host: `docker image prune`, or a larger disk.",
  },
  TIMED_OUT: {
    exit: 1,
    means: "A program did not end in time, or a pull brought nothing more; it was given up.",
    next: "Look at what held it up, then run the command again.",
  },
  BLUEPRINT_INVALID: {
    exit: 2,
    means: "The blueprint itself has a fault.",
    next: "Take back what you changed in the blueprint or in `overrides/`; if you changed nothing, report it.",
  },
  IMAGE_NOT_LOCKED: { exit: 2, means: "images.lock.yaml has no digest for an image that the stack needs.", next: "Run `millwright lock`." },
  POLICY_VIOLATED: {
    exit: 2,
    means: "The rendered services break a hardening rule and no waiver covers it.",
    next: "Change the override, or add a waiver with rule, service and reason to site.yaml.",
  },
  STACK_INVALID: {
    exit: 2,
    means: "A stack's files do not fit together, or are not those its id was made from.",
    next: "Run `millwright check`, then `millwright deploy`.",
  },
  STACK_REFUSED: {
    exit: 2,
    means: "The host's own policy refuses the stack.",
    next: "Mend the overrides, or waive the rule in site.yaml and run `millwright host bootstrap`.",
  },
  VAULT_LOCKED: {
    exit: 1,
    means: "A vault was not encrypted for the identity that tries to open it.",
    next: "For a host, run `millwright host bootstrap`; for a person, ask an operator of secrets/recipients.yaml.",
  },
  CLOCK_WRONG: {
    exit: 1,
    means: "The clocks of the host and of the operator's machine are too far apart.",
    next: "Set the clock that is wrong; `timedatectl` shows whether it is synchronised.",
  },
  PORT_TAKEN: {
    exit: 1,
    means: "Another program on the host listens on a port that the stack needs.",
    next: "`ss -ltnp` on the host shows which; stop it, or choose another `host.listen`.",
  },
  REDIRECT_FAILED: {
    exit: 1,
    means: "The host's firewall did not take the rule that leads connections past the proxy while it is renewed.",
    next: "Look at `nft list ruleset` on the host, then run `millwright deploy` again.",
  },
  PROVISION_FAILED: { exit: 1, means: "PostgreSQL refused to set up the database and its roles.", next: "Run `millwright logs database`." },
  SETTINGS_REFUSED: {
    exit: 1,
    means: "PostgreSQL did not take its new settings by a reload; those before are back.",
    next: "Look at `millwright logs database`, then run `millwright deploy` again.",
  },
  SERVICE_UNKNOWN: { exit: 2, means: "The stack has no service of that name.", next: "Name one of the services that `millwright status` shows." },
  HOST_UNSUPPORTED: {
    exit: 1,
    means: "The host's system is not one that bootstrap knows.",
    next: "Give the stack a host with Debian 12, Debian 13 or Ubuntu 24.04 on x86_64 or aarch64.",
  },
  HOST_TAKEN: { exit: 1, means: "The host was bootstrapped for another stack.", next: "Check host.address of this environment in site.yaml." },
  POOL_TAKEN: {
    exit: 1,
    means: "The address range for Docker's networks overlaps with a network that the host reaches.",
    next: "Set `docker.pool` in site.yaml to a range that the plant does not use.",
  },
  DISK_IN_USE: {
    exit: 1,
    means: "The data disk is absent, or holds something that bootstrap must not destroy.",
    next: "Look at `lsblk` on the host, and correct dataDisk in site.yaml.",
  },
  PACKAGE_MISSING: {
    exit: 1,
    means: "A package that the host needs cannot be installed.",
    next: "Give the host a package mirror, then run `millwright host bootstrap` again.",
  },
  BOOTSTRAP_FAILED: {
    exit: 1,
    means: "A change of the host failed or did not take effect; bootstrap goes on from there when it is run again.",
    next: "Mend the cause on the host, then run `millwright host bootstrap` again.",
  },
  LOGIN_NOT_PROVEN: {
    exit: 1,
    means: "No new login succeeded after a change of sshd or the firewall; the change is undone.",
    next: "Check keys and `firewall.ssh`, then run `millwright host bootstrap` again.",
  },
  SUDO_NEEDED: {
    exit: 4,
    means: "The admin account may not use sudo without a password.",
    next: "Let the admin account use sudo without a password until bootstrap is over.",
  },
  NODE_RUNTIME_MISSING: {
    exit: 1,
    means: "This installation of millwright has no Node runtime for the host's processor.",
    next: "Install the package of the message beside millwright.",
  },
  TRAFFIC_INVALID: { exit: 1, means: "The routing table for the proxy cannot be made or written.", next: "Run `millwright check`, then `millwright deploy`." },
  STATE_DAMAGED: {
    exit: 1,
    means: "A file in which the host keeps its state cannot be read.",
    next: "Look at the file and at `millwright history`; restore it from a backup if it was changed by hand.",
  },
  DATABASE_FAILED: { exit: 1, means: "PostgreSQL failed a query that millwright needs.", next: "Run `millwright logs database`." },
  ARCHIVE_BROKEN: {
    exit: 1,
    means: "The database's log does not arrive in the backups' repository, or the repository cannot be used.",
    next: "Look at the disk that holds it and at `millwright logs database`: until it is mended, the disk loses more with each minute.",
  },
  ARCHIVE_FOREIGN: {
    exit: 1,
    means: "The repository holds the backups of another database than the one that runs.",
    next: "If this host is to take the other's place, restore it: `millwright backup restore --to now`. Otherwise give the stack an empty folder for its backups.",
  },
  BACKUP_FAILED: { exit: 1, means: "A backup was not made; those before it stand.", next: "Mend the cause, then run `millwright backup run`." },
  BACKUP_DAMAGED: {
    exit: 1,
    means: "A backup, or the database that it was made of, is damaged.",
    next: "Make a full one at once, `millwright backup run --full`, prove it, `millwright backup drill`, and look at the host's disks.",
  },
  BACKUP_DUE: {
    exit: 1,
    means: "A verification was ended because the daily backup would have waited for it.",
    next: "Run `millwright backup verify` again when `millwright status` shows that backup.",
  },
  CLOCK_DOUBTED: {
    exit: 1,
    means: "The host's clock is months ahead of all that the host has done, so nothing is backed up by schedule: it would stand for the newest until then.",
    next: "Look at it, `timedatectl`. When it is right, make the backup yourself: `millwright backup run`.",
  },
  BACKUP_NOT_FOUND: { exit: 2, means: "There is no such backup.", next: "`millwright backup list` shows them." },
  POINT_EXISTS: { exit: 2, means: "A moment has that name already.", next: "Choose another; `millwright backup list` shows the points." },
  RESTORE_FAILED: {
    exit: 1,
    means: "A backup could not be restored; the plant was not touched.",
    next: "Look at `millwright history`, then try an older backup.",
  },
  DRILL_FAILED: {
    exit: 1,
    means: "Odoo does not work on a restored backup.",
    next: "Make a new backup and prove it: `millwright backup run`, then `millwright backup drill`.",
  },
  ROLLBACK_IMPOSSIBLE: { exit: 2, means: "There is no release to go back to.", next: "Choose a release yourself: `millwright upgrade --release <id>`." },
  PLATFORM_DOWN: { exit: 1, means: "The stack's edge or database does not run; nothing was begun.", next: "Run `millwright deploy`." },
  INTERRUPTED: {
    exit: 130,
    means: "The operator pressed Ctrl-C, or did not agree.",
    next: "Run the command again: what was under way on the host goes on, and `millwright follow` tells it.",
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly exit: number;
  readonly means: string;
  /** What to type or to look at next, for an error that knows nothing better. */
  readonly next: string;
}

export type ErrorCode = keyof typeof ERROR_CODES;
