#!/usr/bin/env bash
# Entrypoint of the MariaDB images that build.sh makes. It keeps the environment
# contract of the official Docker image, so that whatever starts the one can
# start the other. Each name also works with MYSQL_ for MARIADB_, and as NAME_FILE:
#   MARIADB_ROOT_PASSWORD | MARIADB_ALLOW_EMPTY_ROOT_PASSWORD |
#   MARIADB_RANDOM_ROOT_PASSWORD (one is needed), MARIADB_ROOT_HOST,
#   MARIADB_DATABASE, MARIADB_USER, MARIADB_PASSWORD, MARIADB_INITDB_SKIP_TZINFO,
#   and /docker-entrypoint-initdb.d/*.sh, *.sql, *.sql.gz on the first start.
set -Eeuo pipefail

socket=/run/mysqld/mysqld.sock

note() { printf '%s [Note] [Entrypoint]: %s\n' "$(date --rfc-3339=seconds)" "$*"; }
die() { printf '%s [ERROR] [Entrypoint]: %s\n' "$(date --rfc-3339=seconds)" "$*" >&2; exit 1; }

# MARIADB_X from itself, from the file MARIADB_X_FILE, or from MYSQL_X, MYSQL_X_FILE.
from_env() {
	local name="MARIADB_$1" value=${2:-} found='' source file
	for source in "MARIADB_$1" "MYSQL_$1"; do
		file="${source}_FILE"
		if [ -n "${!source:-}" ] && [ -n "${!file:-}" ]; then
			die "Both $source and $file are set (but are exclusive)"
		fi
		if [ -z "$found" ] && [ -n "${!source:-}" ]; then
			value=${!source} found=1
		elif [ -z "$found" ] && [ -n "${!file:-}" ]; then
			[ -r "${!file}" ] || die "$file names a file that can't be read: ${!file}"
			value=$(<"${!file}") found=1
		fi
		unset "$file"
	done
	export "$name=$value"
}

# A value as an SQL string literal.
quote() {
	local s=${1//\\/\\\\}
	printf "'%s'" "${s//\'/\\\'}"
}
# A value as an SQL identifier.
# shellcheck disable=SC2016
name() { printf '`%s`' "${1//\`/\`\`}"; }

# SQL over the socket of the temporary server; init scripts may call it too.
# The password goes by the environment, not by the command line that ps shows.
docker_process_sql() {
	if [ -n "${MARIADB_DATABASE:-}" ]; then
		set -- --database="$MARIADB_DATABASE" "$@"
	fi
	MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb --protocol=socket -uroot -hlocalhost --socket="$socket" "$@"
}

verify_environment() {
	if [ -z "$MARIADB_ROOT_PASSWORD$MARIADB_ALLOW_EMPTY_ROOT_PASSWORD$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
		die $'Database is uninitialized and password option is not specified\n\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD'
	fi
	if [ "$MARIADB_USER" = root ]; then
		die 'MARIADB_USER="root", MARIADB_USER and MARIADB_PASSWORD are for configuring a regular user and cannot be used for the root user. Use MARIADB_ROOT_PASSWORD instead'
	fi
	if [ -n "$MARIADB_USER" ] && [ -z "$MARIADB_PASSWORD" ]; then
		die 'MARIADB_USER is set without MARIADB_PASSWORD: the user would not be created'
	fi
	if [ -z "$MARIADB_USER" ] && [ -n "$MARIADB_PASSWORD" ]; then
		die 'MARIADB_PASSWORD is set without MARIADB_USER: whose password is it?'
	fi
}

start_temporary_server() {
	# No network: nobody can connect over it, and take the server for ready,
	# before it is.
	"$@" --skip-networking --socket="$socket" --wsrep-on=OFF --expire-logs-days=0 \
		--loose-innodb-buffer-pool-load-at-startup=0 &
	server=$!
	local i
	for ((i = 0; i < 300; i++)); do
		if MARIADB_ROOT_PASSWORD='' MARIADB_DATABASE='' docker_process_sql -e 'SELECT 1' >/dev/null 2>&1; then
			return
		fi
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	die 'Unable to start the temporary server.'
}

set_up_accounts() {
	if [ -n "$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
		MARIADB_ROOT_PASSWORD=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
		export MARIADB_ROOT_PASSWORD
		note "GENERATED ROOT PASSWORD: $MARIADB_ROOT_PASSWORD"
	fi
	local sql root_password database
	root_password=$(quote "$MARIADB_ROOT_PASSWORD")
	sql="SET @@SESSION.SQL_LOG_BIN = 0; SET @@SESSION.SQL_MODE = REPLACE(@@SESSION.SQL_MODE, 'NO_BACKSLASH_ESCAPES', '');"
	# The fresh tables also hold root, without a password, for this host's addresses
	# and name; the connection from there would match these before any other.
	sql+=" SET @extra = (SELECT GROUP_CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.global_priv
		WHERE User = '' OR User = 'root' AND Host <> 'localhost');
		EXECUTE IMMEDIATE COALESCE(CONCAT('DROP USER ', @extra), 'DO 0');"
	sql+=" SET PASSWORD FOR 'root'@'localhost' = PASSWORD($root_password);"
	if [ -n "$MARIADB_ROOT_HOST" ] && [ "$MARIADB_ROOT_HOST" != localhost ]; then
		sql+=" CREATE USER 'root'@$(quote "$MARIADB_ROOT_HOST") IDENTIFIED BY $root_password;"
		sql+=" GRANT ALL ON *.* TO 'root'@$(quote "$MARIADB_ROOT_HOST") WITH GRANT OPTION;"
		sql+=" GRANT PROXY ON ''@'%' TO 'root'@$(quote "$MARIADB_ROOT_HOST") WITH GRANT OPTION;"
	fi
	if [ -n "$MARIADB_DATABASE" ]; then
		note "Creating database $MARIADB_DATABASE"
		sql+=" CREATE DATABASE IF NOT EXISTS $(name "$MARIADB_DATABASE");"
	fi
	if [ -n "$MARIADB_USER" ]; then
		note "Creating user $MARIADB_USER"
		sql+=" CREATE USER $(quote "$MARIADB_USER")@'%' IDENTIFIED BY $(quote "$MARIADB_PASSWORD");"
		if [ -n "$MARIADB_DATABASE" ]; then
			note "Giving user $MARIADB_USER access to schema $MARIADB_DATABASE"
			# In a grant, _ and % of a database's name are wildcards unless escaped.
			database=${MARIADB_DATABASE//_/\\_}
			sql+=" GRANT ALL ON $(name "${database//%/\\%}").* TO $(quote "$MARIADB_USER")@'%';"
		fi
	fi
	# The server still has root without a password.
	MARIADB_ROOT_PASSWORD='' MARIADB_DATABASE='' docker_process_sql --binary-mode <<<"$sql"
}

run_init_scripts() {
	local f
	for f in /docker-entrypoint-initdb.d/*; do
		[ -e "$f" ] || continue
		case $f in
			*.sh)
				if [ -x "$f" ]; then
					note "running $f"
					"$f"
				else
					note "sourcing $f"
					# shellcheck disable=SC1090
					. "$f"
				fi
				;;
			*.sql) note "running $f"; docker_process_sql <"$f" ;;
			*.sql.gz) note "running $f"; gunzip -c "$f" | docker_process_sql ;;
			*) note "ignoring $f" ;;
		esac
	done
}

first_start() {
	verify_environment
	note 'Initializing database files'
	# auth "normal": root has a password instead of the socket's user name.
	mariadb-install-db --datadir="$datadir" --auth-root-authentication-method=normal \
		--skip-test-db --rpm --skip-log-bin --expire-logs-days=0 \
		--loose-innodb-buffer-pool-load-at-startup=0 --loose-innodb-buffer-pool-dump-at-shutdown=0 \
		--skip-name-resolve "${@:2}" >/dev/null
	note 'Database files initialized; starting temporary server'
	start_temporary_server "$@"
	if [ -z "$MARIADB_INITDB_SKIP_TZINFO" ]; then
		# Named time zones (CONVERT_TZ and the like) need their tables filled.
		mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null |
			MARIADB_ROOT_PASSWORD='' MARIADB_DATABASE=mysql docker_process_sql
	fi
	set_up_accounts
	run_init_scripts
	note 'Stopping temporary server'
	kill "$server"
	wait "$server"
	note 'MariaDB init process done. Ready for start up.'
}

if [ "${1:0:1}" = - ]; then
	set -- mariadbd "$@"
fi

serve=
if [ "${1:-}" = mariadbd ] || [ "${1:-}" = mysqld ]; then
	serve=1
	for arg in "$@"; do
		case $arg in -'?' | --help | --print-defaults | -V | --version) serve= ;; esac
	done
fi

if [ -n "$serve" ]; then
	# The server itself knows which folder its files and arguments come to; asking
	# it also finds a wrong argument before anything is written.
	if ! config=$("$@" --verbose --help 2>/dev/null); then
		die "mariadbd failed while attempting to check config: $* --verbose --help"$'\n'"$("$@" --verbose --help 2>&1 >/dev/null)"
	fi
	datadir=$(awk '$1 == "datadir" { print $2; exit }' <<<"$config")
	if [ "$(id -u)" = 0 ]; then
		# The server should not run as root: make its folders its own, then start
		# this script over as mysql.
		mkdir -p "$datadir" /run/mysqld
		find "$datadir" /run/mysqld \! -user mysql -exec chown mysql: '{}' +
		exec setpriv --reuid=mysql --regid=mysql --init-groups "${BASH_SOURCE[0]}" "$@"
	fi
	if [ ! -d "$datadir/mysql" ]; then
		for variable in ROOT_PASSWORD ALLOW_EMPTY_ROOT_PASSWORD RANDOM_ROOT_PASSWORD \
			DATABASE USER PASSWORD INITDB_SKIP_TZINFO; do
			from_env "$variable"
		done
		# The official image knows this one without _ROOT, too.
		: "${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:=${MYSQL_ALLOW_EMPTY_PASSWORD:-}}"
		from_env ROOT_HOST %
		first_start "$@"
	fi
fi

exec "$@"
