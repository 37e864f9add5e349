#!/bin/sh
# For practice hosts on a machine without CAP_SYS_RESOURCE: there nobody may lower oom_score_adj or raise a hard limit, and runc gives up on
# both. A real host may. The wish is cut down to what is possible, right before runc reads it; everything else is as on a real host.
case " $* " in *" create "* | *" run "*) python3 - "$@" <<'PY'
import json, os, resource, sys

words = sys.argv[1:]
bundle = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in ("--bundle", "-b")), ".")
path = os.path.join(bundle, "config.json")
with open(path) as file:
    config = json.load(file)
process = config.get("process", {})
with open("/proc/self/oom_score_adj") as file:
    process["oomScoreAdj"] = max(process.get("oomScoreAdj") or 0, int(file.read()))
for limit in process.get("rlimits", []):
    hard = resource.getrlimit(getattr(resource, limit["type"]))[1]
    if hard != resource.RLIM_INFINITY:
        limit["hard"] = min(limit["hard"], hard)
        limit["soft"] = min(limit["soft"], limit["hard"])
with open(path, "w") as file:
    json.dump(config, file)
PY
;; esac
exec /usr/sbin/runc "$@"
