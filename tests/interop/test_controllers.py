# SPDX-License-Identifier: BSD-3-Clause
"""ExaBGP, GoBGP and BIRD as controllers: what they announce shows up with the right NLRI and bites on traffic, what
they withdraw stops biting, and a session that closes takes its rules along."""
import signal
import socket
import time

import pytest
from daemons import DAEMONS, PROTOCOLS, Bird, GoBgp
from frames import tcp6, udp4
from router import Config, Peer, balanced, free_port, wait_for

ADDRESS = "127.0.0.21"
WITHDRAWN_WITHIN_S = 0.1
RULES = [
    {"family": "ipv4", "destination": "203.0.113.7/32", "protocol": "udp", "source_port": 123},
    {"family": "ipv6", "destination": "2001:db8:7::7/128", "protocol": "tcp", "destination_port": 443},
]
FRAMES = {"ipv4": udp4(sport=123), "ipv6": tcp6(dport=443)}


def nlri(rule):
    """RFC 8955 4.2 and RFC 8956 3.1, from scratch."""
    address, length = rule["destination"].split("/")
    if rule["family"] == "ipv4":
        octets = b"\x01" + bytes([int(length)]) + socket.inet_aton(address)
    else:
        octets = b"\x01" + bytes([int(length), 0]) + socket.inet_pton(socket.AF_INET6, address)
    octets += bytes([3, 0x81, PROTOCOLS[rule["protocol"]]])
    for component, name in ((5, "destination_port"), (6, "source_port")):
        if name in rule:
            port = rule[name]
            octets += bytes([component, 0x81, port]) if port < 256 else bytes([component, 0x91, port >> 8, port & 255])
    return (bytes([len(octets)]) + octets).hex()


@pytest.fixture(params=DAEMONS, ids=lambda daemon: daemon.name)
def controller(request, tmp_path, start):
    """A router with traffic running round and round through it, and one daemon with a session to it."""
    router = start(Config(peers=[Peer("controller", ADDRESS)], wan="net_pcap0,rx_pcap=in.pcap,infinite_rx=1",
                          lan="net_null0,no-rx=1"), frames=list(FRAMES.values()))
    daemon = request.param(tmp_path / "daemon", ADDRESS, 65001, router.config.bgp_port, 65000)
    daemon.start()
    try:
        wait_for("the session", lambda: router.peer("controller")["state"] == "Established", 30)
        yield daemon, router
    finally:
        daemon.stop(signal.SIGKILL)


def discards(router):
    return router.ask("counters")["drops"]["flowspec_discard"]


def grows(count, seconds=0.05):
    before = count()
    time.sleep(seconds)
    return count() > before


def packets(router, rule):
    found = [each for each in router.ask("rules") if each["nlri"] == nlri(rule)]
    return found[0]["packets"] if found else None


def test_rules_come_bite_and_go(controller):
    daemon, router = controller
    for rule in RULES:
        daemon.announce(rule)
    shown = wait_for("both rules", lambda: len(router.ask("rules")) == 2 and router.ask("rules"), 15)
    assert [rule["nlri"] for rule in shown] == [nlri(rule) for rule in RULES], daemon.log()
    assert all(rule["state"] == "active" and rule["actions"] == ["discard"] for rule in shown)
    assert all(rule["source"] == {"kind": "bgp", "peer": "controller"} for rule in shown)
    for rule in RULES:
        wait_for("the rule to bite", lambda: grows(lambda: packets(router, rule)))
    # nothing of what the rules discard leaves
    assert not grows(lambda: router.ask("counters")["tx_packets"], 0.2)

    for rule in RULES:
        daemon.withdraw(rule)
        wait_for("the withdrawal", lambda: packets(router, rule) is None, 15)
    time.sleep(WITHDRAWN_WITHIN_S)
    assert not grows(lambda: discards(router), 0.2), "a withdrawn rule still bites"
    router.ctl("dataplane", "stop")
    assert balanced(router.ask("counters"))


@pytest.mark.parametrize("kind", [GoBgp, Bird], ids=["gobgpd", "bird"])
def test_the_router_connects(tmp_path, start, kind):
    """The other way round: the daemon listens and waits; it comes later than the router, and once more."""
    port = free_port()
    router = start(Config(peers=[Peer("controller", ADDRESS, passive=False,
                                      options={"port": port, "connect-retry": 1})]))
    for _ in range(2):
        daemon = kind(tmp_path / "daemon", ADDRESS, 65001, router.config.bgp_port, 65000, listen=port)
        daemon.start()
        try:
            wait_for("the session", lambda: router.peer("controller")["state"] == "Established")
            for rule in RULES:
                daemon.announce(rule)
            shown = wait_for("both rules", lambda: len(router.ask("rules")) == 2 and router.ask("rules"))
            assert [rule["nlri"] for rule in shown] == [nlri(rule) for rule in RULES]
        finally:
            daemon.stop(signal.SIGKILL)
        wait_for("the rules to go", lambda: router.ask("rules") == [])


def test_a_session_that_closes_takes_its_rules_along(controller):
    daemon, router = controller
    for rule in RULES:
        daemon.announce(rule)
    wait_for("both rules", lambda: len(router.ask("rules")) == 2, 15)
    daemon.stop(signal.SIGKILL)
    wait_for("the rules to go", lambda: router.ask("rules") == [])
    time.sleep(WITHDRAWN_WITHIN_S)
    assert not grows(lambda: discards(router), 0.2)
    assert router.peer("controller")["state"] != "Established"


def test_refresh_brings_the_same_rules(controller):
    daemon, router = controller
    for rule in RULES:
        daemon.announce(rule)
    before = wait_for("both rules", lambda: len(router.ask("rules")) == 2 and router.ask("rules"), 15)
    router.ctl("peer", "controller", "refresh")
    time.sleep(1)
    after = router.ask("rules")
    assert [(rule["id"], rule["nlri"]) for rule in after] == [(rule["id"], rule["nlri"]) for rule in before]
    assert router.peer("controller")["state"] == "Established"
