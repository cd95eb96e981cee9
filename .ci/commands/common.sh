# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# What every command of `run` uses. The working directory is the top of the tree.

say() {
    printf '%s\n' "$*"
}

fail() {
    printf 'run: %s\n' "$*" >&2
    exit 1
}

# Runs a command with its output in a file; when it fails, says so and shows the end of the file.
quietly() { # WHAT LOG COMMAND...
    quiet_what=$1
    quiet_log=$2
    shift 2
    mkdir -p "$(dirname "$quiet_log")"
    if ! "$@" >"$quiet_log" 2>&1; then
        tail -n 40 "$quiet_log" >&2
        fail "$quiet_what failed; the whole log: $quiet_log"
    fi
}

# A build directory for each set of options: made once, then only what changed is built.
build_in() { # DIR CC 'MESON OPTIONS' [NINJA TARGET...]
    build_dir=$1
    build_cc=$2
    build_options=$3
    shift 3
    if [ ! -f "$build_dir/build.ninja" ]; then
        rm -rf "$build_dir"
        # shellcheck disable=SC2086 # the options are words
        CC=$build_cc meson setup "$build_dir" $build_options
    fi
    ninja -C "$build_dir" "$@"
}

program() { # BUILD_DIR NAME
    printf '%s' "$1/app/$2/$2"
}
