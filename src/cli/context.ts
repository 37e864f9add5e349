import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Output } from "./output.ts";

/** Everything a command may use of the outside world; built once, replaced by tests. */
export interface CliContext {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly user: string;
  /** True when questions may be asked: stdin and stderr are terminals and neither --no-input nor CI is set. */
  readonly interactive: boolean;
  readonly output: Output;
  readonly clock: Clock;
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Where the operator's own keys live. */
  readonly configDirectory: string;
  /** Reads standard input to its end; undefined when it is a terminal. */
  readonly input: (() => Promise<string>) | undefined;
}

export function cliContext(output: Output, signal: AbortSignal, noInput: boolean): CliContext {
  const environment = process.env;
  const home = environment["HOME"] || homedir();
  return {
    directory: presentFolder(),
    environment,
    home,
    user: accountName(environment),
    interactive: isatty(0) && isatty(2) && !noInput && !environment["CI"],
    output,
    clock: systemClock,
    signal,
    configDirectory: join(environment["XDG_CONFIG_HOME"] || join(home, ".config"), "millwright"),
    // Standard input becomes a stream at the first look at it: not before a command wants it.
    input: isatty(0) ? undefined : async () => await (await import("node:stream/consumers")).text(process.stdin),
  };
}

/** The operator's name for records. In a container the account's number may have no name in the system. */
export function accountName(environment: CliContext["environment"], lookUp: () => string = () => userInfo().username): string {
  try {
    return lookUp();
  } catch {
    return environment["USER"] || environment["LOGNAME"] || "unknown";
  }
}

/** The folder that the shell is in, which somebody may have removed meanwhile. */
export function presentFolder(lookUp: () => string = () => process.cwd()): string {
  try {
    return lookUp();
  } catch (cause) {
    throw new MillwrightError("SITE_NOT_FOUND", "The folder that this shell is in does not exist any more.", { hint: "Change to a site's folder.", cause });
  }
}
