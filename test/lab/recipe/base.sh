#!/bin/bash
# A minimal system as a tar: the ground of hosts and, with Debian 13, of images. Arguments: the tar, then debian13, debian12 or ubuntu.
# Debian's mirrors are those the machine itself uses.
set -euo pipefail
out=$1 system=${2:-debian13}
export TMPDIR=${out%/*}/tmp
uri() { apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$1 //p" | head -1; }
debian=$(uri Debian) security=$(uri Debian-Security)
[ -n "$debian" ] || { echo "no Debian mirror among apt's sources" >&2; exit 1; }

of_debian() { # SUITE
  local signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
  suite=$1 keyring=debian-archive-keyring options=()
  sources=$(printf 'deb %s %s %s main\n' "$signed" "$debian" "$1" "$signed" "$debian" "$1-updates" ${security:+"$signed" "$security" "$1-security"})
}
of_ubuntu() { # SUITE
  local archive=http://archive.ubuntu.com/ubuntu keys=$TMPDIR/ubuntu-keys
  rm -rf "$keys"; mkdir -p "$keys"; ubuntu_keys "$keys"
  suite=$1 keyring=ubuntu-keyring options=(--keyring="$keys/usr/share/keyrings/ubuntu-archive-keyring.gpg")
  sources=$(printf 'deb %s %s main universe\n' "$archive" "$1" "$archive" "$1-updates" http://security.ubuntu.com/ubuntu "$1-security")
}
ubuntu_keys() ( # Ubuntu's keys, as Debian signs them; Debian 12 has not got the package
  cd "$1"; mkdir -p lists/partial cache
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian trixie main" >sources
  apt=(apt-get -q -o Dir::Etc::sourcelist="$1/sources" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$1/lists" -o Dir::Cache="$1/cache"
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false)
  "${apt[@]}" update; "${apt[@]}" download ubuntu-keyring
  dpkg-deb -x ubuntu-keyring_*.deb .
)
case $system in
  debian13) of_debian trixie;; debian12) of_debian bookworm;; ubuntu) of_ubuntu noble;;
  *) echo "what is $system?" >&2; exit 1;;
esac

exclude=(); for d in doc man locale info lintian; do exclude+=(--dpkgopt="path-exclude=/usr/share/$d/*"); done
mmdebstrap <<<"$sources" --format=tar --mode=root --variant=minbase "${options[@]}" "${exclude[@]}" --dpkgopt=force-unsafe-io \
  --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
  --include="apt,ca-certificates,$keyring" \
  --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null && chroot "$1" update-ca-certificates || true' \
  --customize-hook='apt-config dump | grep -E "^Acquire::(https?|ftp)::Proxy" >"$1/etc/apt/apt.conf.d/80proxy" || rm "$1/etc/apt/apt.conf.d/80proxy"' \
  --customize-hook='rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/* "$1"/var/cache/ldconfig/*' \
  "$suite" "$out.new" -
mv "$out.new" "$out"
rm -rf "$TMPDIR/ubuntu-keys"
