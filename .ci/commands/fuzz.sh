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
# shellcheck disable=SC2086 # the list is words
packages_need $packages_fuzz
say "Building ..."
quietly "the build" "$fuzz_dir/build.log" fuzz_build
fuzz_known=$(fuzz_targets)
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $fuzz_known
[ $# -gt 0 ] || fail "there is no fuzz target"
for target in "$@"; do
    printf '%s\n' "$fuzz_known" | grep -qx -- "$target" ||
        fail "there is no fuzz target '$target'; there are: $(printf '%s' "$fuzz_known" | tr '\n' ' ')"
done

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
