import { redact } from "./secret.ts";

/**
 * Every way millwright can fail, by a code that is part of its interface: codes are added, never renamed.
 * `exit` is the process exit status (docs/errors.md lists them); `means` is one sentence for a reader who has only the code.
 */
export const ERROR_CODES = {
  INTERNAL: { exit: 1, means: "A fault in millwright itself." },
  USAGE: { exit: 2, means: "The command line is not one that millwright knows." },
  ANSWER_MISSING: { exit: 2, means: "A question has no answer and there is no terminal to ask on." },
  SITE_NOT_FOUND: { exit: 2, means: "The folder holds no site.yaml." },
  SITE_INVALID: { exit: 2, means: "site.yaml, or a file it refers to, breaks a rule." },
  SITE_EXISTS: { exit: 2, means: "The folder holds a site already, or files that a new one would overwrite." },
  ENVIRONMENT_UNKNOWN: { exit: 2, means: "The site has no environment of that name." },
  ANSWERS_INVALID: { exit: 2, means: "An answer given by a flag or the answers file breaks a rule." },
  IDENTITY_MISSING: { exit: 2, means: "The operator's age identity is not where it should be, or is not one." },
  IDENTITY_UNSAFE: { exit: 2, means: "Others can read the operator's age identity." },
  VAULT_MISSING: { exit: 2, means: "The environment has no vault yet." },
  VAULT_INVALID: { exit: 1, means: "The vault, or the list of its recipients, is damaged." },
  SECRET_MISSING: { exit: 1, means: "A file refers to a secret that the vault does not hold." },
  CERTIFICATE_INVALID: { exit: 2, means: "A certificate or its key cannot be used for this site." },
  HOST_UNREACHABLE: { exit: 4, means: "No connection to the host, or to a jump host on the way." },
  HOST_KEY_UNKNOWN: { exit: 4, means: "The host's key is not pinned yet." },
  HOST_KEY_CHANGED: { exit: 4, means: "The host shows another key than the pinned one." },
  LOGIN_REFUSED: { exit: 4, means: "The host refused the key or the account." },
  LINK_LOST: { exit: 4, means: "The connection broke while a verb was under way; what it started on the host goes on." },
  AGENT_MISSING: { exit: 4, means: "The host has no agent of this version." },
  AGENT_VERSION: { exit: 4, means: "The host's agent and this millwright are of different versions." },
  KEY_UNUSABLE: { exit: 4, means: "An identity file cannot be read, or is locked and no SSH agent holds its key." },
  JUMP_REFUSED: { exit: 4, means: "The jump host let us in but does not forward to the host." },
  HOST_KEY_REVOKED: { exit: 4, means: "The host shows a key that known_hosts marks as revoked." },
  GATE_REFUSED: { exit: 2, means: "The host's gate knows no such command." },
  PAYLOAD_INVALID: { exit: 2, means: "What was sent to the host with a verb is too big or not what the verb takes." },
  NO_RUN: { exit: 1, means: "No run is, or ever was, under way on this stack." },
  RUN_STALLED: { exit: 1, means: "A run has begun and has not ended, and nothing on the host is working on it." },
  ABORT_LATE: { exit: 1, means: "The run had ended before it could be aborted." },
  UNIT_FAILED: { exit: 1, means: "systemd did not start the run." },
  PLAN_UNKNOWN: { exit: 1, means: "The host does not have the plan." },
  JOURNAL_BROKEN: { exit: 7, means: "The host's journal was changed by something other than millwright." },
  LOCK_HELD: { exit: 5, means: "Another run is under way on this stack." },
  PLAN_STALE: { exit: 1, means: "The host has changed since the plan was made." },
  SERVICE_UNHEALTHY: { exit: 1, means: "A platform service did not become healthy; the previous stack was restored." },
  RELEASE_UNHEALTHY: { exit: 6, means: "The new release failed its judgement; the old one was kept or restored." },
  ABORTED: { exit: 6, means: "A person aborted the run; what it had done was undone." },
  UNDO_FAILED: { exit: 7, means: "Undoing a step failed; a person is needed." },
  ADDONS_INVALID: { exit: 2, means: "The addons folder holds something that cannot become part of a release." },
  ADDON_SYNTAX: { exit: 1, means: "A Python file of an addon does not compile; no image was built." },
  BUILD_FAILED: { exit: 1, means: "Docker could not build the release's image." },
  RELEASE_NOT_FOUND: { exit: 2, means: "The site folder has no release of that id." },
  RELEASE_EXISTS: { exit: 2, means: "A release of that id exists; releases are immutable." },
  RELEASE_INVALID: { exit: 2, means: "A release file breaks a rule, or belongs to another site." },
  RELEASE_EDITED: { exit: 2, means: "A release file was changed after it was built." },
  RELEASE_NEEDS_UPDATE: { exit: 2, means: "The release changes what is in the database; millwright swaps only releases that do not." },
  RELEASE_TRANSFER: { exit: 1, means: "A release's image did not arrive whole." },
  DOCKER_DOWN: { exit: 1, means: "The Docker engine does not answer." },
  DOCKER_FAILED: { exit: 1, means: "The Docker engine refused a call." },
  COMPOSE_FAILED: { exit: 1, means: "`docker compose` ended with an error." },
  IMAGE_MISSING: { exit: 1, means: "An image is neither on the host nor in a registry that the host reaches." },
  DISK_FULL: { exit: 1, means: "A disk of the host ran full." },
  NO_SPACE: { exit: 1, means: "The host's disk has less room than the run may need; nothing was begun." },
  TIMED_OUT: { exit: 1, means: "A program on this machine did not end in time and was ended." },
  BLUEPRINT_INVALID: { exit: 2, means: "The blueprint itself has a fault." },
  IMAGE_NOT_LOCKED: { exit: 2, means: "images.lock.yaml has no digest for an image that the stack needs." },
  POLICY_VIOLATED: { exit: 2, means: "The rendered services break a hardening rule and no waiver covers it." },
  STACK_INVALID: { exit: 2, means: "A stack's files do not fit together, or are not those its id was made from." },
  STACK_REFUSED: { exit: 2, means: "The host's own policy refuses the stack." },
  VAULT_LOCKED: { exit: 1, means: "A vault was not encrypted for the identity that tries to open it." },
  CLOCK_WRONG: { exit: 1, means: "The clocks of the host and of the operator's machine are too far apart." },
  PORT_TAKEN: { exit: 1, means: "Another program on the host listens on a port that the stack needs." },
  PROVISION_FAILED: { exit: 1, means: "PostgreSQL refused to set up the database and its roles." },
  SERVICE_UNKNOWN: { exit: 2, means: "The stack has no service of that name." },
  HOST_UNSUPPORTED: { exit: 1, means: "The host's system is not one that bootstrap knows." },
  HOST_TAKEN: { exit: 1, means: "The host was bootstrapped for another stack." },
  POOL_TAKEN: { exit: 1, means: "The address range for Docker's networks overlaps with a network that the host reaches." },
  DISK_IN_USE: { exit: 1, means: "The data disk is absent, or holds something that bootstrap must not destroy." },
  PACKAGE_MISSING: { exit: 1, means: "A package that the host needs cannot be installed." },
  BOOTSTRAP_FAILED: { exit: 1, means: "A change of the host failed or did not take effect; bootstrap goes on from there when it is run again." },
  LOGIN_NOT_PROVEN: { exit: 1, means: "No new login succeeded after a change of sshd or the firewall; the change is undone." },
  SUDO_NEEDED: { exit: 4, means: "The admin account may not use sudo without a password." },
  NODE_RUNTIME_MISSING: { exit: 1, means: "This installation of millwright has no Node runtime for the host's processor." },
  TRAFFIC_INVALID: { exit: 1, means: "The routing table for the proxy cannot be made or written." },
  STATE_DAMAGED: { exit: 1, means: "A file in which the host keeps its state cannot be read." },
  DATABASE_FAILED: { exit: 1, means: "PostgreSQL failed a query that millwright needs." },
  ROLLBACK_IMPOSSIBLE: { exit: 2, means: "There is no release to go back to." },
  PLATFORM_DOWN: { exit: 1, means: "The stack's edge or database does not run; nothing was begun." },
  INTERRUPTED: { exit: 130, means: "The operator pressed Ctrl-C." },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly exit: number;
  readonly means: string;
}

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** What it failed on: a host, a file with line and column, a service. */
  readonly subject?: string;
  /** The next thing to type or to look at. */
  readonly hint?: string;
  /** More lines for the reader: last log lines, a list of what is wrong. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/** The one error class. `message` says what failed and why in one sentence. */
export class MillwrightError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "MillwrightError";
    this.code = code;
    this.subject = detail.subject;
    this.hint = detail.hint;
    this.details = detail.details ?? [];
  }

  get exit(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** An error of another class, such as a socket's, as ours, with its cause kept. */
export function asMillwrightError(error: unknown): MillwrightError {
  if (error instanceof MillwrightError) return error;
  return new MillwrightError("INTERNAL", redact(messageOf(error)), { cause: error });
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
