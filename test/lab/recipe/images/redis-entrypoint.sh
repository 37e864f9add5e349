#!/bin/sh
# Official contract: "-x" or "x.conf" as first argument means the server; root chowns /data and steps down.
set -e
server=redis-server user=redis
case "$1" in -*|*.conf) set -- $server "$@";; esac
if [ "$1" = $server ]; then
  # The official builds compile protected mode off. Say so here unless the command line or the config file speaks of it.
  case "$*" in *protected-mode*) ;; *) { [ -f "$2" ] && grep -q '^ *protected-mode' "$2"; } || set -- "$@" --protected-mode no;; esac
  if [ "$(id -u)" = 0 ]; then
    find . \! -user $user -exec chown $user '{}' +
    exec gosu $user "$0" "$@"
  fi
  [ "$(umask)" = 0022 ] && umask 0077
fi
exec "$@"
