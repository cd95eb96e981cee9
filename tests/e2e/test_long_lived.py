# SPDX-License-Identifier: BSD-3-Clause
"""Rules and routes of a peer that does not come back, handed on as long-lived stale: RFC 9494."""
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, host_rule, message
from router import Config, Peer, wait_for
from routes_raw import FAMILIES, THEM, UNICAST, US, Listener, capabilities, communities, route

LLGR_STALE, NO_LLGR = 0xFFFF0006, 0xFFFF0007
RULE, LIVE = host_rule("203.0.113.7"), host_rule("203.0.113.8")
ROUTES = ["198.18.0.0/16", "198.19.0.0/16", "198.20.0.0/16"]


def restart(asn, time_s, long_lived_s):
    """GRACEFUL RESTART and LONG-LIVED GRACEFUL RESTART for IPv4 unicast and flowspec."""
    families = [struct.pack("!HBB", IPV4, safi, 0x80) for safi in (UNICAST, bgp.FLOWSPEC)]
    return capabilities(asn, bgp.capability(64, struct.pack("!H", time_s) + b"".join(families)) + bgp.capability(
        71, b"".join(family + struct.pack("!I", long_lived_s)[1:] for family in families)))


def rule(nlri):
    return message(bgp.UPDATE, bgp.update_body(bgp.usual_attributes(THEM) + bgp.mp_reach(IPV4, nlri)))


@pytest.fixture
def network(start):
    def peer(name, number, asn, **options):
        return Peer(name, f"127.0.0.{number}", asn, options={"families": FAMILIES, "announce": "all", **options})
    peers = [peer("external", 2, THEM, **{"long-lived-stale-time": 1000}), peer("other", 3, 65003),
             peer("knowing", 4, US, **{"long-lived-stale-time": 1000}), peer("plain", 5, US)]
    router = start(Config(peers=peers))
    speakers = []

    def connect(name, offer):
        entry = next(peer for peer in peers if peer.name == name)
        speaker = Listener(router.config.bgp_port, source=entry.address, seconds=30)
        speakers.append(speaker)
        return speaker.establish(asn=entry.asn, router_id=entry.address.replace("127.0.0", "192.0.2"),
                                 capabilities=offer)
    yield connect, router
    for speaker in speakers:
        speaker.socket.close()


def test_long_lived_stale_is_said_to_those_who_know_of_it_and_to_nobody_else(network):
    connect, router = network
    knowing, plain = connect("knowing", restart(US, 60, 60)), connect("plain", capabilities(US))
    external, other = connect("external", restart(THEM, 1, 1000)), connect("other", capabilities(65003))
    external.send(rule(RULE) + route(ROUTES[0], extra=communities(THEM << 16 | 5))
                  + route(ROUTES[1], extra=communities(NO_LLGR)) + route(ROUTES[2]))
    other.send(route(ROUTES[2], ases=(65003, 65010, 65011), hop="192.0.2.3"))
    for speaker in (knowing, plain):
        speaker.routes(RULE, *ROUTES)
    external.socket.close()
    # a second later: what may stay does, and is least preferred
    knowing.until(lambda: set(knowing.known) == {RULE, ROUTES[0], ROUTES[2]}
                  and 8 in knowing.known[RULE] and struct.pack("!I", LLGR_STALE) in knowing.known[ROUTES[0]][8][1]
                  and len(knowing.known[ROUTES[2]][2][1]) > 6)
    assert knowing.known[RULE][8][1] == struct.pack("!I", LLGR_STALE)
    assert knowing.known[ROUTES[0]][8][1] == struct.pack("!II", THEM << 16 | 5, LLGR_STALE)
    plain.routes(ROUTES[2])
    assert plain.known[ROUTES[2]]["hop"] == bytes([192, 0, 2, 3])
    assert router.ask("rules")[0]["state"] == "stale"
    lost = [entry for entry in router.ask("routes", ROUTES[2])[0]["paths"] if not entry["best"]]
    assert [(entry["peer"], entry["lost_by"], entry["stale"]) for entry in lost] == [
        ("external", "long-lived-stale", True)]
    # and what comes to life again is said so
    again = connect("external", restart(THEM, 1, 1000))
    again.send(rule(RULE) + route(ROUTES[0], extra=communities(THEM << 16 | 5)) + route(ROUTES[2]))
    plain.until(lambda: set(plain.known) == {RULE, ROUTES[0], ROUTES[2]}
                and plain.known[ROUTES[2]]["hop"] != bytes([192, 0, 2, 3]))
    knowing.until(lambda: 8 not in knowing.known[RULE] and len(knowing.known[ROUTES[0]][8][1]) == 4)
    wait_for("the rule", lambda: router.ask("rules")[0]["state"] == "active", 30)


def test_what_was_stale_before_us_is_passed_on_only_to_those_who_know(network):
    connect, _ = network
    knowing, plain = connect("knowing", restart(US, 60, 60)), connect("plain", capabilities(US))
    external = connect("external", restart(THEM, 1, 1000))
    external.send(route(ROUTES[0], extra=communities(LLGR_STALE)) + route(ROUTES[1]))
    knowing.routes(ROUTES[0], ROUTES[1])
    plain.routes(ROUTES[1])
