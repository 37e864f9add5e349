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
  HOST_UNREACHABLE: { exit: 4, means: "No connection to the host, or to a jump host on the way." },
  HOST_KEY_UNKNOWN: { exit: 4, means: "The host's key is not pinned yet." },
  HOST_KEY_CHANGED: { exit: 4, means: "The host shows another key than the pinned one." },
  LOGIN_REFUSED: { exit: 4, means: "The host refused the key or the account." },
  LINK_LOST: { exit: 4, means: "The connection broke while a verb was under way; what it started on the host goes on." },
  AGENT_MISSING: { exit: 4, means: "The host has no agent of this version." },
  LOCK_HELD: { exit: 5, means: "Another run is under way on this stack." },
  PLAN_STALE: { exit: 1, means: "The host has changed since the plan was made." },
  SERVICE_UNHEALTHY: { exit: 1, means: "A platform service did not become healthy; the previous stack was restored." },
  RELEASE_UNHEALTHY: { exit: 6, means: "The new release failed its judgement; the old one was kept or restored." },
  ABORTED: { exit: 6, means: "A person aborted the run; what it had done was undone." },
  UNDO_FAILED: { exit: 7, means: "Undoing a step failed; a person is needed." },
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
