import { MillwrightError } from "../../kernel/errors.ts";
import { fetchHostKey } from "../../remote/connect.ts";
import { fingerprint, knownHostsLine } from "../../site/host-key.ts";
import { parseKnownHosts } from "../../remote/known-hosts.ts";
import { describePlace, type SshTarget } from "../../remote/ssh-target.ts";
import { agreeToKey } from "../agree-to-key.ts";
import type { CliContext } from "../context.ts";
import { connectOptions, sshTarget } from "../host-link.ts";
import type { CommonOptions, Run } from "../program.ts";
import { readIfThere, writeDurable } from "../../kernel/durable-file.ts";
import { type EnvironmentOption, loadTarget, type Target } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly fingerprint?: string | undefined;
  readonly jumpFingerprint?: string | undefined;
}

interface Pinned {
  readonly host: string;
  readonly fingerprint: string;
  readonly added: boolean;
}

/** Pins the keys of the jump host and the host, in this order: the second is only reached through the first. */
export const hostTrustCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const whole = sshTarget(target.environment, target.environment.host.admin);
  const { jumpFingerprint } = options;
  if (whole.jump === undefined && jumpFingerprint !== undefined) {
    throw new MillwrightError("USAGE", `${describePlace(whole)} is reached without a jump host.`, {
      subject: "--jump-fingerprint",
      hint: "Leave the flag out, or state the jump host in site.yaml.",
    });
  }
  const pinned: Pinned[] = [];
  if (whole.jump !== undefined) pinned.push(await trust(whole.jump, target, { ...options, fingerprint: jumpFingerprint }, context, "--jump-fingerprint"));
  pinned.push(await trust(whole, target, options, context));
  const text = pinned.map(({ host, fingerprint: print, added }) => `${host}: ${print} ${added ? "is pinned now" : "was pinned already"}.`);
  return { data: { pinned }, text: text.join("\n") };
};

async function trust(to: SshTarget, target: Target, options: Options & CommonOptions, context: CliContext, flag?: "--jump-fingerprint"): Promise<Pinned> {
  const file = target.site.files.knownHosts;
  const host = describePlace(to);
  context.output.say(`Asking ${host} for its key …`);
  const key = await fetchHostKey(to, await connectOptions(target, options, context));
  const print = fingerprint(key);
  const text = (await readIfThere(file)) ?? "";
  const verdict = parseKnownHosts(text, file).check(to.address, to.port, key);
  if (verdict === "known") return { host, fingerprint: print, added: false };
  if (verdict === "changed" || verdict === "revoked") {
    throw new MillwrightError("HOST_KEY_CHANGED", `${host} shows a key that is not the pinned one (${print}).`, {
      subject: host,
      hint: `If the host was really made anew, remove its line from ${file} and run this again; else somebody is in between.`,
    });
  }
  await agreeToKey(host, key, options, context, flag);
  // Whole or not at all: half a line would keep every later connection from being judged.
  await writeDurable(file, `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${knownHostsLine(to.address, to.port, key)}\n`);
  return { host, fingerprint: print, added: true };
}
