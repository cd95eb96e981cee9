# SPDX-License-Identifier: BSD-3-Clause
"""ExaBGP, GoBGP and BIRD take the rules that we hand on: both families, withdrawals, thousands without a flap."""
import signal

import pytest
from daemons import DAEMONS, Bird, GoBgp
from router import Config, Peer, end, wait_for

ADDRESS = "127.0.0.22"
WITHIN_S = 60
RULES = ["match destination 203.0.113.7/32 protocol udp source-port 123 then discard",
         "match destination 203.0.113.0/24 packet-length >1400 tcp-flags syn then rate-limit 10mbps",
         "match destination 2001:db8:7::7/128 protocol tcp destination-port 443 then discard"]
MANY = [f"match destination 198.18.{i // 200}.{i % 200}/32 protocol udp source-port {port} then discard"
        for i in range(2000) for port in (19, 53, 123, 389, 1900)]


def receiver(kind, tmp_path, start, rules):
    router = start(Config(rules=rules, peers=[Peer("receiver", ADDRESS, 65002, options={"announce": "rules"}), Peer()]))
    daemon = kind(tmp_path / "daemon", ADDRESS, 65002, router.config.bgp_port, 65000)
    daemon.imports = "all"
    daemon.start()
    return router, daemon


def comes_to(router, daemon, ipv4, ipv6):
    try:
        wait_for(f"{ipv4} and {ipv6} rules", lambda: (daemon.known("ipv4"), daemon.known("ipv6")) == (ipv4, ipv6),
                 WITHIN_S)
    except AssertionError as error:
        raise AssertionError(f"{error}, but {daemon.known('ipv4')} and {daemon.known('ipv6')}\n{daemon.log()}\n"
                             f"{router.log}") from None
    assert router.peer("receiver")["rules_sent"] == {"ipv4": ipv4, "ipv6": ipv6}


@pytest.mark.parametrize("kind", DAEMONS, ids=lambda daemon: daemon.name)
def test_rules_of_ours_arrive_and_go(tmp_path, start, kind):
    router, daemon = receiver(kind, tmp_path, start, RULES)
    try:
        comes_to(router, daemon, 2, 1)
        router.ctl("rule", "add", "match destination 203.0.113.9/32 then discard")
        router.ctl("rule", "add", "match destination 2001:db8:7::9/128 then discard")
        comes_to(router, daemon, 3, 2)
        for rule in router.ask("rules"):
            if ".9/32" in rule["match"] or "::9/128" in rule["match"]:
                router.ctl("rule", "del", str(rule["id"]))
        comes_to(router, daemon, 2, 1)
        peer = router.peer("receiver")
        assert (peer["state"], peer["established_count"]) == ("Established", 1), daemon.log()
    finally:
        daemon.stop(signal.SIGKILL)


@pytest.mark.parametrize("kind", DAEMONS, ids=lambda daemon: daemon.name)
def test_ten_thousand_rules_without_a_flap(tmp_path, start, kind):
    router, daemon = receiver(kind, tmp_path, start, [])
    try:
        wait_for("the session", lambda: router.peer("receiver")["state"] == "Established", 30)
        injector = router.inject(MANY)
        comes_to(router, daemon, len(MANY), 0)
        end(injector)  # its rules go with it
        comes_to(router, daemon, 0, 0)
        assert router.peer("receiver")["established_count"] == 1
    finally:
        daemon.stop(signal.SIGKILL)
