# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC2034 # the lists are used by the commands
# Which Debian packages a command needs, and installing those that are missing.

packages_build='gcc libc6-dev meson ninja-build pkg-config libdpdk-dev libnuma-dev libpcap-dev libyaml-dev
    libevent-dev libjansson-dev libsnmp-dev libcmocka-dev'
packages_fuzz="$packages_build clang-14 libclang-rt-14-dev llvm-14"
packages_lint="$packages_build clang-14 clang-format-14 shellcheck"
packages_test="$packages_fuzz python3 python3-pytest python3-scapy tcpdump exabgp gobgpd bird2 frr
    iproute2 ethtool iputils-ping iputils-tracepath traceroute iperf3 snmpd snmptrapd snmp smitools"

# Names of those packages that are not installed.
packages_missing() { # PACKAGE...
    for package in "$@"; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

# Fails unless as_root can work; to be asked where stderr is still the terminal.
root_need() { # WHAT FOR
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || fail "$1 needs root, and there is no sudo here"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

packages_need() { # PACKAGE...
    command -v dpkg-query >/dev/null || fail "this is not Debian; install what corresponds to: $*"
    missing=$(packages_missing "$@")
    missing=${missing% }
    [ -n "$missing" ] || return 0
    root_need "apt-get install $missing"
    say "Installing Debian packages: $missing"
    mkdir -p out
    # shellcheck disable=SC2086 # the list is words
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $missing; } >out/packages.log 2>&1; then
        tail -n 20 out/packages.log >&2
        fail "packages could not be installed; the whole log: out/packages.log"
    fi
}
