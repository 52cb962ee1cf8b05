#!/usr/bin/env bash
# Every test of Rehearse, and all that it needs: formatting, lints, documentation, scripts, tests. What needs a server
# that cannot be had here is skipped by name; with CI=true (or REHEARSE_REQUIRE set) that is a failure.
set -euo pipefail
# shellcheck source=ci/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

if [ "${CI:-}" = true ]; then
	export REHEARSE_REQUIRE=${REHEARSE_REQUIRE:-postgres,local,container} CARGO_INCREMENTAL=0
fi
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
scratch=$(mktemp -d)
container=''

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$container" ] || docker rm -fv "$container" >/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT

# Tests of the PostgreSQL engine want a server's URL: one in a container, or else a throw-away cluster.
need_server() {
	local port
	if [ -n "${REHEARSE_TEST_POSTGRES_URL:-}" ] || ! docker image inspect postgres:17 >/dev/null 2>&1; then return; fi
	REHEARSE_TEST_POSTGRES_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	container=$(docker run -d -p 127.0.0.1::5432 -e POSTGRES_PASSWORD="$REHEARSE_TEST_POSTGRES_PASSWORD" postgres:17 -c fsync=off)
	port=$(docker port "$container" 5432/tcp) port=${port##*:}
	# While the image prepares its files, its server listens on a socket only.
	for _ in $(seq 120); do
		if docker exec "$container" pg_isready -q -h 127.0.0.1; then break; fi
		sleep 0.5
	done
	export REHEARSE_TEST_POSTGRES_PASSWORD REHEARSE_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
}

# Adds up what cargo printed. A test that said `skipped:` counts as skipped and not as passed.
tell() {
	local log=$1 passed failed skipped
	sed -n 's/^skipped: /  &/p' "$log" | sort -u >"$scratch/skipped"
	skipped=$(cut -d: -f2 "$scratch/skipped" | sort -u | wc -l)
	read -r passed failed < <(awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
	if [ "$skipped" -gt 0 ]; then
		echo 'These tests could not run here, in whole or in part:'
		cat "$scratch/skipped"
	fi
	echo "$((passed - skipped)) passed, $failed failed, $skipped skipped"
}

need_rust
need_compiler
if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then rustup component add rustfmt clippy; fi
has sqlite3 || install_packages sqlite3 || true
need_local_postgres || true
need_local_mariadb || true
images+=(mariadb:10.11 mariadb:11.8) # the conformance suite's
if docker_answers; then need_images || true; fi

say 'formatting'
cargo fmt --check
say 'scripts'
for script in .ci/run ci/*.sh ci/images/*.sh; do bash -n "$script"; done
if has shellcheck; then shellcheck -x .ci/run ci/*.sh ci/images/build.sh; fi
say 'lints'
cargo clippy --locked --all-targets -- -D warnings
say 'documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
say 'tests'
need_server
status=0
cargo test --locked --no-fail-fast -- --show-output 2>&1 | tee "$scratch/log" || status=$?
tell "$scratch/log"
exit "$status"
