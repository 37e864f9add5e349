/** Where packages lie that an image has on top of its base: their programs in `bin`, first in the PATH, and all else in `root`. */
export const PACKAGES_PATH = "/opt/millwright/packages";

/**
 * Run in a container of the base, with packages as its arguments. What they need beyond what the base has is unpacked into a folder of its
 * own: no package's scripts run, and nothing of the base is touched. It runs as root without capabilities, who cannot write where apt's own
 * account does, so apt gets other folders too.
 *
 * Part of each derived image's name: whatever changes here gives all of them new ones.
 */
export const PACKAGE_SCRIPT = `
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
umask 022
work=$(mktemp -d)
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root" ${PACKAGES_PATH}/bin
apt() {
  apt-get -q -o APT::Sandbox::User=root -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Acquire::Retries=3 "$@"
}
apt update
apt install -y --no-install-recommends --download-only -- "$@"

programs=
for deb in "$work"/cache/archives/*.deb; do
  [ -e "$deb" ] || continue
  dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner -C "$work/root" \\
    --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/info --exclude=./usr/share/locale --exclude=./usr/share/lintian
  case " $* " in
    *" $(dpkg-deb -f "$deb" Package) "*)
      programs="$programs $(dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n 's#^\\./\\(\\(usr/\\)\\?s\\?bin/[^/]\\+\\)$#\\1#p')";;
  esac
done

# A layer of ours holds plain files and folders only
find "$work/root" -type l | while read -r link; do
  file=$(readlink -f "$link" || true)
  case $file in "$work/root"/*) ;; *) file=;; esac
  if [ -f "$file" ]; then cp --remove-destination "$file" "$link"; else rm "$link"; fi
done
cp -r "$work/root" ${PACKAGES_PATH}/

libraries=$(find ${PACKAGES_PATH}/root -maxdepth 3 -type d -path '*/lib/*-linux-gnu*' | sort | paste -sd :)
for program in $programs; do
  file=${PACKAGES_PATH}/root/$program name=$(basename "$program") path=
  if ldd "$file" 2>&1 | grep -q 'not found'; then
    path=$libraries
    if LD_LIBRARY_PATH=$path ldd "$file" 2>&1 | grep 'not found'; then echo "E: $name lacks a library"; exit 1; fi
  fi
  # Under its own name the program calls itself, and has itself called, by the way through here
  {
    echo '#!/bin/bash'
    [ -z "$path" ] || echo "export LD_LIBRARY_PATH=$path"
    echo "exec -a \\"\\$0\\" $file \\"\\$@\\""
  } >${PACKAGES_PATH}/bin/"$name"
  chmod 755 ${PACKAGES_PATH}/bin/"$name"
done
`;
