# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run bench [ARGS...]`: fgbench, built for this CPU without checks, with the arguments that are given.

# shellcheck disable=SC2086 # the list is words
packages_need $packages_build
say "Building ..."
bench_build() {
    build_in build-bench gcc '--buildtype=release -Dmarch=native -Dwerror=false' app/fgbench/fgbench
}
quietly "the build" out/bench.log bench_build
[ $# -gt 0 ] || set -- classify --quick
say "fgbench $*"
exec "$(program build-bench fgbench)" "$@"
