import { MillwrightError } from "../kernel/errors.ts";
import { isVerb, readArguments } from "./arguments.ts";
import { type Verb, VERBS } from "./protocol.ts";

export interface GateCommand {
  readonly verb: Verb;
  readonly words: readonly string[];
}

const LONGEST = 512;
const COMMAND = /^millwright\/(?<version>[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(?:-[0-9a-z.]{1,40})?)(?<rest>(?: [!-~]+)+)$/;

/**
 * What may come in with the deploy key: `millwright/<version> <verb> <argument…>`, printable ASCII, single spaces, and each argument by its
 * own pattern. Pure; the result is never given to a shell. Throws GATE_REFUSED, or AGENT_VERSION when the two sides are of different
 * minor versions (checked first: a newer operator side has verbs that this gate does not know).
 */
export function parseGateCommand(command: string | undefined, agentVersion: string): GateCommand {
  if (command === undefined || command === "") {
    throw new MillwrightError("GATE_REFUSED", "This key runs millwright's verbs only; it opens no shell.", { hint: "Use the millwright command line." });
  }
  const match = command.length > LONGEST ? null : COMMAND.exec(command);
  const { version, rest } = match?.groups ?? {};
  if (version === undefined || rest === undefined) {
    throw new MillwrightError("GATE_REFUSED", "This key runs millwright's verbs only, and the command is not one.", {
      hint: "Use the millwright command line.",
    });
  }
  if (minorOf(version) !== minorOf(agentVersion)) {
    throw new MillwrightError("AGENT_VERSION", `The host's agent is ${agentVersion}; this millwright is ${version}.`, {
      hint: "Bring the agent up to date with `millwright host bootstrap`, or use the host's version of millwright.",
    });
  }
  const [verb = "", ...words] = rest.slice(1).split(" ");
  if (!isVerb(verb)) throw new MillwrightError("GATE_REFUSED", "The command is not one of millwright's verbs.");
  readArguments(verb, words);
  return { verb, words };
}

/** A key reaches the stack that bootstrap made this host for, and no other: under another name it would get folders, a lock and tags of its own. */
export function refuseOtherStack({ verb, words }: GateCommand, hostStack: string | undefined): void {
  const names: readonly string[] = VERBS[verb].arguments;
  const stack = words[names.indexOf("stack")];
  if (stack === undefined || stack === hostStack) return;
  throw new MillwrightError("GATE_REFUSED", hostStack === undefined ? "This host is for no stack yet." : `This host is for the stack ${hostStack}.`, {
    subject: stack,
    hint: hostStack === undefined ? "Set it up with `millwright host bootstrap`." : "Check the site's name and this environment's host.address in site.yaml.",
  });
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

/** Names the caller for the journal: whose key it was, and where it came from by sshd's SSH_CONNECTION. */
export function callerName(key: string, sshConnection: string | undefined): string {
  if (!/^[a-z0-9][a-z0-9@._-]{0,63}$/.test(key)) {
    throw new MillwrightError("GATE_REFUSED", "The key's line in authorized_keys gives it no proper name.", {
      hint: "Put it right with `millwright host bootstrap`.",
    });
  }
  const address = /^[0-9a-fA-F.:%a-z]{2,64}(?= )/.exec(sshConnection ?? "")?.[0];
  return address === undefined ? key : `${key} (${address})`;
}
