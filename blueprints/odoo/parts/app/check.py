"""Health check of Odoo's containers. It says that the processes live and answer; whether a release is good is judged from outside."""

import http.client
import os
import sys


def answers(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    connection.request("GET", path)
    return connection.getresponse().status == 200


def has_worker():
    """The cron container has no port: a Python process must have a Python child (the main process and its workers)."""
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if "python" not in os.path.basename(os.readlink(f"/proc/{name}/exe")):
                continue
            with open(f"/proc/{name}/stat") as stat:
                # The command in brackets may hold blanks; the parent is the second field after it.
                parents[int(name)] = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return any(parent in parents for parent in parents.values())


if __name__ == "__main__":
    kind = sys.argv[1]
    if kind == "web":
        healthy = answers(8069, "/web/health") and answers(8072, "/websocket/health")
    else:
        healthy = has_worker()
    sys.exit(0 if healthy else 1)
