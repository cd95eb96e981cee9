# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run demo`: a controller announces rules over BGP, a capture with four attacks in it is played through the router,
# and what comes out is compared with the clean traffic that went in.

demo_dir=out/demo
demo_socket=$demo_dir/api.sock
demo_rules=config/demo.rules
demo_wait_s=20
router_pid=
controller_pid=

# Ends what was started here, however we leave.
demo_end() {
    for pid in $controller_pid $router_pid; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in $controller_pid $router_pid; do
        wait "$pid" 2>/dev/null || true
    done
    controller_pid=
    router_pid=
}

demo_fail() { # LOG MESSAGE
    tail -n 20 "$1" >&2
    fail "$2 (log: $1)"
}

# Asks again until the command succeeds, the process is gone or time is up.
demo_await() { # PID LOG WHAT COMMAND...
    await_pid=$1
    await_log=$2
    await_what=$3
    shift 3
    await_left=$((demo_wait_s * 10))
    until "$@"; do
        kill -0 "$await_pid" 2>/dev/null || demo_fail "$await_log" "$await_what: the program has ended"
        await_left=$((await_left - 1))
        [ "$await_left" -gt 0 ] || demo_fail "$await_log" "$await_what: not within $demo_wait_s seconds"
        sleep 0.1
    done
}

router_ready() {
    grep -qsx READY "$demo_dir/floodgate.out"
}

rules_active() {
    "$fgctl" -s "$demo_socket" -j rules --state active 2>/dev/null | tr ',' '\n' | grep -c '"nlri"'
}

rules_arrived() {
    [ "$(rules_active || true)" = "$rules_wanted" ]
}

demo_start() {
    rm -rf "$demo_dir"
    mkdir -p "$demo_dir"
    "$(program build fgdemo)" write "$demo_dir"

    # The totals go to a file first: as wide as the terminal that they end up on.
    if [ -t 1 ] && demo_columns=$(stty size 2>/dev/null </dev/tty); then
        export COLUMNS="${demo_columns#* }"
    fi
    # shellcheck disable=SC2086 # the options are words
    "$(program build floodgate)" -c config/demo.yaml $demo_options \
        >"$demo_dir/floodgate.out" 2>"$demo_dir/floodgate.log" &
    router_pid=$!
    demo_await "$router_pid" "$demo_dir/floodgate.log" "floodgate to be ready" router_ready

    "$(program build fginject)" --connect 127.0.0.1:11790 --local-as 65001 --hold "$demo_rules" \
        >"$demo_dir/fginject.log" 2>&1 &
    controller_pid=$!
    rules_wanted=$(grep -c '^match' "$demo_rules")
    demo_await "$controller_pid" "$demo_dir/fginject.log" "the rules of $demo_rules to be in force" rules_arrived
    say "$demo_rules: $rules_wanted rules announced by BGP and in force"
}

demo_play() {
    "$fgctl" -s "$demo_socket" dataplane start >"$demo_dir/fgctl.log" 2>&1 ||
        demo_fail "$demo_dir/fgctl.log" "fgctl dataplane start failed"
    status=0
    wait "$router_pid" || status=$?
    router_pid=
    [ "$status" -eq 0 ] || demo_fail "$demo_dir/floodgate.log" "floodgate left with status $status"
    say
    grep -vx READY "$demo_dir/floodgate.out"
    say
}

demo_verdict() {
    say "What came out, against the clean traffic that went in:"
    "$(program build fgdemo)" compare "$demo_dir/out.pcap" "$demo_dir/clean.pcap" ||
        fail "the output is not the clean traffic"
    say
    say "The output capture: $demo_dir/out.pcap   the router's log: $demo_dir/floodgate.log"
    say "Next, keep the router running and ask it about single packets: ./run demo --keep"
}

# The router stays, its capture played, until Ctrl-C.
demo_keep() {
    "$fgctl" -s "$demo_socket" dataplane start >"$demo_dir/fgctl.log" 2>&1 ||
        demo_fail "$demo_dir/fgctl.log" "fgctl dataplane start failed"
    say
    say "The router runs until you press Ctrl-C. In another terminal, from $(pwd):"
    say "  $fgctl -s $demo_socket rules"
    say "  $fgctl -s $demo_socket explain --pcap $demo_dir/in.pcap --nth 1"
    say "  $fgctl -s $demo_socket counters"
    wait "$router_pid" || true
}

case ${1:-} in
'') demo_options="--exit-idle 500 --stats $demo_dir/stats.json" ;;
--keep) demo_options= ;;
*) fail "demo takes no '$1'; did you mean --keep?" ;;
esac

# shellcheck disable=SC2086 # the list is words
packages_need $packages_build
say "Building ..."
quietly "the build" out/build.log build_in build gcc '' \
    app/floodgate/floodgate app/fgctl/fgctl app/fginject/fginject app/fgdemo/fgdemo
fgctl=$(program build fgctl)
trap demo_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
demo_start
if [ -n "$demo_options" ]; then
    demo_play
    demo_verdict
else
    demo_keep
fi
