# Sourced by `lab build`. Each part has a key, the hash of what it is made from; a part whose key is in $LAB/stamp is done.
# The result of an older recipe stays in use until the new one is complete.
MACHINE_PACKAGES=(ca-certificates debian-archive-keyring e2fsprogs iproute2 mmdebstrap nftables openssh-client procps unzip util-linux xfsprogs)
R=$here/recipe

key() { (cd "$R" && find "$@" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16); }
combine() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }
keys() {
  BASE=$(key base.sh) BARE=$(combine "$BASE" "$(key bare.sh)") DOCKER=$(combine "$BARE" "$(key docker.sh)")
  IMAGES=$(combine "$BASE" "$(key images)") LOADED=$(combine "$DOCKER" "$IMAGES" "$(key loaded.sh)")
}
fresh() { [ "$(cat "$LAB/stamp/$1" 2>/dev/null)" = "$2" ]; }
part() { # NAME KEY COMMAND...
  local name=$1 k=$2 t=$EPOCHREALTIME; shift 2
  if fresh "$name" "$k"; then return; fi
  say "$name …"
  # a failure inside must not be hidden by the `if` of a caller
  "$@" >"$LAB/log.$name" 2>&1 </dev/null || { tail -40 "$LAB/log.$name" >&2; die "$name failed: $LAB/log.$name"; }
  echo "$k" >"$LAB/stamp/$name"
  say "$name $(((${EPOCHREALTIME/./} - ${t/./}) / 1000000)) s"
}

cmd_build() {
  [ "$(id -u)" = 0 ] || die "needs root"
  mkdir -p "$LAB"/{stamp,mnt,tmp,registry/data,host}
  [ -e "$LAB/pool.img" ] || rm -f "$LAB"/stamp/{bare,docker,images,loaded}
  keys
  if fresh base "$BASE" && fresh bare "$BARE" && fresh docker "$DOCKER" && fresh images "$IMAGES" && fresh loaded "$LOADED"; then return; fi
  exec 7>"$LAB/build.lock"; flock 7
  local t=$SECONDS
  owner=$$; export LAB_OWNER=$$
  part machine "$(combine "${MACHINE_PACKAGES[@]}")" "$self" _machine
  part registry 1 "$self" _registry
  [ -e "$LAB/pool.img" ] || { truncate -s 100G "$LAB/pool.img.new"; mkfs.xfs -q -m reflink=1 "$LAB/pool.img.new"; mv "$LAB/pool.img.new" "$LAB/pool.img"; }
  [ -e "$LAB/key" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/key"
  need
  part base "$BASE" "$R/base.sh" "$LAB/base.tar"
  part bare "$BARE" inside "$self" _bake bare
  part docker "$DOCKER" inside "$self" _bake docker bare
  if [ "${1:-}" != templates ]; then
    part images "$IMAGES" "$R/images/build.sh" "$self" "$LAB"
    part loaded "$LOADED" "$R/loaded.sh" "$self" "$LAB"
  fi
  say "all done in $((SECONDS - t)) s"
  cmd_release
}

cmd__machine() {
  local p missing=()
  for p in "${MACHINE_PACKAGES[@]}"; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p"); done
  python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
  apt-get update -q
  [ ${#missing[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
}
cmd__registry() { # unpacked, not installed: the package would start a service on the machine
  cd "$LAB/tmp"; rm -rf registry docker-registry_*; apt-get download -o APT::Sandbox::User=root docker-registry
  dpkg-deb -x docker-registry_*.deb registry; mv registry/usr/bin/docker-registry "$LAB/registry/"; rm -rf registry docker-registry_*
  cat >"$LAB/registry/config.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $LAB/registry/data}, delete: {enabled: true}}
http: {addr: "10.77.0.2:5000"}
YAML
}
