import { MillwrightError } from "../kernel/errors.ts";
import { fingerprint, hostKeyType } from "../site/host-key.ts";
import { confirm } from "./confirm.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";

interface Options extends CommonOptions {
  readonly fingerprint?: string | undefined;
}

/** The flag that gives a key's fingerprint: that of a host on the way has its own. */
type Flag = "--fingerprint" | "--jump-fingerprint";

/** Somebody compares the key that a host shows, or has given its fingerprint; throws when it is not the one. */
export async function agreeToKey(host: string, key: Buffer, options: Options, context: CliContext, flag: Flag = "--fingerprint"): Promise<void> {
  const print = fingerprint(key);
  if (options.fingerprint === undefined) {
    context.output.say(`${host} shows a ${hostKeyType(key)} key: ${print}`);
    context.output.say("Compare it with what the host's console says: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub");
    // --yes must not pin a key that nobody has looked at: only the flag does without a terminal.
    if (!context.interactive)
      throw new MillwrightError("ANSWER_MISSING", "Nobody is there to compare the host's key.", {
        subject: host,
        hint: `Pass ${flag} ${print} if that is right.`,
      });
    await confirm("Is it the same?", { ...options, yes: false }, context);
  } else if (options.fingerprint !== print) {
    throw new MillwrightError("HOST_KEY_CHANGED", `${host} shows ${print}, not the fingerprint given.`, {
      subject: host,
      hint: "Do not go on before you know why.",
    });
  }
}
