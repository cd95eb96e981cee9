# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run bench [ARGS...]`: fgbench with what it is given.

[ -d app/fgbench ] || fail "this release has no benchmarks yet (fgbench)"
# shellcheck disable=SC2086 # the list is words
packages_need $packages_build
say "Building ..."
bench_build() {
    build_in build-bench gcc '--buildtype=release -Dmarch=native'
}
quietly "the build" out/bench.log bench_build
exec "$(program build-bench fgbench)" "$@"
