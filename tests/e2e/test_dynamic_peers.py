# SPDX-License-Identifier: BSD-3-Clause
"""Dynamic neighbours: an entry with a `range` stands for as many peers as come from its addresses."""
import json
import socket
import struct
import time

import pytest
from bgp_raw import IPV4, KEEPALIVE, OPEN, Speaker, announce, attribute, capability, host_rule, message, \
    multiprotocol, open_body, update_body
from router import Config, Peer, wait_for

TCP_MD5SIG = 14
WAIT_S = 30


def entry(name, prefix, asn=65001, **options):
    """A peer of the configuration with a range in the place of an address."""
    keys = {"range": prefix, **{key.replace("_", "-"): value for key, value in options.items()}}
    peer = Peer(name, None, asn, options=keys)
    peer.yaml = lambda: _yaml(peer)
    return peer


def _yaml(peer):
    return "    - " + json.dumps({"name": peer.name, "asn": peer.asn, "validation": "none", **peer.options})


def names(router):
    return sorted(peer["name"] for peer in router.ask("peers"))


def up(router, name):
    return wait_for(f"{name} to be up", lambda: [peer for peer in router.ask("peers") if peer["name"] == name
                                                 and peer["state"] == "Established"], WAIT_S)[0]


def forgotten(router, name):
    wait_for(f"{name} to be forgotten", lambda: name not in names(router), WAIT_S)


def ranges(router):
    return {each["name"]: each for each in router.ask("status")["sessions"]["ranges"]}


def speak(router, address, password=None, **options):
    if password is None:
        return Speaker(router.config.bgp_port, address).establish(**options)
    speaker = Speaker.__new__(Speaker)
    speaker.received = b""
    speaker.socket = socket.socket()
    speaker.socket.settimeout(WAIT_S)
    speaker.socket.bind((address, 0))
    key = struct.pack("=HH4s120x", socket.AF_INET, 0, socket.inet_aton("127.0.0.1"))
    speaker.socket.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG,
                              key + struct.pack("=BBHI80s", 0, 0, len(password), 0, password.encode()))
    speaker.socket.connect(("127.0.0.1", router.config.bgp_port))
    return speaker.establish(**options)


def test_each_address_of_a_range_becomes_a_peer_and_goes_with_its_session(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24", max_peers=2)]))
    assert names(router) == [] and ranges(router)["sensors"]["max_peers"] == 2
    first = speak(router, "127.0.4.1", router_id="192.0.2.101")
    second = speak(router, "127.0.4.2", router_id="192.0.2.102")
    peer = up(router, "sensors@127.0.4.1")
    assert (peer["address"], peer["range"], peer["passive"]) == ("127.0.4.1", "sensors", True)
    up(router, "sensors@127.0.4.2")
    first.send(announce(IPV4, host_rule("203.0.113.7")))
    assert router.wait_rules(1)[0]["source"] == {"kind": "bgp", "peer": "sensors@127.0.4.1"}
    # the same rule of another one: both hold it, and it stays when one of them goes
    second.send(announce(IPV4, host_rule("203.0.113.7")))
    wait_for("the other's rule", lambda: router.peer("sensors@127.0.4.2")["rules_received"]["ipv4"] == 1, WAIT_S)
    assert "sensors 127.0.4.0/24: 2 of at most 2 peers, 0 connections refused" in router.ctl("status")
    assert "it goes when its session and rules have gone" in router.ctl("peer", "sensors@127.0.4.1")

    with Speaker(router.config.bgp_port, "127.0.4.3") as third:
        assert third.receive() == (None, b"")  # closed, and told nothing
    assert ranges(router)["sensors"]["refused_connections"] == 1
    assert "connection from 127.0.4.3 closed: range sensors has all of its max-peers of 2" in router.log
    assert router.ask("status")["sessions"]["unknown_connections"] == 0

    first.socket.close()
    forgotten(router, "sensors@127.0.4.1")
    rule, = router.wait_rules(1)
    assert rule["source"]["peer"] == "sensors@127.0.4.2"
    third = speak(router, "127.0.4.3", router_id="192.0.2.103")
    up(router, "sensors@127.0.4.3")
    second.socket.close()
    forgotten(router, "sensors@127.0.4.2")
    router.wait_rules(0)
    third.socket.close()


def test_a_peer_of_its_own_wins_over_a_range_and_the_longest_range_over_others(start):
    router = start(Config(peers=[entry("all", "127.0.0.0/8"), entry("few", "127.0.4.0/24"),
                                 Peer("one", "127.0.4.9")]))
    with speak(router, "127.0.4.9"), speak(router, "127.0.4.8"), speak(router, "127.0.5.8"):
        for name in ("one", "few@127.0.4.8", "all@127.0.5.8"):
            up(router, name)
        assert names(router) == ["all@127.0.5.8", "few@127.0.4.8", "one"]


def test_an_address_out_of_every_range_is_nobodys(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24")]))
    with Speaker(router.config.bgp_port, "127.0.5.1") as speaker:
        assert speaker.receive() == (None, b"")
    assert router.ask("status")["sessions"]["unknown_connections"] == 1 and names(router) == []


def restart_capability(seconds, families=((IPV4, 133),)):
    listed = b"".join(struct.pack("!HBB", afi, safi, 0x80) for afi, safi in families)
    return multiprotocol(IPV4) + capability(65, struct.pack("!I", 65001)) + \
        capability(64, struct.pack("!H", seconds) + listed)


def test_rules_of_a_peer_that_may_restart_keep_it(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24")]))
    with speak(router, "127.0.4.1", capabilities=restart_capability(600)) as speaker:
        speaker.send(announce(IPV4, host_rule("203.0.113.7")))
        router.wait_rules(1)
    router.wait_rules(1, "stale", WAIT_S)
    time.sleep(1.5)  # more than one look of the reaper's
    assert names(router) == ["sensors@127.0.4.1"]
    # it comes back: the same peer, and its next restart time is short
    with speak(router, "127.0.4.1", capabilities=restart_capability(1)) as speaker:
        speaker.send(announce(IPV4, host_rule("203.0.113.7")) + message(2, update_body(attribute(
            0x80, 15, struct.pack("!HB", IPV4, 133)))))  # and its End-of-RIB
        router.wait_rules(1, "active", WAIT_S)
        assert router.peer("sensors@127.0.4.1")["established_count"] == 2
    forgotten(router, "sensors@127.0.4.1")
    assert router.ask("rules") == []


def test_a_peer_that_keeps_breaking_the_session_is_remembered(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24")]))
    for _ in range(2):
        with speak(router, "127.0.4.1") as speaker:
            up(router, "sensors@127.0.4.1")
            speaker.send(b"\0" * 19)  # no marker
            assert speaker.notification() == (1, 1)
    wait_for("the hold", lambda: router.peer("sensors@127.0.4.1")["state"] == "Idle", WAIT_S)
    time.sleep(1.5)
    assert names(router) == ["sensors@127.0.4.1"]


def test_the_operators_word_is_remembered(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24")]))
    with speak(router, "127.0.4.1") as speaker:
        router.ctl("peer", "sensors@127.0.4.1", "down", "enough")
        assert speaker.notification() == (6, 2)
    time.sleep(1.5)
    with Speaker(router.config.bgp_port, "127.0.4.1") as speaker:
        assert speaker.notification() == (6, 5)
    router.ctl("peer", "sensors@127.0.4.1", "up")
    forgotten(router, "sensors@127.0.4.1")
    with speak(router, "127.0.4.1"):
        up(router, "sensors@127.0.4.1")


# conforms: RFC 4271 proves E-3
def test_a_password_holds_for_the_whole_range(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24", password="s3cret"),
                                 Peer("one", "127.0.4.9", options={"password": "other"})]))
    with speak(router, "127.0.4.1", "s3cret"), speak(router, "127.0.4.2", "s3cret"), \
            speak(router, "127.0.4.9", "other"):
        for name in ("sensors@127.0.4.1", "sensors@127.0.4.2", "one"):
            assert up(router, name)["password"]
        for address, password in (("127.0.4.3", None), ("127.0.4.3", "other"), ("127.0.4.9", "s3cret")):
            with pytest.raises(OSError):
                with_timeout(router, address, password)
    # another password for the range: who has the former one loses its session and does not come again
    router.config.peers[0] = entry("sensors", "127.0.4.0/24", password="changed")
    router.configure()
    router.ctl("reload")
    with pytest.raises(OSError):
        with_timeout(router, "127.0.4.1", "s3cret")
    with speak(router, "127.0.4.1", "changed"):
        up(router, "sensors@127.0.4.1")
    # none any more
    router.config.peers[0] = entry("sensors", "127.0.4.0/25")
    router.configure()
    router.ctl("reload")
    with speak(router, "127.0.4.1"):
        assert not up(router, "sensors@127.0.4.1")["password"]


def with_timeout(router, address, password):
    """The kernel answers no SYN without the right signature, so that a second is as good as any."""
    global WAIT_S
    if password is None:
        return Speaker(router.config.bgp_port, address, 1)
    before, WAIT_S = WAIT_S, 1
    try:
        return speak(router, address, password)
    finally:
        WAIT_S = before


def with_ttl(router, address, ttl):
    speaker = Speaker.__new__(Speaker)
    speaker.received, speaker.socket = b"", socket.socket()
    speaker.socket.settimeout(WAIT_S)
    speaker.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    speaker.socket.bind((address, 0))
    speaker.socket.connect(("127.0.0.1", router.config.bgp_port))
    return speaker


def hears_nothing(speaker):
    try:
        assert speaker.receive()[0] is None
    except ConnectionResetError:
        pass


def test_ttl_security_holds_for_the_range(start):
    router = start(Config(peers=[entry("near", "127.0.4.0/24", ttl_security=True)]))
    with with_ttl(router, "127.0.4.1", 254) as far:
        # all at once, before the router can have looked at the connection
        far.send(message(OPEN, open_body()) + message(KEEPALIVE) + announce(IPV4, host_rule("203.0.113.7")))
        hears_nothing(far)
    wait_for("the line", lambda: "peer near@127.0.4.1: a connection from it was closed: it is not one hop away" in
             router.log, WAIT_S)
    assert router.ask("rules") == []
    with with_ttl(router, "127.0.4.2", 255) as near:
        near.establish()
        assert up(router, "near@127.0.4.2")["ttl_security"]


def test_reload(start):
    sensors = entry("sensors", "127.0.4.0/24", max_peers=5)
    router = start(Config(peers=[sensors]))
    with speak(router, "127.0.4.1") as first, speak(router, "127.0.4.2") as second, speak(router, "127.0.4.3") as third:
        for number in (1, 2, 3):
            up(router, f"sensors@127.0.4.{number}")
        # fewer places, and a rule filter: those that are there stay
        router.config.peers = [entry("sensors", "127.0.4.0/24", max_peers=1)]
        router.configure()
        assert "nothing differs" in router.ctl("reload")
        assert [peer["established_count"] for peer in router.ask("peers")] == [1, 1, 1]
        with Speaker(router.config.bgp_port, "127.0.4.4") as fourth:
            assert fourth.receive() == (None, b"")
        # one gets an entry of its own, one a longer range: both come again as such
        router.config.peers = [entry("sensors", "127.0.4.0/24"), Peer("own", "127.0.4.1"),
                               entry("longer", "127.0.4.2/31")]
        router.configure()
        router.ctl("reload")
        assert first.notification() == (6, 3) and second.notification() == (6, 3) and third.notification() == (6, 3)
        first, second = speak(router, "127.0.4.1"), speak(router, "127.0.4.2")
        for name in ("own", "longer@127.0.4.2"):
            up(router, name)
        # a changed entry ends its sessions, one that is gone does, too
        router.config.peers = [entry("sensors", "127.0.4.0/24"), Peer("own", "127.0.4.1"),
                               entry("longer", "127.0.4.2/31", hold_time=30)]
        router.configure()
        router.ctl("reload")
        assert second.notification() == (6, 6)
        second = speak(router, "127.0.4.2")
        up(router, "longer@127.0.4.2")
        router.config.peers = [Peer("own", "127.0.4.1")]
        router.configure()
        router.ctl("reload")
        assert second.notification() == (6, 3)
        assert names(router) == ["own"] and router.peer("own")["established_count"] == 1


def test_a_scanner_does_not_fill_the_log(start):
    router = start(Config(peers=[entry("sensors", "127.0.4.0/24", max_peers=100)]))
    for last in range(1, 41):
        with Speaker(router.config.bgp_port, f"127.0.4.{last}") as speaker:
            speaker.send(b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
            assert speaker.notification() == (1, 1)
    with speak(router, "127.0.4.50"):
        up(router, "sensors@127.0.4.50")
    lines = [line for line in router.log.splitlines() if "peer sensors@127.0.4." in line and "127.0.4.50" not in line]
    # five of a kind in half a minute, of the range: what is wrong, and who is forgotten
    assert 1 <= len(lines) < 40, lines
