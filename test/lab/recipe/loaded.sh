#!/bin/bash
# The template `loaded`: a host with Docker that has pulled every image from the mirror by its official name.
# Arguments: the lab script, the lab's folder.
set -euo pipefail
lab=$1 dir=$2
"$lab" destroy loader
"$lab" up loader --template docker --mem 8G
xargs -a "$dir/images" -P 2 -n 1 "$lab" sh loader -- docker pull -q
"$lab" sh loader -- sh -c 'docker images --digests; systemctl stop docker.socket docker containerd; rm -rf /var/lib/docker/engine-id /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /var/log/journal/*'
"$lab" down loader
"$lab" _adopt loader loaded
# the operator's engine starts anew with these images
"$lab" destroy builder
