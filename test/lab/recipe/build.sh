# Sourced by `lab build`. Each part has a key, the hash of what it is made from; a part whose key is in $LAB/stamp is done.
# The result of an older recipe stays in use until the new one is complete.
MACHINE_PACKAGES=(ca-certificates debian-archive-keyring e2fsprogs iproute2 mmdebstrap nftables openssh-client procps unzip util-linux xfsprogs)
R=$here/recipe

key() { (cd "$R" && find "$@" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16); }
combine() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }
declare -A KEY
keys() {
  KEY[base]=$(key base.sh) bare=$(key bare.sh)
  KEY[bare]=$(combine "${KEY[base]}" "$bare") KEY[docker]=$(combine "${KEY[bare]}" "$(key docker.sh)")
  KEY[images]=$(combine "${KEY[base]}" "$(key images)") KEY[loaded]=$(combine "${KEY[docker]}" "${KEY[images]}" "$(key loaded.sh)")
  local system; for system in debian12 ubuntu; do
    KEY[base-$system]=$(combine "${KEY[base]}" "$system") KEY[$system]=$(combine "${KEY[base-$system]}" "$bare"); done
  KEY[store-programs]=$(combine "${KEY[base]}" "$(key store-programs.sh)") KEY[stores]=$(combine "${KEY[bare]}" "${KEY[store-programs]}" "$(key stores.sh)")
}
fresh() { [ "$(cat "$LAB/stamp/$1" 2>/dev/null)" = "${KEY[$1]}" ]; }
part() { # NAME COMMAND...
  local name=$1 t=$EPOCHREALTIME; shift
  if fresh "$name"; then return; fi
  say "$name …"
  # a failure inside must not be hidden by the `if` of a caller
  "$@" >"$LAB/log.$name" 2>&1 </dev/null || { tail -40 "$LAB/log.$name" >&2; die "$name failed: $LAB/log.$name"; }
  echo "${KEY[$name]}" >"$LAB/stamp/$name"
  say "$name $(((${EPOCHREALTIME/./} - ${t/./}) / 1000000)) s"
}

make() {
  case $1 in
    base) part base "$R/base.sh" "$LAB/base.tar" debian13;;
    bare) part bare inside "$self" _bake bare bare;;
    docker) part docker inside "$self" _bake docker docker bare;;
    images) part images "$R/images/build.sh" "$self" "$LAB";;
    loaded) part loaded "$R/loaded.sh" "$self" "$LAB";;
    base-*) part "$1" "$R/base.sh" "$LAB/$1.tar" "${1#base-}";;
    debian12|ubuntu) part "$1" inside "$self" _bake "$1" bare;;
    store-programs) part "$1" unshare --mount --propagation private "$R/store-programs.sh" "$LAB/$1.tar" "$LAB";;
    stores) part "$1" inside "$self" _bake stores stores bare;;
  esac
}
cmd_build() { # [templates | debian12 | ubuntu | stores]
  [ "$(id -u)" = 0 ] || die "needs root"
  local wanted p missing=
  case ${1:-} in
    '') wanted=(base bare docker images loaded);;
    templates) wanted=(base bare docker);;
    debian12|ubuntu) wanted=("base-$1" "$1");;  # for the tests that name them; nothing else is made from these
    stores) wanted=(base bare store-programs stores);;
    *) die "build: what is $1?";;
  esac
  mkdir -p "$LAB"/{stamp,mnt,tmp,registry/data,host}
  [ -e "$LAB/pool.img" ] || rm -f "$LAB"/stamp/{bare,docker,images,loaded,debian12,ubuntu,stores}
  keys; KEY[machine]=$(combine "${MACHINE_PACKAGES[@]}") KEY[registry]=1
  for p in "${wanted[@]}"; do fresh "$p" || missing=yes; done
  [ -n "$missing" ] || return 0
  exec 7>"$LAB/build.lock"; flock 7
  local t=$SECONDS
  owner=$$; export LAB_OWNER=$$
  part machine "$self" _machine
  part registry "$self" _registry
  [ -e "$LAB/pool.img" ] || { truncate -s 100G "$LAB/pool.img.new"; mkfs.xfs -q -m reflink=1 "$LAB/pool.img.new"; mv "$LAB/pool.img.new" "$LAB/pool.img"; }
  [ -e "$LAB/key" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/key"
  need
  for p in "${wanted[@]}"; do make "$p"; done
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
