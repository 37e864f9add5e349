#!/bin/bash
# Docker on a bare server in the folder $1, from the packages that wait in apt's cache.
set -euo pipefail
root=$1
mount -t proc proc "$root/proc"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -qy --no-install-recommends --no-download -o Dpkg::Options::=--force-unsafe-io \
  install docker.io docker-cli docker-compose docker-buildx iptables
rm "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/etc/docker"
echo '{"registry-mirrors": ["http://10.77.0.2:5000"], "insecure-registries": ["10.77.0.2:5000"]}' >"$root/etc/docker/daemon.json"
umount "$root/proc"
