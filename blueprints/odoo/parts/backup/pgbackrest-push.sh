#!/bin/sh
# archive_command of a database whose log goes to two places: a segment has gone when both have it. While one cannot take it, PostgreSQL asks again
# for that segment and no other; so each time all that waits goes to the host's repository, which must not lack what the other has no room for.
# (pgBackRest itself, told to push to both, stops at the first segment that one of them does not get.)
set -u

MARKS=/tmp/archived
mkdir -p "$MARKS"

code=0
for ready in pg_wal/archive_status/*.ready; do
  name=${ready##*/}
  name=${name%.ready}
  [ ! -e "$MARKS/$name" ] && [ -e "pg_wal/$name" ] || continue
  pgbackrest --stanza=main --config=/etc/pgbackrest/pgbackrest.conf archive-push "pg_wal/$name" || { code=$?; break; }
  : > "$MARKS/$name"
done

pgbackrest --stanza=main --config=/etc/pgbackrest/offsite.conf archive-push "$1" || code=$?
[ "$code" -ne 0 ] || rm -f "$MARKS/${1##*/}"
exit "$code"
