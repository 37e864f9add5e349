#!/bin/sh
# The files' half of a backup: snapshots of Odoo's filestore with restic, in the repository on the host and, where the site has one, in the
# offsite one. What keeps the one from being written never keeps the other.
#   serve                    a snapshot in each whenever Odoo has written files since its last one
#   run WORDS…               restic with these words on the host's repository
#   offsite SECONDS WORDS…   the same on the offsite one, killed after so long: on a server that does not answer restic would stay at it
#   offsite-open SECONDS WORDS…   the same on one beside the offsite one that needs no password: what opens the others lies in it, encrypted to people
#   check                    healthy while the host's last snapshot that was due was made
#   trouble                  since when snapshots in the offsite repository fail; nothing when they do not
set -eu
umask 077

LOOK_SECONDS=20
# A snapshot that takes longer is left to the daily backup, which has half a day.
MINUTE_SECONDS=1800
ANSWER_SECONDS=60
OFFSITE=/run/secrets/offsite.sh

# Words that go before restic's, to end it in time: all of it, and the first look at whether the repository answers.
PLACE=local
LIMIT=
PROBE=
# Words that restic wants where there is no password.
OPEN=

say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"; }

at_offsite() {
  . "$OFFSITE"
  PLACE=offsite
  LIMIT="timeout -s KILL $1"
  PROBE="timeout -s KILL $ANSWER_SECONDS"
}

at_open() {
  at_offsite "$1"
  PLACE=open
  OPEN=--insecure-no-password
  export RESTIC_REPOSITORY="${RESTIC_REPOSITORY%/files}/site"
  unset RESTIC_PASSWORD_FILE
}

# One at a time, so a lock that is found was left by a process that was killed. What takes no lock only reads, and goes on beside the others: all of a
# big repository takes hours, and new files must not wait for that. Nothing is removed from the repository meanwhile: only a run does so, and there is one.
run() (
  case " $* " in
    *" --no-lock "*) first="--no-lock cat config" ;;
    *)
      first="unlock --remove-all"
      exec 9> "/tmp/$PLACE.lock"
      flock 9
      ;;
  esac
  $PROBE restic --no-cache $OPEN --quiet $first > /dev/null 2>&1 || [ $? -ne 137 ] || exit 137
  $LIMIT restic --no-cache $OPEN "$@"
)

# A file that is added changes its folder: 256 folders tell of any number of files.
has_news() { [ ! -e "/tmp/$PLACE-last" ] || [ -n "$(find "$FILES" -type d -newer "/tmp/$PLACE-last" | head -n 1)" ]; }

snapshot() {
  touch "/tmp/$PLACE-this"
  code=0
  run --quiet backup --host "$STACK" --tag minute "$FILES" || code=$?
  case "$code" in
    0)
      mv "/tmp/$PLACE-this" "/tmp/$PLACE-last"
      rm -f "/tmp/$PLACE-failed"
      ;;
    # The repository is made by the first backup: before it there is nothing to keep. One that has been there is missed.
    10) [ ! -e "/tmp/$PLACE-last" ] || failed ;;
    *) failed ;;
  esac
}

failed() {
  [ -e "/tmp/$PLACE-failed" ] || touch "/tmp/$PLACE-failed"
  say "a snapshot of the files failed ($PLACE)"
}

# A trap runs only between commands: the sleep goes on in the background, so that a stop is at once.
wait_for() {
  sleep "$1" &
  wait $!
}

keep() {
  while true; do
    if [ -e /backup/config ] && [ -d "$FILES" ] && has_news; then snapshot; fi
    wait_for "$LOOK_SECONDS"
  done
}

serve() {
  trap 'exit 0' TERM INT
  if [ -e "$OFFSITE" ]; then (at_offsite "$MINUTE_SECONDS"; keep) & fi
  keep
}

case "$1" in
  serve) serve ;;
  run) shift; run "$@" ;;
  offsite) at_offsite "$2"; shift 2; run "$@" ;;
  offsite-open) at_open "$2"; shift 2; run "$@" ;;
  check) [ ! -e /tmp/local-failed ] ;;
  trouble) [ ! -e /tmp/offsite-failed ] || date -u -r /tmp/offsite-failed +%Y-%m-%dT%H:%M:%SZ ;;
  *) echo "usage: files.sh serve|run|offsite|offsite-open|check|trouble" >&2; exit 2 ;;
esac
