# SPDX-License-Identifier: BSD-3-Clause
"""A peer that restarts: what it announced stays as stale until it is announced again, or goes (RFC 4724 4.2)."""
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, Speaker, announce, host_rule, message
from frames import udp4
from router import Config, Peer, wait_for
from routes_raw import THEM, UNICAST, route

WAIT_S = 60
ONE, TWO = host_rule("203.0.113.7"), host_rule("203.0.113.8")
SAFIS = (UNICAST, bgp.FLOWSPEC)
END = message(bgp.UPDATE, b"\0\0\0\0") + message(bgp.UPDATE, bgp.update_body(bgp.mp_unreach(IPV4, b"")))
R = 0x8000
PEERS = [Peer(options={"families": ["ipv4-unicast", "ipv4-flowspec"]})]


def restart(time_s=600, safis=SAFIS, forwarding=0x80, flags=0):
    return bgp.capability(64, struct.pack("!H", flags | time_s) + b"".join(
        struct.pack("!HBB", IPV4, safi, forwarding) for safi in safis))


def capabilities(graceful):
    families = b"".join(bgp.multiprotocol(IPV4, safi) for safi in SAFIS)
    return families + bgp.capability(65, struct.pack("!I", THEM)) + graceful


@pytest.fixture
def router(start):
    return start(Config(peers=PEERS))


def connect(router, graceful=restart()):
    return Speaker(router.config.bgp_port, seconds=WAIT_S).establish(capabilities=capabilities(graceful))


def rules(router):
    return {rule["match"].split()[1].removesuffix("/32")[-1]: rule["state"] for rule in router.ask("rules")}


def routes(router):
    return {entry["prefix"]: "stale" if entry["paths"][0]["stale"] else "fresh" for entry in router.ask("routes")}


def comes_to(router, some_rules, some_routes):
    wait_for(f"{some_rules} and {some_routes}", lambda: (rules(router), routes(router)) == (some_rules, some_routes),
             WAIT_S)


def lost(router, graceful=restart()):
    """A session that announced two rules and two routes, and was lost."""
    with connect(router, graceful) as speaker:
        speaker.send(announce(IPV4, ONE, TWO) + route("198.18.0.0/16", "198.19.0.0/16") + END)
        comes_to(router, {"7": "active", "8": "active"}, {"198.18.0.0/16": "fresh", "198.19.0.0/16": "fresh"})


STALE = {"7": "stale", "8": "stale"}, {"198.18.0.0/16": "stale", "198.19.0.0/16": "stale"}


def updates(speaker, count):
    """Bodies of the next UPDATEs."""
    bodies = []
    while len(bodies) < count:
        kind, body = speaker.receive()
        assert kind is not None
        bodies += [body] if kind == bgp.UPDATE else []
    return bodies


# conforms: RFC 4724 proves 4.2-4 4.2-10 4.2-11 4.2-12
def test_what_is_announced_again_stays_and_the_rest_goes_at_the_end(router):
    lost(router)
    comes_to(router, *STALE)
    with connect(router) as speaker:
        assert set(updates(speaker, 2)) == {b"\0\0\0\0", bgp.update_body(bgp.mp_unreach(IPV4, b""))}
        speaker.send(announce(IPV4, ONE, communities=bytes.fromhex("800600004abebc20")) + route("198.19.0.0/16"))
        comes_to(router, {"7": "active", "8": "stale"}, {"198.18.0.0/16": "stale", "198.19.0.0/16": "fresh"})
        assert router.ask("rules")[0]["actions"] == ["rate-limit 50mbps"], "replaced"
        speaker.send(END)
        comes_to(router, {"7": "active"}, {"198.19.0.0/16": "fresh"})


# conforms: RFC 4724 proves 4.2-6
def test_a_stale_rule_is_enforced_as_any_other(start):
    router = start(Config(peers=PEERS, start="manual"), frames=[udp4(dst="203.0.113.7"), udp4(dst="203.0.113.9")])
    lost(router)
    comes_to(router, *STALE)
    router.ctl("dataplane", "start")
    wait_for("both packets", lambda: router.ask("counters")["rx_packets"] == 2, WAIT_S)
    wait_for("the drop", lambda: router.ask("counters")["drops"]["flowspec_discard"] == 1, WAIT_S)
    assert [rule["packets"] for rule in router.ask("rules")] == [1, 0]


# conforms: RFC 4724 proves 4.2-5
def test_what_is_stale_when_it_restarts_again_goes(router):
    lost(router)
    with connect(router) as speaker:
        speaker.send(announce(IPV4, ONE) + route("198.19.0.0/16"))
        comes_to(router, {"7": "active", "8": "stale"}, {"198.18.0.0/16": "stale", "198.19.0.0/16": "fresh"})
    comes_to(router, {"7": "stale"}, {"198.19.0.0/16": "stale"})


# conforms: RFC 4724 proves 4.2-9
@pytest.mark.parametrize("graceful, kept_rules, kept_routes", [
    (restart(forwarding=0), {}, {}), (b"", {}, {}), (restart(safis=(bgp.FLOWSPEC,)), STALE[0], {}),
    (restart(safis=(UNICAST,)), {}, STALE[1])], ids=["not-preserved", "no-capability", "rules-alone", "routes-alone"])
def test_what_it_has_not_preserved_goes_as_soon_as_it_is_back(router, graceful, kept_rules, kept_routes):
    lost(router)
    comes_to(router, *STALE)
    with connect(router, graceful):
        comes_to(router, kept_rules, kept_routes)


# conforms: RFC 4724 proves 4.2-8
def test_when_it_is_not_back_in_time_all_of_it_goes(router):
    lost(router, restart(time_s=1))
    comes_to(router, {}, {})
    assert "the time for it to come back has passed" in router.log


# conforms: RFC 4724 proves 3-2 3-4 refuses 3-2 3-4
def test_of_several_capabilities_the_last_counts_and_reserved_bits_do_not(router):
    lost(router, restart(time_s=1, safis=()) + restart(forwarding=0xFF, flags=0x3000))
    comes_to(router, *STALE)
    with connect(router, restart(forwarding=0x7F)):  # every bit but the one that says that it is preserved
        comes_to(router, {}, {})


# conforms: RFC 4724 proves 4.1-3 4.2-7
def test_we_say_that_we_have_restarted_once(router):
    for restarted in (True, False):
        with Speaker(router.config.bgp_port, seconds=WAIT_S) as speaker:
            speaker.send(message(bgp.OPEN, bgp.open_body(capabilities=capabilities(restart()))))
            kind, body = speaker.receive()
            at = body.index(b"\x40\x0a", 10)  # graceful restart, two families
            flags, = struct.unpack("!H", body[at + 2:at + 4])
            assert kind == bgp.OPEN and bool(flags & R) == restarted and not flags & 0x3000
            speaker.send(message(bgp.KEEPALIVE))
            assert speaker.receive()[0] == bgp.KEEPALIVE
            wait_for("the session", lambda: router.peer()["state"] == "Established", WAIT_S)
