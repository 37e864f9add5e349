#!/bin/bash
# A bare server in the folder $1: systemd, sshd and the account `admin` with sudo. Key: $2/key.pub.
# The third argument, the template's name, says whose minimal system it starts from.
set -euo pipefail
root=$1 lab=$2 template=$3
INSTALLED=(systemd systemd-sysv libpam-systemd dbus openssh-server sudo iproute2 iputils-ping nftables curl xfsprogs procps kmod less netbase
  python3-minimal cron-daemon-common libfaketime)
# These wait in apt's cache, so that installing them needs no network
WAITING=(iptables chrony unattended-upgrades auditd fail2ban ufw age rsync jq zstd acl)

[ "$template" != bare ] && base=$lab/base-$template.tar || base=$lab/base.tar
tar -C "$root" -xf "$base"
case $(. "$root/etc/os-release"; echo "$ID $VERSION_ID") in
  # what Ubuntu's server images bring along and bootstrap gets to deal with
  ubuntu*) INSTALLED+=(apparmor needrestart systemd-timesyncd ufw unattended-upgrades) WAITING+=(docker.io docker-compose-v2 docker-buildx);;
  'debian 12') WAITING=();;  # its Docker is too old
  *) WAITING=(docker.io docker-cli docker-compose docker-buildx "${WAITING[@]}");;
esac
mount -t proc proc "$root/proc"; mount -t devpts devpts "$root/dev/pts" 2>/dev/null || true
cp -L /etc/resolv.conf "$root/etc/"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
apt() { DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -qy -o APT::Sandbox::User=root --no-install-recommends "$@"; }
apt update
apt install "${INSTALLED[@]}"
apt clean
[ ${#WAITING[@]} = 0 ] || apt --download-only install "${WAITING[@]}"
rm "$root/usr/sbin/policy-rc.d"

chroot "$root" useradd -m -s /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD:ALL' >"$root/etc/sudoers.d/admin"
for h in /root /home/admin; do install -d -m 700 "$root$h/.ssh"; install -m 600 "$lab/key.pub" "$root$h/.ssh/authorized_keys"; done
chroot "$root" chown -R admin: /home/admin/.ssh
rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/resolv.conf; : >"$root/etc/machine-id"
echo LANG=C.UTF-8 >"$root/etc/default/locale"
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
for u in apt-daily.timer apt-daily-upgrade.timer sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount; do
  ln -sf /dev/null "$root/etc/systemd/system/$u"; done

# systemd skips the devices of fstab where /sys is read-only and no udev runs; here they are real all the same
install -D -m 755 /dev/stdin "$root/usr/lib/systemd/system-generators/lab-fstab" <<'SH'
#!/bin/sh
while read -r what where type options _; do
  case $what in
    UUID=*|LABEL=*) what=$(blkid -o device -t "$(echo "$what" | tr -d '"')" /dev/vdb) || continue;;
    /dev/*) ;;
    *) continue;;
  esac
  case $where in /?*) ;; *) continue;; esac
  unit=$(systemd-escape -p --suffix=mount "$where")
  printf '[Unit]\nSourcePath=/etc/fstab\nBefore=local-fs.target\n[Mount]\nWhat=%s\nWhere=%s\nType=%s\nOptions=%s\n' "$what" "$where" "$type" "$options" >"$1/$unit"
  mkdir -p "$1/local-fs.target.wants"; ln -s "../$unit" "$1/local-fs.target.wants/$unit"
done </etc/fstab
SH
umount "$root/dev/pts" 2>/dev/null || true; umount "$root/proc"
