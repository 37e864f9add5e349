import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../kernel/clock.ts";
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
}

export function buildContext(output: Output, signal: AbortSignal, noInput: boolean): CliContext {
  const environment = process.env;
  const home = homedir();
  return {
    directory: process.cwd(),
    environment,
    home,
    user: userInfo().username,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true && !noInput && !environment["CI"],
    output,
    clock: systemClock,
    signal,
    configDirectory: join(environment["XDG_CONFIG_HOME"] || join(home, ".config"), "millwright"),
  };
}
