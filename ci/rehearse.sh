#!/usr/bin/env bash
# Rehearses every scenario on whatever this machine offers: containers, or throw-away clusters of the servers that are
# installed. Gets what is missing first. Arguments go to `rehearse run`.
set -euo pipefail
# shellcheck source=ci/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need_rust
need_compiler
if docker_answers && need_images; then
	say 'Docker answers: servers run in containers'
elif need_local_postgres; then
	need_local_mariadb || true # one scenario comes from it
	say 'servers run from what is installed here'
else
	die 'neither Docker nor PostgreSQL can be had here' \
		'start Docker, or install PostgreSQL (apt-get install postgresql), then run this again'
fi
exec cargo run --release -- run --only-runnable "$@"
