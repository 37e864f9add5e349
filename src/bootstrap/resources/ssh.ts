import type { HostFacts } from "../host-facts.ts";
import type { Resource } from "../resource.ts";
import type { WantedHost } from "../wanted.ts";
import { SSH_FILE } from "../guard-files.ts";
import { ADMIN_GROUP, AUTHORIZED_KEYS, DEPLOY_GROUP } from "./accounts.ts";

// The first is preferred. curve25519 stays: our own SSH library, like PuTTY before 0.78, knows no post-quantum exchange.
const KEX = ["mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org"];
const CIPHERS = ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-gcm@openssh.com", "aes128-ctr"];
const MACS = ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "umac-128-etm@openssh.com"];

export function sshResources(wanted: WantedHost, facts: HostFacts): readonly Resource[] {
  const judged = (user: string): readonly string[] => ["sshd", "-T", "-C", `user=${user},host=localhost,addr=127.0.0.1`];
  return [
    {
      group: "ssh",
      kind: "file",
      path: SSH_FILE,
      mode: 0o644,
      content: sshdDropIn(wanted, facts),
      validate: ["sshd", "-t", "-f", "{}"],
      triggers: ["ssh-reload"],
      guarded: true,
    },
    {
      group: "ssh",
      kind: "live",
      title: "sshd takes these settings (a line before its Include of sshd_config.d would win)",
      look: judged(wanted.admin),
      lines: [
        "permitrootlogin no",
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "authenticationmethods publickey",
        "allowtcpforwarding no",
        `allowgroups ${ADMIN_GROUP}`,
        `allowgroups ${DEPLOY_GROUP}`,
      ],
    },
    {
      group: "ssh",
      kind: "live",
      title: "sshd takes the deploy keys from a folder of root's only",
      look: judged(wanted.deploy),
      lines: [`authorizedkeysfile ${AUTHORIZED_KEYS}/%u`],
    },
    {
      group: "ssh",
      kind: "action",
      name: "ssh-reload",
      title: "let sshd read its settings again; open connections stay",
      words: [
        ["sshd", "-t"],
        ["systemctl", "try-reload-or-restart", "ssh.service"],
      ],
    },
  ];
}

export function sshdDropIn(wanted: WantedHost, facts: HostFacts): string {
  const known = (names: readonly string[], there: readonly string[]): string => names.filter((name) => there.includes(name)).join(",");
  const list = (keyword: string, value: string): readonly string[] => (value === "" ? [] : [`${keyword} ${value}`]);
  return [
    "# Managed by millwright: `millwright host bootstrap` puts it back. sshd takes the first value it reads.",
    "PermitRootLogin no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "AuthenticationMethods publickey",
    `AllowGroups ${ADMIN_GROUP} ${DEPLOY_GROUP}`,
    "MaxAuthTries 3",
    "MaxSessions 4",
    "LoginGraceTime 30",
    "MaxStartups 10:30:60",
    "PerSourceMaxStartups 4",
    "X11Forwarding no",
    "AllowAgentForwarding no",
    "AllowTcpForwarding no",
    "AllowStreamLocalForwarding no",
    "PermitTunnel no",
    "GatewayPorts no",
    "PermitUserEnvironment no",
    "LogLevel VERBOSE",
    "ClientAliveInterval 300",
    "ClientAliveCountMax 2",
    "Compression no",
    ...facts.ssh.hostKeys.map((key) => `HostKey ${key}`),
    "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
    ...list("KexAlgorithms", known(KEX, facts.ssh.kex)),
    ...list("Ciphers", known(CIPHERS, facts.ssh.ciphers)),
    ...list("MACs", known(MACS, facts.ssh.macs)),
    `Match User ${wanted.deploy}`,
    `  AuthorizedKeysFile ${AUTHORIZED_KEYS}/%u`,
    "  PermitTTY no",
    "",
  ].join("\n");
}
