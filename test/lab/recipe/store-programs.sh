#!/bin/bash
# The programs of the template `stores` as a tar: two S3 servers and restic's own. Arguments: the tar, the lab's folder.
# Made in a throw-away Debian with sid's Go, which versitygw asks for. Mounts: the caller gives a mount namespace.
set -euo pipefail
out=$1 lab=$2 root=$2/tmp/store-programs
GO=1.26 VERSITYGW=v1.7.0 REST_SERVER=v0.14.0 MOTO=5.2.5 GUNICORN=27.0.1
rm -rf "$root"; mkdir -p "$root"; tar -C "$root" -xf "$lab/base.tar"
mount -t proc proc "$root/proc"
cp -L /etc/resolv.conf "$root/etc/"
sed -n '1s/ trixie / sid /p' "$root/etc/apt/sources.list" >"$root/etc/apt/sources.list.d/sid.list"
printf 'Package: *\nPin: release a=unstable\nPin-Priority: 100\n' >"$root/etc/apt/preferences.d/sid"
within() { chroot "$root" env DEBIAN_FRONTEND=noninteractive HOME=/root PATH="/usr/lib/go-$GO/bin:/usr/sbin:/usr/bin" "$@"; }
within apt-get -qy -o APT::Sandbox::User=root update
within apt-get -qy -o APT::Sandbox::User=root -o Dpkg::Options::=--force-unsafe-io --no-install-recommends install "golang-$GO-go" python3-pip

go_program() { # MODULE VERSION PACKAGE; the module first, as some proxies refuse to look for a package below it
  within mkdir -p /opt/stores/bin "/root/${1##*/}"
  within env -C "/root/${1##*/}" GOTOOLCHAIN=local GOFLAGS='-mod=mod -buildvcs=false' CGO_ENABLED=0 GOBIN=/opt/stores/bin sh -c \
    "go mod init x && go get $1@$2 && go install -trimpath -ldflags='-s -w' $3"
}
go_program github.com/versity/versitygw "$VERSITYGW" github.com/versity/versitygw/cmd/versitygw
go_program github.com/restic/rest-server "$REST_SERVER" github.com/restic/rest-server/cmd/rest-server
within python3 -m pip install -q --no-cache-dir --break-system-packages --target /opt/stores/python "moto[server]==$MOTO" "gunicorn==$GUNICORN"
tar -C "$root" -cf "$out.new" opt/stores
umount "$root/proc"; rm -rf "$root"
mv "$out.new" "$out"
