# Sourced by ci/rehearse.sh and ci/test.sh: gets what this machine lacks, and says what it did.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
images=(postgres:15 postgres:17)
cd "$root" || exit

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages where that can be done without asking anybody.
install_packages() {
	if ! has apt-get || [ "$(id -u)" != 0 ]; then return 1; fi
	say "installing $*"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >/dev/null || true # an unrelated repository may be down
	apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >/dev/null
}

need_rust() {
	local folder=${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
	if ! has cargo && [ -x "$folder/cargo" ]; then PATH=$folder:$PATH; fi
	has cargo || die 'cargo is missing' 'install Rust 1.88 or newer from https://rustup.rs, then run this again'
	export PATH
}

# The bundled SQLite is C.
need_compiler() {
	if has cc || has gcc || has clang; then return; fi
	install_packages gcc libc6-dev || die 'there is no C compiler' 'install one: apt-get install gcc libc6-dev'
}

docker_answers() { has docker && timeout 20 docker version >/dev/null 2>&1; }

# Images from a registry, or built from Debian packages where none can be reached.
need_images() {
	local image log # the log is only of interest if the build fails
	for image in "${images[@]}"; do
		if docker image inspect "$image" >/dev/null 2>&1; then continue; fi
		say "getting image $image"
		if timeout 300 docker pull -q "$image" >/dev/null 2>&1; then continue; fi
		say "no registry has $image for us: building it from Debian packages"
		log=$(mktemp)
		bash ci/images/build.sh "$image" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
		rm -f "$log"
	done
}

local_postgres() {
	has postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || compgen -G '/usr/pgsql-*/bin/postgres' >/dev/null ||
		compgen -G '/usr/local/pgsql/bin/postgres' >/dev/null || compgen -G '/opt/homebrew/opt/postgresql@*/bin/postgres' >/dev/null
}

# PostgreSQL's own programs. Debian's package would start a server of its own, which nobody asked for.
need_local_postgres() {
	local settings=/etc/postgresql-common/createcluster.conf
	if local_postgres; then return; fi
	if has apt-get && [ "$(id -u)" = 0 ] && [ ! -e "$settings" ]; then
		mkdir -p "${settings%/*}"
		echo 'create_main_cluster = false' >"$settings"
	fi
	install_packages postgresql && local_postgres
}

local_mariadb() {
	{ has mariadbd || [ -x /usr/sbin/mariadbd ] || [ -x /usr/local/mysql/bin/mariadbd ]; } && has mariadb-install-db
}

# MariaDB's own programs. These packages of Debian start no server, and make no account to run one as.
need_local_mariadb() {
	if ! local_mariadb; then install_packages mariadb-server-core mariadb-client && local_mariadb || return 1; fi
	if [ "$(id -u)" = 0 ] && ! id -u mysql >/dev/null 2>&1; then
		say 'making the account `mysql`, as the package of the server would'
		useradd --system --no-create-home --shell /usr/sbin/nologin mysql
	fi
}
