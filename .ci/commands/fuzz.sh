# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run fuzz [SECONDS] [TARGET...]`

. .ci/commands/fuzz_targets.sh

fuzz_seconds=600
case ${1:-} in
'' | *[!0-9]*) ;;
*)
    fuzz_seconds=$1
    shift
    ;;
esac
for target in "$@"; do
    [ -f "tests/fuzz/${target}_fuzz.c" ] ||
        fail "there is no fuzz target '$target'; there are:$(printf ' %s' tests/fuzz/*_fuzz.c |
            sed 's/tests.fuzz.//g; s/_fuzz.c//g')"
done
# shellcheck disable=SC2086 # the list is words
packages_need $packages_fuzz
say "Building ..."
quietly "the build" "$fuzz_dir/build.log" fuzz_build
# shellcheck disable=SC2046 # the list is words
[ $# -gt 0 ] || set -- $(fuzz_targets)

fuzz_found=0
for target in "$@"; do
    fuzz_log=$fuzz_dir/$target.log
    if { fuzz_replay "$target" && fuzz_search "$target" "$fuzz_seconds"; } >"$fuzz_log" 2>&1; then
        fuzz_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$fuzz_log")
        say "$target: no finding in $fuzz_runs executions, $fuzz_seconds s"
    else
        tail -n 40 "$fuzz_log"
        say "$target: FOUND SOMETHING; the input is in $fuzz_dir/findings, the log: $fuzz_log"
        fuzz_found=1
    fi
done
exit "$fuzz_found"
