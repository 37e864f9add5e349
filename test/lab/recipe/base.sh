#!/bin/bash
# Debian 13, minimal, as a tar: the ground of hosts and of images alike. The mirrors are those the machine itself uses.
set -euo pipefail
out=$1
uri() { apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$1 //p" | head -1; }
debian=$(uri Debian) security=$(uri Debian-Security)
[ -n "$debian" ] || { echo "no Debian mirror among apt's sources" >&2; exit 1; }
exclude=(); for d in doc man locale info lintian; do exclude+=(--dpkgopt="path-exclude=/usr/share/$d/*"); done
export TMPDIR=${out%/*}/tmp
signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
printf 'deb %s %s %s main\n' "$signed" "$debian" trixie "$signed" "$debian" trixie-updates ${security:+"$signed" "$security" trixie-security} |
  mmdebstrap --format=tar --mode=root --variant=minbase "${exclude[@]}" --dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --include=ca-certificates,debian-archive-keyring \
    --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null && chroot "$1" update-ca-certificates || true' \
    --customize-hook='apt-config dump | grep -E "^Acquire::(https?|ftp)::Proxy" >"$1/etc/apt/apt.conf.d/80proxy" || rm "$1/etc/apt/apt.conf.d/80proxy"' \
    --customize-hook='rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/* "$1"/var/cache/ldconfig/*' \
    trixie "$out.new" -
mv "$out.new" "$out"
