#!/bin/sh
# The files' half of a standby: what is new in the offsite repository is laid into the filestore. Only by --no-lock: any other command of files.sh
# would take away the locks of the host that writes there.
#   serve      for as long as it runs
#   now        once, and of when they are then
#   followed   of when the files are; nothing before they are all there
set -eu
umask 027

LOOK_SECONDS=20
ANSWER_SECONDS=120
# The first time it is all of them.
LAY_SECONDS=43200

offsite() { /bin/sh /opt/millwright/files.sh offsite "$@"; }

# Names are hashes of the content, so what is there already is good; what was cut off has another size or time, and is mended.
lay_newest() {
  listed=$(offsite "$ANSWER_SECONDS" --no-lock --json snapshots --latest 1 --host "$STACK" --path "$FILES") || return 1
  id=$(printf '%s' "$listed" | sed -n 's/.*"short_id":"\([0-9a-f]*\)".*/\1/p')
  at=$(printf '%s' "$listed" | sed -n 's/.*"time":"\([0-9T:-]*\)[^"]*".*/\1Z/p')
  [ -n "$id" ] && [ -n "$at" ] || return 1
  [ "$id" != "$(cat /tmp/followed-id 2> /dev/null)" ] || return 0
  offsite "$LAY_SECONDS" --no-lock --quiet restore "$id:/data" --target /data --overwrite if-changed || return 1
  echo "$at" > /tmp/followed
  echo "$id" > /tmp/followed-id
}

# The mark is where `files.sh trouble` looks for it.
failed() {
  [ -e /tmp/offsite-failed ] || touch /tmp/offsite-failed
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) the newest files could not be fetched"
}

# A trap runs only between commands: the sleep goes on in the background, so that a stop is at once.
wait_for() {
  sleep "$1" &
  wait $!
}

serve() {
  trap 'exit 0' TERM INT
  while true; do
    if lay_newest; then rm -f /tmp/offsite-failed; else failed; fi
    wait_for "$LOOK_SECONDS"
  done
}

case "$1" in
  serve) serve ;;
  now) lay_newest && cat /tmp/followed ;;
  followed) [ ! -e /tmp/followed ] || cat /tmp/followed ;;
  *) echo "usage: follow.sh serve|now|followed" >&2; exit 2 ;;
esac
