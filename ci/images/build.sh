#!/usr/bin/env bash
# Builds the database images of the tests from Debian packages, for hosts that
# can reach a Debian mirror but no image registry. Where images can be pulled,
# pull the official ones: these answer to the same environment variables.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
known='postgres:15 postgres:17 mariadb:10.11 mariadb:11.8'
usage="usage: ci/images/build.sh [IMAGE...]    (default: postgres:15 postgres:17)

Builds database images from Debian packages and imports them into Docker.
Knows: $known. An image that is already there is left as it
is (docker rmi it to have it built anew). Works under \$TMPDIR: about 1 GB."
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# A login as root may leave sbin out, and the host's language is not in the chroot.
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
work='' log='' child='' container='' id=''

die() { echo "build.sh: $2" >&2; exit "$1"; }

# Long steps run in the background, each as a process group of its own, so that
# a signal is acted on at once and takes the step's children with it.
run() {
	local rc=0
	setsid "$@" >>"$log" 2>&1 </dev/null &
	child=$!
	wait "$child" || rc=$?
	child=''
	return "$rc"
}

mounts() { awk -v w="$work/" 'index($5, w) == 1 { print $5 }' /proc/self/mountinfo | sort -r; } # deepest first

cleanup() {
	local rc=$? dir
	trap '' HUP INT TERM
	if [ -n "$child" ]; then
		if kill -TERM -- "-$child"; then sleep 1; fi
		kill -KILL -- "-$child" || true
		wait "$child" || true
	fi 2>/dev/null
	[ -z "$container" ] || docker rm -fv "$container" >/dev/null || true
	[ -z "$id" ] || docker rmi "$id" >/dev/null || true
	if [ "$rc" != 0 ] && [ -s "$log" ]; then { echo "build.sh: did not finish ($rc); the log ends:"; tail -n 20 "$log"; } >&2; fi
	# Deleting across a mount would delete the host's own files: rather leave the folder.
	for dir in $(mounts); do umount "$dir" || true; done
	[ -n "$(mounts)" ] || rm -rf --one-file-system "$work"
	[ ! -d "$work" ] || echo "build.sh: left $work behind, see what is mounted in it" >&2
}

# Where this machine's apt gets Debian from; LABEL tells the archive from its security updates.
# shellcheck disable=SC2016
mirror_of() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1" | grep -m1 '^http' || true; }

prepare() {
	local scheme host proxy=''
	[ "$(id -u)" = 0 ] || die 1 'building needs root, because debootstrap works in a chroot (try sudo)'
	trap cleanup EXIT
	trap 'exit 130' HUP INT TERM
	work=$(mktemp -d "${TMPDIR:-/tmp}/db-images.XXXXXX") && log=$work/log
	chmod 755 "$work" # apt in the chroot downloads as a user of its own
	mirror=http://deb.debian.org/debian security=http://deb.debian.org/debian-security
	if command -v apt-get >/dev/null; then
		run apt-get update || true # an unrelated repository may be down
		if ! command -v debootstrap >/dev/null || [ ! -r "$keyring" ]; then
			echo "installing debootstrap and Debian's archive keyring"
			run apt-get install -y --no-install-recommends debootstrap debian-archive-keyring
		fi
		# A host that is not Debian has no mirror to copy, and keeps the public one.
		if [ -n "$(mirror_of Debian)" ]; then mirror=$(mirror_of Debian) security=$(mirror_of Debian-Security); fi
		# debootstrap does not read apt's proxy settings, but its wget reads the environment.
		scheme=${mirror%%:*} host=${mirror#*://} host=${host%%[:/]*}
		eval "$(apt-config shell proxy "Acquire::$scheme::Proxy" proxy "Acquire::$scheme::Proxy::$host")"
		case $proxy in '') ;; DIRECT) export no_proxy=$host ;; *) export "${scheme}_proxy=$proxy" ;; esac
	elif ! command -v debootstrap >/dev/null || [ ! -r "$keyring" ]; then
		die 1 "debootstrap or Debian's archive keyring ($keyring) is missing, and so is apt-get to install them"
	fi
	isolate=() # what debootstrap mounts should vanish with it, where the host allows that
	if unshare --mount true 2>/dev/null; then isolate=(unshare --mount --propagation private); fi
}

# Debian itself, made once per suite.
make_base() {
	local base=$work/$suite source
	[ ! -d "$base" ] || return 0
	run "${isolate[@]}" debootstrap --variant=minbase --keyring="$keyring" "$suite" "$base" "$mirror"
	if [ -L "$base/proc" ]; then rm "$base/proc" && mkdir "$base/proc"; fi # debootstrap's way inside a container
	for source in "$mirror $suite" "$mirror $suite-updates" ${security:+"$security $suite-security"}; do
		echo "deb $source main"
	done >"$base/etc/apt/sources.list"
	# This host's way to the mirror: names, certificates, apt's proxies and other settings.
	cp -L /etc/hosts /etc/resolv.conf "$base/etc/"
	if [ -r /etc/ssl/certs/ca-certificates.crt ]; then install -Dm 644 /etc/ssl/certs/ca-certificates.crt -t "$base/etc/ssl/certs"; fi
	{ apt-config dump Acquire | grep -v '^Acquire::IndexTargets' || true; } >"$base/etc/apt/apt.conf.d/99host" 2>/dev/null
	echo force-unsafe-io >"$base/etc/dpkg/dpkg.cfg.d/build" # after a crash we start over anyway
	printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d" # packages must not start their servers
	chmod 755 "$base/usr/sbin/policy-rc.d"
	run chroot "$base" apt-get update
	run chroot "$base" apt-get -y dist-upgrade
}

# Removes what no test reads, what came from this host, and the key that ssl-cert
# made. PostgreSQL does without LLVM (no JIT), and Debian without all but perl-base.
slim() (
	cd "$root"
	rm -rf etc/apt/apt.conf.d/99host etc/dpkg/dpkg.cfg.d/build usr/sbin/policy-rc.d etc/ssl/certs/* etc/ssl/private/* \
		run/* tmp/* var/cache/* var/lib/apt/lists/* var/log/* usr/share/{bash-completion,i18n,info,lintian,locale,man,perl} \
		usr/lib/*/{libLLVM*,libz3.so*,libperl.so*,perl} usr/lib/llvm* usr/lib/postgresql/*/lib/{bitcode,llvmjit*} \
		usr/bin/{aria_*,mariadb-conv,mariadb-slap,myisam*,resolve_stack_dump}
	find usr/share/doc -type f ! -name copyright -delete
	echo "deb http://deb.debian.org/debian $suite main" >etc/apt/sources.list # a mirror's address may hold a password
	rm -f etc/hosts etc/resolv.conf # Docker makes its own
	mkdir -p docker-entrypoint-initdb.d run/lock var/cache/apt/archives/partial
)

build() {
	local image=$1 major=${1#*:} root=$work/root user home dirs packages settings signal version
	local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	make_base
	cp -a "$work/$suite" "$root"
	case $image in
	postgres:*)
		user=postgres home=/var/lib/postgresql packages=("postgresql-$major" locales)
		dirs=("$home" "$home/data" /run/postgresql)
		signal=SIGINT # a fast shutdown: on SIGTERM the server would wait for its clients
		mkdir "$root/etc/postgresql-common" # the package would make a cluster of its own
		echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
		settings=('CMD ["postgres"]' 'EXPOSE 5432' "VOLUME $home/data" "ENV PATH=/usr/lib/postgresql/$major/bin:$path"
			"ENV PG_MAJOR=$major" "ENV PGDATA=$home/data" 'ENV LANG=en_US.utf8')
		;;
	mariadb:*)
		user=mysql home=/var/lib/mysql packages=(mariadb-server tzdata) signal=SIGTERM
		dirs=("$home" /run/mysqld)
		settings=('CMD ["mariadbd"]' 'EXPOSE 3306' "VOLUME $home" "ENV PATH=$path" 'ENV LANG=C.UTF-8')
		;;
	esac
	run chroot "$root" useradd -r -U -u 999 -d "$home" -s /bin/bash "$user" # the official images' id
	run chroot "$root" apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${packages[@]}"
	if [ "$user" = postgres ]; then
		run chroot "$root" localedef -i en_US -f UTF-8 en_US.UTF-8 # the official image sorts text by it
		sed -i "s/^#\?listen_addresses *=.*/listen_addresses = '*'/" "$root/usr/share/postgresql/$major/postgresql.conf.sample"
	else # Debian's settings listen on localhost only; these are the official image's
		printf '%s\n' '[mariadbd]' pid-file=/run/mysqld/mysqld.pid character-set-server=utf8mb4 skip-name-resolve host-cache-size=0 \
			'[mariadb-client]' default-character-set=utf8mb4 >"$root/etc/mysql/mariadb.conf.d/50-server.cnf"
	fi
	slim
	rm -rf "${root:?}$home"
	run chroot "$root" install -d -o "$user" -g "$user" -m 1777 "${dirs[@]}"
	install -m 755 "$here/${image%%:*}-entrypoint.sh" "$root/usr/local/bin/docker-entrypoint.sh"
	# shellcheck disable=SC2016
	version=$(chroot "$root" dpkg-query -W -f '${Version}' "${packages[0]}")
	settings+=('ENTRYPOINT ["docker-entrypoint.sh"]' "LABEL org.opencontainers.image.title=$image"
		"LABEL org.opencontainers.image.version=${version#*:}"
		"LABEL org.opencontainers.image.description=\"Made by ci/images/build.sh from Debian $suite packages, not the official image\"")
	run tar -C "$root" --numeric-owner --one-file-system --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' -cf "$work/image.tar" .
	rm -rf --one-file-system "$root"
	id=$(docker import "${settings[@]/#/--change=}" "$work/image.tar")
	# "import" takes no STOPSIGNAL, but a container has one and "commit" keeps it.
	container=$(docker create --stop-signal "$signal" "$id")
	run docker commit "$container" "$image"
	run docker rm -v "$container"
	container='' id=''
}

summary=()
[ $# -gt 0 ] || set -- postgres:15 postgres:17
for image in "$@"; do
	if [[ $image == -h || $image == --help ]]; then echo "$usage" && exit 0; fi
	[[ $image != *' '* && " $known " == *" $image "* ]] || die 2 "unknown image \"$image\"; the known ones are: $known"
done
docker version >/dev/null || die 1 'the docker command is missing, or its engine does not answer'
for image in "$@"; do
	if docker image inspect "$image" >/dev/null 2>&1; then
		echo "$image: already there, skipped"
		continue
	fi
	case $image in postgres:15 | mariadb:10.11) suite=bookworm ;; *) suite=trixie ;; esac
	[ -n "$work" ] || prepare
	echo "$image: building from Debian $suite at $mirror"
	start=$SECONDS
	build "$image"
	size=$(docker image inspect --format '{{.Size}}' "$image")
	summary+=("$(printf '%-14s %4d MB %4d s' "$image" $((size / 1000000)) $((SECONDS - start)))")
done
[ ${#summary[@]} = 0 ] || printf '%s\n' built: "${summary[@]}"
