#!/bin/sh
# Installs the comparers that `cargo bench --bench grades` measures beside Rehearse, each in an environment of its own.
set -eu
cd "$(dirname "$0")/.."
for program in reladiff data-diff; do
    folder=target/comparers/$program
    [ -x "$folder/bin/$program" ] && continue
    python3 -m venv "$folder"
    # The newest dbt-core that data-diff asks for fetches a part of itself from elsewhere.
    "$folder/bin/pip" install --quiet "$program" psycopg2-binary "dbt-core<1.9" "pydantic<2"
done
