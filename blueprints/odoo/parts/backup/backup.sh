#!/bin/sh
# Daily backup: the database first, the filestore afterwards. Odoo writes a file before the row that names it and deletes it much later,
# so a filestore that is newer than the dump has everything the dump names; an older one would not.
#   serve   one backup at BACKUP_AT (UTC) each day, the first as soon as there is a database
#   now     one backup at once, beside the daily ones
#   check   health: healthy while the first is to come, then as long as the newest success is younger than 26 hours
set -eu
umask 077

ROOT=${BACKUP_ROOT:-/backup}
FILESTORE=${BACKUP_FILESTORE:-/filestore/filestore/$PGDATABASE}
METRICS=${BACKUP_METRICS:-/metrics}
MARKER=$ROOT/last-success
FAILED=$ROOT/last-failure

fail() { date +%s > "$FAILED"; say "$1"; }
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"; }

# `ready`; `empty` before the first release has made Odoo's tables; `unreachable` with psql's own words in the log.
database_state() {
  case "$(psql -qAtX -c "SELECT to_regclass('public.ir_module_module') IS NOT NULL")" in
    t) echo ready ;;
    f) echo empty ;;
    *) echo unreachable ;;
  esac
}

# A failing command in a function that is tested does not end a `set -e` shell, hence the chain of &&.
make_backup() {
  stamp=$(date -u +%Y%m%dT%H%M%SZ)
  work=$ROOT/.unfinished-$stamp
  rm -rf "$ROOT"/.unfinished-* &&
    mkdir "$work" &&
    pg_dump --format=custom --no-password --file="$work/database.dump" &&
    pg_restore --list "$work/database.dump" > "$work/contents.txt" &&
    grep -q 'TABLE DATA public ir_module_module ' "$work/contents.txt" &&
    psql -qAtX -c "SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL" > "$work/attachments.txt" &&
    copy_filestore "$work" &&
    write_manifest "$work" &&
    sync &&
    mv "$work" "$ROOT/$stamp" &&
    mark_success "$ROOT/$stamp" &&
    say "backup $stamp is complete: $(cat "$ROOT/$stamp/manifest.txt" | tr '\n' ' ')"
}

# Files are named by their content and never change: what the previous backup has is linked, only new ones are copied.
copy_filestore() {
  mkdir "$1/filestore" || return 1
  previous=$(newest)
  if [ -n "$previous" ] && [ -d "$previous/filestore" ]; then cp -al "$previous/filestore/." "$1/filestore/" || return 1; fi
  if [ ! -d "$FILESTORE" ]; then return 0; fi
  # A file deleted while it is being copied fails cp once; the second listing no longer has it.
  cp -au --remove-destination "$FILESTORE/." "$1/filestore/" || cp -au --remove-destination "$FILESTORE/." "$1/filestore/"
}

write_manifest() {
  total=0
  missing=0
  while IFS= read -r name; do
    total=$((total + 1))
    if [ ! -f "$1/filestore/$name" ]; then missing=$((missing + 1)); fi
  done < "$1/attachments.txt"
  {
    echo "database=$PGDATABASE"
    echo "dump_bytes=$(stat -c %s "$1/database.dump")"
    echo "attachments=$total"
    echo "attachments_missing=$missing"
  } > "$1/manifest.txt"
}

mark_success() {
  now=$(date +%s)
  echo "$now" > "$MARKER.new" && mv "$MARKER.new" "$MARKER" && rm -f "$FAILED" || return 1
  {
    echo "# TYPE backup_last_success_timestamp_seconds gauge"
    echo "backup_last_success_timestamp_seconds $now"
    echo "# TYPE backup_last_size_bytes gauge"
    echo "backup_last_size_bytes $(stat -c %s "$1/database.dump")"
  } > "$METRICS/backup.prom.new" && chmod 0644 "$METRICS/backup.prom.new" && mv "$METRICS/backup.prom.new" "$METRICS/backup.prom"
}

backups() { find "$ROOT" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*T*Z' | sort; }
newest() { backups | tail -n 1; }

prune() {
  backups | head -n "-$BACKUP_KEEP" | while IFS= read -r old; do
    say "removing $old: $BACKUP_KEEP newer ones are kept"
    rm -rf "$old"
  done
}

seconds_until_due() {
  now=$(date -u +%s)
  due=$(date -u -d "$BACKUP_AT" +%s)
  if [ "$due" -le "$now" ]; then due=$((due + 86400)); fi
  echo $((due - now))
}

# A trap runs only between commands: the sleep goes on in the background, so that a stop is at once.
wait_for() {
  sleep "$1" &
  wait $!
}

# One at a time: `now` may come while the daily one runs.
attempt() (
  exec 9> "$ROOT/.lock"
  flock 9
  if make_backup; then
    prune
  else
    fail "the backup failed"
    return 1
  fi
)

serve() {
  trap 'exit 0' TERM INT
  while true; do
    if [ -f "$MARKER" ] && [ ! -f "$FAILED" ]; then wait_for "$(seconds_until_due)"; fi
    case "$(database_state)" in
      ready) attempt || wait_for 3600 ;;
      empty) rm -f "$FAILED"; wait_for 60 ;;
      unreachable) fail "the database cannot be reached"; wait_for 60 ;;
    esac
  done
}

check() {
  if [ ! -f "$MARKER" ]; then
    [ ! -f "$FAILED" ]
    return
  fi
  [ $(($(date +%s) - $(cat "$MARKER"))) -lt 93600 ]
}

case "$1" in
  serve) serve ;;
  now) attempt ;;
  check) check ;;
  *) echo "usage: backup.sh serve|now|check" >&2; exit 2 ;;
esac
