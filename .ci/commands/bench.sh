# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run bench`: measures everything and writes docs/performance.md and its plot. `./run bench COMMAND ...`: fgbench,
# built for this CPU without checks, with these arguments.

# shellcheck disable=SC2086 # the list is words
packages_need $packages_build
say "Building ..."
bench_build() {
    build_in build-bench gcc '--buildtype=release -Dmarch=native -Dwerror=false' \
        app/fgbench/fgbench app/floodgate/floodgate app/fgctl/fgctl
}
quietly "the build" out/bench.log bench_build
case ${1:-} in
'' | -*)
    exec python3 docs/performance.py --fgbench "$(program build-bench fgbench)" "$@"
    ;;
esac
say "fgbench $*"
exec "$(program build-bench fgbench)" "$@"
