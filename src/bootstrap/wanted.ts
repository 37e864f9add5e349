import * as z from "zod";
import { waiverSchema } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { VERSION } from "../kernel/version.ts";
import type { Environment } from "../site/environment.ts";
import { accountName, addressRange, publishAddress } from "../site/site-values.ts";

const KEY_TYPES = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)$/;

export const deployKeySchema = z.strictObject({
  /** Who holds the key: goes into the journal with all that is done with it. */
  name: z.string().regex(/^[a-z0-9][a-z0-9@._-]{0,40}$/),
  /** Type and base64 of an OpenSSH public key, without a comment. */
  key: z.string().refine(isPublicKey, "must be an OpenSSH public key, such as `ssh-ed25519 AAAA…`"),
});

/** The host as it shall be: everything bootstrap needs to know, and nothing secret. */
export const wantedHostSchema = z.strictObject({
  version: z.literal(1),
  agent: z.string().regex(/^[0-9A-Za-z.-]+$/),
  stack: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/),
  admin: accountName,
  deploy: accountName,
  deployKeys: z.array(deployKeySchema).min(1),
  firewall: z.strictObject({
    /** Ranges that may reach sshd, and ports 80 and 443; empty means everybody. */
    ssh: z.array(addressRange),
    web: z.array(addressRange),
    /** Port 80 stays open to everybody for the certificate authority's HTTP challenge. */
    challenge: z.boolean(),
    /** The other one of two hosts, which may reach the database's port: either may have to follow the other. */
    peer: publishAddress.optional(),
  }),
  listen: publishAddress,
  docker: z.strictObject({
    source: z.enum(["distribution", "docker"]),
    mirrors: z.array(z.string()),
    pool: addressRange,
  }),
  dataDisk: z.string().startsWith("/dev/").optional(),
  /** Policy rules that stacks on this host may set aside: who deploys cannot add to them. */
  waivers: z.array(waiverSchema).default([]),
  /** How long a change of sshd or the firewall lives without a new login confirming it. */
  guardSeconds: z.int().min(10).max(600),
});

export type WantedHost = z.infer<typeof wantedHostSchema>;
export type DeployKey = z.infer<typeof deployKeySchema>;

export interface WantedOptions {
  readonly deployKeys: readonly DeployKey[];
  readonly guardSeconds?: number;
}

export function wantedHost(environment: Environment, options: WantedOptions): WantedHost {
  const { host } = environment;
  const peer = environment.follows ?? environment.standby?.address;
  if (host.admin === "root") {
    throw new MillwrightError("SITE_INVALID", "The admin account is root, and bootstrap closes sshd to root.", {
      subject: "host.admin",
      hint: "Make an account with sudo on the host, and name it as host.admin in site.yaml.",
    });
  }
  if (host.admin === host.deploy) {
    throw new MillwrightError("SITE_INVALID", `The admin and the deploy account are both \`${host.admin}\`: the deploy account must not have sudo.`, {
      subject: "host.deploy",
      hint: "Choose another name for host.deploy in site.yaml.",
    });
  }
  const names = options.deployKeys.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new MillwrightError("SITE_INVALID", `Two deploy keys are named \`${twice}\`: a name says in the journal who did what.`, {
      subject: "deploy keys",
      hint: "Change the last word of one of the .pub files: it is the name.",
    });
  }
  const parsed = wantedHostSchema.safeParse({
    version: 1,
    agent: VERSION,
    stack: environment.stack,
    admin: host.admin,
    deploy: host.deploy,
    deployKeys: options.deployKeys.map(({ name, key }) => ({ name, key: key.trim().split(/\s+/).slice(0, 2).join(" ") })),
    firewall: {
      ssh: [...environment.firewall.ssh],
      web: [...environment.firewall.web],
      challenge: environment.certificate.kind === "acme",
      ...(peer === undefined ? {} : { peer }),
    },
    listen: host.listen,
    docker: { source: environment.docker.source, mirrors: [...environment.docker.mirrors], pool: environment.docker.pool },
    ...(environment.dataDisk === undefined ? {} : { dataDisk: environment.dataDisk }),
    waivers: environment.waivers.map(({ rule, service, reason }) => ({ rule, service, reason })),
    guardSeconds: options.guardSeconds ?? 120,
  });
  if (!parsed.success) {
    throw new MillwrightError("SITE_INVALID", "The wanted host breaks a rule.", {
      details: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    });
  }
  return parsed.data;
}

/** The blob of a public key begins with the length and the name of its type: what it says must be what is written before it. */
function isPublicKey(key: string): boolean {
  const [type = "", blob = "", rest] = key.split(" ");
  if (rest !== undefined || !KEY_TYPES.test(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return false;
  const bytes = Buffer.from(blob, "base64");
  return bytes.length > 32 && bytes.readUInt32BE(0) === type.length && bytes.subarray(4, 4 + type.length).toString() === type;
}
