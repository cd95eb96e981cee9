# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run test [STEP...]`: each step writes out/test/STEP.log and how many of its tests passed and failed; a step that
# dies, or runs no test at all, counts as a failure.

test_out=out/test
test_steps='build clang unit asan fuzz arch e2e interop configs'
test_seed_s=5 # each fuzz target runs that long beyond its seeds
test_passed=0
test_failed=0

# Sanitizers stop at the first finding. DPDK keeps memory to its end that LeakSanitizer cannot see as reachable.
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
# shellcheck disable=SC2089 # the quotes are for the sanitizer: the path may hold spaces
LSAN_OPTIONS="suppressions='$(pwd)/tests/lsan.supp':print_suppressions=0"
# shellcheck disable=SC2090
export LSAN_OPTIONS

count() { # PASSED FAILED
    say "$1 $2" >>"$step_count"
}

build_gcc() {
    build_in build gcc ''
}

# Not with warnings as errors: gcc's own documentation says that sanitizers make it warn of what is not so.
build_asan() {
    build_in build-asan gcc '-Dwerror=false -Db_sanitize=address,undefined -Db_lundef=false'
}

meson_tests() { # BUILD_DIR SUITE...
    meson_dir=$1
    shift
    meson_suites=
    for suite in "$@"; do
        meson_suites="$meson_suites --suite $suite"
    done
    rm -f "$meson_dir/meson-logs/testlog.json"
    meson_status=0
    # shellcheck disable=SC2086 # the options are words
    meson test -C "$meson_dir" --no-rebuild --print-errorlogs $meson_suites || meson_status=$?
    python3 tests/tally.py meson "$meson_dir/meson-logs/testlog.json" >>"$step_count"
    return "$meson_status"
}

pytests() { # BUILD_DIR NAME FOLDER
    pytest_status=0
    FLOODGATE_BUILD="$(pwd)/$1" /usr/bin/python3 -m pytest -p no:cacheprovider -q --durations=5 \
        --junit-xml="$test_out/$2.xml" "$3" || pytest_status=$?
    python3 tests/tally.py junit "$test_out/$2.xml" >>"$step_count"
    return "$pytest_status"
}

step_build() { build_gcc && count 1 0; }
step_clang() { build_in build-clang clang-14 '' && count 1 0; }
step_unit() { build_gcc && meson_tests build unit model; }
step_arch() { build_gcc && pytests build arch tests/arch; }
step_e2e() { build_gcc && pytests build e2e tests/e2e; }
step_interop() { build_gcc && pytests build interop tests/interop; }

step_asan() {
    build_asan || return
    asan_status=0
    meson_tests build-asan unit || asan_status=1
    pytests build-asan e2e-asan tests/e2e || asan_status=1
    return "$asan_status"
}

step_fuzz() {
    . .ci/commands/fuzz_targets.sh
    fuzz_build || return
    fuzz_status=0
    for target in $(fuzz_targets); do
        if fuzz_replay "$target" && fuzz_search "$target" "$test_seed_s"; then
            count 1 0
        else
            count 0 1
            fuzz_status=1
        fi
    done
    return "$fuzz_status"
}

step_configs() {
    build_gcc || return
    configs_status=0
    for file in config/*.yaml; do
        say "$file"
        if "$(program build floodgate)" -c "$file" --check; then
            count 1 0
        else
            count 0 1
            configs_status=1
        fi
    done
    return "$configs_status"
}

# Runs a step; sums what it counted into the totals.
step_run() { # STEP
    step_count=$test_out/$1.count
    step_log=$test_out/$1.log
    : >"$step_count"
    printf '%-8s ' "$1"
    step_began=$(date +%s)
    step_status=0
    ("step_$1") >"$step_log" 2>&1 || step_status=$?
    step_passed=$(awk '{ n += $1 } END { print n + 0 }' "$step_count")
    step_failed=$(awk '{ n += $2 } END { print n + 0 }' "$step_count")
    if [ "$step_status" -ne 0 ] && [ "$step_failed" -eq 0 ] || [ $((step_passed + step_failed)) -eq 0 ]; then
        step_failed=$((step_failed + 1))
    fi
    test_passed=$((test_passed + step_passed))
    test_failed=$((test_failed + step_failed))
    printf '%5d s   %d passed, %d failed\n' "$(($(date +%s) - step_began))" "$step_passed" "$step_failed"
    if [ "$step_failed" -ne 0 ]; then
        say "--- the end of $step_log:"
        tail -n 60 "$step_log"
        say "---"
    fi
}

for step in "$@"; do
    case " $test_steps " in
    *" $step "*) ;;
    *) fail "there is no test step '$step'; there are: $test_steps" ;;
    esac
done
# shellcheck disable=SC2086 # the lists are words
packages_need $packages_test
mkdir -p "$test_out"
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $test_steps
for step in "$@"; do
    step_run "$step"
done
say "$test_passed passed, $test_failed failed"
[ "$test_failed" -eq 0 ]
