#!/bin/sh
# Installs what benchmarks measure beside Rehearse: comparers for `grades`, each in an environment of its own, and Debian's
# pgloader for `pgloader`.
set -eu
cd "$(dirname "$0")/.."
for program in reladiff data-diff; do
    folder=target/comparers/$program
    [ -x "$folder/bin/$program" ] && continue
    python3 -m venv "$folder"
    # The newest dbt-core that data-diff asks for fetches a part of itself from elsewhere.
    "$folder/bin/pip" install --quiet "$program" psycopg2-binary "dbt-core<1.9" "pydantic<2"
done
if ! command -v pgloader >/dev/null; then
    [ "$(id -u)" -eq 0 ] || { echo "pgloader is not there: apt-get install pgloader, as root" >&2; exit 1; }
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends pgloader
fi
