# SPDX-License-Identifier: BSD-3-Clause
"""What a lost session leaves is taken out in slices; what the next one announces meanwhile is not among it."""
import socket
import struct

from bgp_raw import IPV4, IPV6, Speaker, announce, capability, host_rule, multiprotocol, value
from router import Config, Peer, wait_for

WAIT_S = 60
MANY = 5000  # more than one slice
# both families, but only IPv4 is kept over a restart
CAPABILITIES = (multiprotocol(IPV4) + multiprotocol(IPV6) + capability(65, struct.pack("!I", 65001))
                + capability(64, struct.pack("!HHBB", 600, IPV4, 133, 0x80)))


def host6(number):
    return value(b"\x01\x80\x00" + socket.inet_pton(socket.AF_INET6, f"2001:db8:7::{number:x}"))


def states(router):
    return {state: count for state, count in router.ask("status")["rules"].items() if count}


def filled(router):
    speaker = Speaker(router.config.bgp_port, seconds=WAIT_S).establish(capabilities=CAPABILITIES)
    for first in range(0, MANY, 100):
        speaker.send(announce(IPV6, *(host6(number) for number in range(first, first + 100))))
    speaker.send(announce(IPV4, host_rule("203.0.113.7")))
    wait_for("the rules", lambda: states(router) == {"active": MANY + 1}, WAIT_S)
    return speaker


def test_of_a_lost_peer_only_what_it_keeps_stays(start):
    router = start(Config(peers=[Peer()]))
    filled(router).socket.close()
    wait_for("the others to go", lambda: states(router) == {"stale": 1}, WAIT_S)
    assert f"gone with its session or not announced again: {MANY} rules and routes" in router.log
    assert router.ask("rules")[0]["family"] == "ipv4"
    assert router.peer()["rules_stale"] == {"ipv4": 1, "ipv6": 0}
    router.ctl("kill-switch", "on")
    assert router.peer()["rules_stale"] == {"ipv4": 0, "ipv6": 0}


def test_a_peer_that_is_back_at_once_loses_nothing_that_it_announces(start):
    router = start(Config(peers=[Peer()]))
    filled(router).socket.close()
    with Speaker(router.config.bgp_port, seconds=WAIT_S) as speaker:
        speaker.establish(capabilities=CAPABILITIES)
        speaker.send(announce(IPV6, host6(3), host6(MANY + 1)) + announce(IPV4, host_rule("203.0.113.7")))
        wait_for("what it announced, and that alone", lambda: states(router) == {"active": 3}, WAIT_S)
        assert sorted(router.rules()) == ["destination 2001:db8:7::1389/128", "destination 2001:db8:7::3/128",
                                          "destination 203.0.113.7/32 protocol =udp"]


def test_an_operator_who_takes_a_peer_down_takes_its_rules_along(start):
    router = start(Config(peers=[Peer()]))
    with filled(router) as speaker:
        router.ctl("peer", "detector", "down")
        assert speaker.notification() == (6, 2)
        wait_for("no rules", lambda: states(router) == {}, WAIT_S)
