#!/bin/bash
# A bare server in the folder $1 that can be any of the stores for backups; test/lab/store.py makes it one. $2 is the lab's folder.
set -euo pipefail
root=$1 lab=$2
mount -t proc proc "$root/proc"
cp -L /etc/resolv.conf "$root/etc/"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
apt() { DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -qy -o APT::Sandbox::User=root -o Dpkg::Options::=--force-unsafe-io --no-install-recommends "$@"; }
apt update
apt install python3
rm "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf"
tar -C "$root" -xf "$lab/store-programs.tar"

# One authority signs the certificates of all stores, for as long as the lab's folder lives
[ -e "$lab/ca.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj '/CN=Practice lab' \
  -addext keyUsage=critical,keyCertSign -keyout "$lab/ca.key" -out "$lab/ca.crt"
install -d -m 700 "$root/etc/store"
install -m 600 "$lab/ca.key" "$lab/ca.crt" "$root/etc/store/"
umount "$root/proc"
