# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run lint`: says every complaint, then fails if there was one.

# shellcheck disable=SC2086 # the list is words
packages_need $packages_lint
lint_status=0
lint() { # WHAT COMMAND...
    lint_what=$1
    shift
    if "$@"; then
        say "$lint_what: clean"
    else
        say "$lint_what: FAILED"
        lint_status=1
    fi
}

lint_format() {
    find app lib tests -name '*.[ch]' -exec clang-format-14 --dry-run -Werror {} +
}

lint_shell() {
    # A command's part uses what `run` defines and is read by its name: 1090, 2154, 2317 do not see that.
    shellcheck -x -e SC1090,SC2154,SC2317 run .ci/run .ci/commands/*.sh
}

lint_build() { # DIR CC
    build_in "$1" "$2" '' >out/lint.log 2>&1 || {
        tail -n 40 out/lint.log
        return 1
    }
}

mkdir -p out
lint "formatting" lint_format
lint "shell scripts" lint_shell
lint "gcc's warnings" lint_build build gcc
lint "clang's warnings" lint_build build-clang clang-14
exit "$lint_status"
