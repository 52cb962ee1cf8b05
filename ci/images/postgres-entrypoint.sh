#!/usr/bin/env bash
# Entrypoint of the PostgreSQL images that build.sh makes. It keeps the
# environment contract of the official Docker image, so that whatever starts
# the one can start the other:
#   POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS (each also
#   as NAME_FILE), POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD, PGDATA,
#   and /docker-entrypoint-initdb.d/*.sh, *.sql, *.sql.gz on the first start.
set -Eeuo pipefail

die() { printf '%s\n' "$@" >&2; exit 1; }

# NAME or, for secrets mounted as files, the content of the file NAME_FILE.
from_env() {
	local name=$1 file="${1}_FILE"
	if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
		die "error: both $name and $file are set (but are exclusive)"
	fi
	if [ -n "${!file:-}" ]; then
		[ -r "${!file}" ] || die "error: $file names a file that can't be read: ${!file}"
		export "$name=$(<"${!file}")"
	else
		export "$name=${!name:-${2:-}}"
	fi
	unset "$file"
}

# psql over the socket of the temporary server; init scripts may call it too.
docker_process_sql() {
	local query=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password)
	if [ -n "${POSTGRES_DB:-}" ]; then
		query+=(--dbname "$POSTGRES_DB")
	fi
	PGHOST='' PGHOSTADDR='' "${query[@]}" "$@"
}

verify_environment() {
	if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
		die 'Error: Database is uninitialized and superuser password is not specified.' \
			'       You must specify POSTGRES_PASSWORD to a non-empty value for the' \
			'       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".' \
			'' \
			'       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all' \
			'       connections without a password. This is *not* recommended.' \
			'' \
			'       See PostgreSQL documentation about "trust":' \
			'       https://www.postgresql.org/docs/current/auth-trust.html'
	fi
	if [ "$POSTGRES_HOST_AUTH_METHOD" = trust ]; then
		printf '%s\n' \
			'WARNING: POSTGRES_HOST_AUTH_METHOD has been set to "trust". This will allow' \
			'         anyone with access to the Postgres port to access your database' \
			'         without a password, even if POSTGRES_PASSWORD is set.' >&2
	fi
}

init_directory() {
	local args=(--username="$POSTGRES_USER")
	if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
		args+=(--waldir="$POSTGRES_INITDB_WALDIR")
	fi
	# eval, because POSTGRES_INITDB_ARGS is one string that may quote its parts.
	eval 'initdb "${args[@]}" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"' "$@"'
}

# initdb only writes rules for local connections: let clients of the network in.
allow_network() {
	local method=$POSTGRES_HOST_AUTH_METHOD
	if [ -z "$method" ]; then
		# "$@" counts: the command line may set password_encryption.
		method=$(postgres -C password_encryption "$@")
	fi
	printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

create_database() {
	# Until POSTGRES_DB is there, connect to the one database that always is.
	local db=$POSTGRES_DB query=(docker_process_sql --dbname postgres --set "db=$POSTGRES_DB" --tuples-only)
	local POSTGRES_DB=''
	if [ -z "$("${query[@]}" <<<"SELECT 1 FROM pg_database WHERE datname = :'db'")" ]; then
		"${query[@]}" <<<'CREATE DATABASE :"db"'
		printf 'created database %s\n\n' "$db"
	fi
}

run_init_scripts() {
	local f
	for f in /docker-entrypoint-initdb.d/*; do
		[ -e "$f" ] || continue
		case $f in
			*.sh)
				if [ -x "$f" ]; then
					echo "$0: running $f"
					"$f"
				else
					echo "$0: sourcing $f"
					# shellcheck disable=SC1090
					. "$f"
				fi
				;;
			*.sql) echo "$0: running $f"; docker_process_sql -f "$f" ;;
			*.sql.gz) echo "$0: running $f"; gunzip -c "$f" | docker_process_sql ;;
			*) echo "$0: ignoring $f" ;;
		esac
		echo
	done
}

first_start() {
	verify_environment
	init_directory
	shift # "postgres" itself; what is left are the server's arguments
	allow_network "$@"

	# The temporary server listens on its socket only: nobody can connect over
	# the network, and take the server for ready, before it is.
	export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
	local port=${PGPORT:-5432}
	set -- "$@" -c listen_addresses='' -p "$port"
	PGUSER="${PGUSER:-$POSTGRES_USER}" pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@")" -w start
	create_database
	run_init_scripts
	PGUSER="${PGUSER:-$POSTGRES_USER}" pg_ctl -D "$PGDATA" -m fast -w stop
	unset PGPASSWORD
	printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then
	set -- postgres "$@"
fi

serve=
if [ "${1:-}" = postgres ]; then
	serve=1
	for arg in "$@"; do
		case $arg in -'?' | --help | --describe-config | -V | --version) serve= ;; esac
	done
fi

if [ -n "$serve" ]; then
	if [ "$(id -u)" = 0 ]; then
		# The server refuses to run as root: make its folders its own, then start
		# this script over as postgres.
		mkdir -p "$PGDATA" /var/run/postgresql
		chmod 700 "$PGDATA"
		if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
			mkdir -p "$POSTGRES_INITDB_WALDIR"
			chmod 700 "$POSTGRES_INITDB_WALDIR"
			find "$POSTGRES_INITDB_WALDIR" \! -user postgres -exec chown postgres '{}' +
		fi
		find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
		export HOME=/var/lib/postgresql
		exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
	fi
	mkdir -p "$PGDATA"
	chmod 700 "$PGDATA" || true # a mounted folder may not be ours to change
	if [ -s "$PGDATA/PG_VERSION" ]; then
		printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
	else
		from_env POSTGRES_PASSWORD
		from_env POSTGRES_USER postgres
		from_env POSTGRES_DB "$POSTGRES_USER"
		from_env POSTGRES_INITDB_ARGS
		: "${POSTGRES_HOST_AUTH_METHOD:=}"
		first_start "$@"
	fi
fi

exec "$@"
