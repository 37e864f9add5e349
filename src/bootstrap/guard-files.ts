export const SSH_FILE = "/etc/ssh/sshd_config.d/00-millwright.conf";
export const FIREWALL_FILE = "/etc/millwright/firewall.nft";
export const GUARD = "/var/lib/millwright/guard";
export const ROLLBACK_UNIT = "millwright-rollback.service";
const SCRIPT = "/opt/millwright/bin/rollback";

/** What a guarded change is made of, by the name of its copy in the guard's folder. */
export const GUARDED_FILES = { sshd: SSH_FILE, firewall: FIREWALL_FILE } as const;

/**
 * The dead man's switch of a change of sshd or the firewall: `guard.ts` lays copies of the files as they were into `pending`, and a timer,
 * or the next boot, puts them back unless a new login has removed the folder. A shell script: it must work when the agent does not.
 */
export const GUARD_FILES: readonly { readonly path: string; readonly content: string; readonly mode: number }[] = [
  {
    path: SCRIPT,
    mode: 0o755,
    content: `#!/bin/sh
# Managed by millwright. Puts back what was there before a change of sshd or the firewall that no new login confirmed.
set -u
guard=${GUARD}
old=$guard/rolling
# Whoever renames the folder first has it: this script, or a confirmation.
[ -d "$old" ] || mv -T "$guard/pending" "$old" || exit 0
put_back() {
  if [ -e "$old/$1" ]; then cp -p "$old/$1" "$2.rollback" && mv -f "$2.rollback" "$2"; else rm -f "$2"; fi
}
${Object.entries(GUARDED_FILES)
  .map(([name, path]) => `put_back ${name} ${path}`)
  .join("\n")}
sync
if [ -e ${FIREWALL_FILE} ] && nft -f ${FIREWALL_FILE}; then :; else nft delete table inet millwright 2>/dev/null; fi
sshd -t && systemctl --no-block try-reload-or-restart ssh.service
rm -rf "$guard/rolled-back"
mv -T "$old" "$guard/rolled-back"
`,
  },
  {
    path: `/etc/systemd/system/${ROLLBACK_UNIT}`,
    mode: 0o644,
    content: `# Managed by millwright: \`millwright host bootstrap\` puts it back.
[Unit]
Description=put back sshd and firewall settings that no new login confirmed
DefaultDependencies=no
ConditionPathExists=|${GUARD}/pending
ConditionPathExists=|${GUARD}/rolling
RequiresMountsFor=${GUARD} /etc /opt/millwright/bin
After=local-fs.target
Before=network-pre.target ssh.service ssh.socket shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=${SCRIPT}

[Install]
WantedBy=multi-user.target
`,
  },
];
