import type { Resource } from "../resource.ts";
import type { DeployKey, WantedHost } from "../wanted.ts";

export const ADMIN_GROUP = "ssh-admin";
export const DEPLOY_GROUP = "ssh-deploy";
export const AUTHORIZED_KEYS = "/etc/ssh/authorized_keys";
const AGENT = "/opt/millwright/bin/agent";

/** The deploy account: no password, no group but its own and sshd's, and one command a key, as root. */
export function accountResources(wanted: WantedHost): readonly Resource[] {
  const { admin, deploy, deployKeys } = wanted;
  return [
    { group: "accounts", kind: "group", name: ADMIN_GROUP },
    { group: "accounts", kind: "group", name: DEPLOY_GROUP },
    { group: "accounts", kind: "membership", account: admin, groups: [ADMIN_GROUP], only: false },
    { group: "accounts", kind: "directory", path: "/var/lib/millwright", mode: 0o755 },
    { group: "accounts", kind: "account", name: deploy, home: "/var/lib/millwright", shell: "/bin/sh" },
    { group: "accounts", kind: "membership", account: deploy, groups: [DEPLOY_GROUP], only: true },
    { group: "accounts", kind: "directory", path: AUTHORIZED_KEYS, mode: 0o755 },
    { group: "accounts", kind: "file", path: `${AUTHORIZED_KEYS}/${deploy}`, mode: 0o644, content: deployKeys.map(authorizedKey).join("") },
    { group: "accounts", kind: "file", path: "/etc/sudoers.d/millwright", mode: 0o440, content: sudoers(wanted), validate: ["visudo", "-c", "-q", "-f", "{}"] },
    { group: "accounts", kind: "rights", account: deploy, commands: deployKeys.map(gateCommand) },
  ];
}

function gateCommand({ name }: DeployKey): string {
  return `${AGENT} gate --key ${name}`;
}

export function authorizedKey(key: DeployKey): string {
  return `restrict,command="sudo -n ${gateCommand(key)}" ${key.key} ${key.name}\n`;
}

/** One exact line a key: a wildcard in sudoers would let the account choose the words. */
export function sudoers({ deploy, deployKeys }: WantedHost): string {
  return `# Managed by millwright: \`millwright host bootstrap\` puts it back.
# Verbs carry archives on standard input and output: a terminal between would change their bytes.
Defaults!${AGENT} env_reset, !use_pty, !requiretty, env_keep += "SSH_ORIGINAL_COMMAND SSH_CONNECTION"
${deployKeys.map((key) => `${deploy} ALL=(root) NOPASSWD: ${gateCommand(key)}\n`).join("")}`;
}
