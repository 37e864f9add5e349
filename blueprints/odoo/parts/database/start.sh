#!/bin/sh
# Starts the database of a host that has a standby, unless that has taken over: then the offsite repository holds the beginning of a line of the log
# after the one that is here, which only a promotion writes. A host that comes back from the dead must not serve beside it. A repository that does not
# answer in time says nothing: the plant starts.
set -u

DATA=/var/lib/postgresql/18/docker
ANSWER_SECONDS=10

line=$(pg_controldata -D "$DATA" 2> /dev/null | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
if [ -n "$line" ]; then
  next=$(printf '%08X.history' "$((line + 1))")
  rm -f "/tmp/$next"
  if timeout -s KILL "$ANSWER_SECONDS" pgbackrest --stanza=main --config=/etc/pgbackrest/offsite.conf archive-get "$next" "/tmp/$next" > /dev/null 2>&1; then
    echo "Another host has taken this plant over ($next is in the offsite repository): make this one its standby, docs/standby.md." >&2
    exit 1
  fi
fi
exec docker-entrypoint.sh "$@"
