#!/bin/bash
# The template `loaded`: a host with Docker that has pulled every image from the mirror by its official name.
# Arguments: the lab script, the lab's folder.
set -euo pipefail
lab=$1 dir=$2
export LAB_OWNER=$PPID
"$lab" destroy loader
"$lab" up loader --template docker --mem 8G
"$lab" sh loader -- systemctl start docker
grep -o '10\.77\.0\.2:5000/[^"]*' "$(dirname "$0")/images/docker-bake.hcl" || true
sed -n 's/.*tags = //p' "$(dirname "$0")/images/docker-bake.hcl"
