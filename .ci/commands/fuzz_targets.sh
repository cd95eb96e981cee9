# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# The fuzz targets: tests/fuzz/NAME_fuzz.c with seeds in tests/fuzz/seeds/NAME. What a run finds stays in out/fuzz.

fuzz_dir=out/fuzz

# The targets that the build directory knows: TARGET names as ninja has them.
fuzz_binaries() {
    ninja -C build-fuzz -t targets all | sed -n 's/^\(tests\/fuzz\/fuzz_[^:\/]*\): .*/\1/p'
}

# Only the targets and what they link: the rest of this build is never run.
fuzz_build() {
    build_in build-fuzz clang-14 '-Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false' build.ninja &&
        fuzz_binaries | xargs -r ninja -C build-fuzz
}

fuzz_targets() {
    fuzz_binaries | sed 's/.*fuzz_//'
}

# Every seed once.
fuzz_replay() { # TARGET
    fuzz_seeds=tests/fuzz/seeds/$1
    if [ ! -d "$fuzz_seeds" ]; then
        say "no seeds in $fuzz_seeds"
        return 1
    fi
    "build-fuzz/tests/fuzz/fuzz_$1" -runs=0 "$fuzz_seeds"
}

# New inputs for so many seconds, from the seeds and what earlier runs found.
fuzz_search() { # TARGET SECONDS
    mkdir -p "$fuzz_dir/$1" "$fuzz_dir/findings"
    "build-fuzz/tests/fuzz/fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$fuzz_dir/findings/$1-" "$fuzz_dir/$1" "tests/fuzz/seeds/$1"
}
