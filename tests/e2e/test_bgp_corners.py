# SPDX-License-Identifier: BSD-3-Clause
"""Sentences of the RFCs that no other test of the running router is about."""
import re
import subprocess

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, IPV6, Speaker, host_rule, value
from router import Config, Peer, wait_for

GOOD = host_rule("203.0.113.7")
GOOD6 = value(b"\x01\x80\x00" + bytes.fromhex("20010db8000700000000000000000007"))


@pytest.fixture
def router(start):
    return start(Config(peers=[Peer(), Peer("second", "127.0.0.2", 65002)]))


def connect(router, **options):
    return Speaker(router.config.bgp_port, seconds=30, **options)


# conforms: RFC 4760 proves 7-1 7-3 refuses 7-1
@pytest.mark.parametrize("attribute", [
    bgp.mp_reach(IPV4, b"\x20" + GOOD[1:]),  # the rule runs past the end
    bgp.mp_unreach(IPV4, b"\xf0"),
    bgp.attribute(0x80, 14, b"\0\1\x85\x08\0"),  # the next hop does
    bgp.attribute(0x80, 14, b"\0\1\x85"),
    bgp.attribute(0x80, 15, b"\0\1"),
], ids=["reach", "unreach", "next-hop", "short-reach", "short-unreach"])
def test_an_incorrect_mp_attribute_costs_all_rules_of_the_neighbour(router, attribute):
    with connect(router, source="127.0.0.2").establish(asn=65002) as second, connect(router).establish() as speaker:
        second.send(bgp.announce(IPV4, host_rule("203.0.113.9"), asn=65002))
        speaker.send(bgp.announce(IPV4, GOOD) + bgp.announce(IPV6, GOOD6))
        router.wait_rules(3, seconds=30)
        speaker.send(bgp.message(bgp.UPDATE, bgp.update_body(attribute + bgp.usual_attributes())))
        assert speaker.notification() == (3, 9)  # UPDATE message error, optional attribute error
        rule, = router.wait_rules(1, seconds=30)
        assert rule["source"]["peer"] == "second"


# conforms: RFC 4271 proves 6.7-1 refuses 6.6-1
@pytest.mark.parametrize("octets, subcode", [
    (bgp.announce(IPV4, GOOD), 2), (bgp.message(bgp.OPEN, bgp.open_body()), 2),
    (bgp.message(bgp.ROUTE_REFRESH, b"\0\1\0\x85"), 2)], ids=["update", "open", "refresh"])
def test_what_comes_before_the_keepalive_is_an_error_of_the_state_machine(router, octets, subcode):
    """RFC 6608: subcode 2 is OpenConfirm."""
    with connect(router) as speaker:
        speaker.send(bgp.message(bgp.OPEN, bgp.open_body()) + octets)
        assert speaker.notification() == (5, subcode)
    assert router.ask("rules") == []


# conforms: RFC 4271 proves E-2
def test_bgp_goes_first_where_queues_are_full(router):
    def marks():
        listed = subprocess.run(["ss", "-tnH", "--tos", f"sport = :{router.config.bgp_port}"], capture_output=True,
                                text=True, check=True).stdout
        return re.findall(r"tos:(0x[0-9a-f]+)", listed)

    with connect(router).establish():
        assert wait_for("the socket to be listed", marks, 30) == ["0xc0"]  # DSCP 110 000


# conforms: RFC 4271 proves 8.2.1-1
def test_each_peer_has_a_state_machine_of_its_own(router):
    with connect(router, source="127.0.0.2").establish(asn=65002):
        with connect(router) as speaker:
            speaker.send(bgp.message(bgp.UPDATE, b"\0\0\0\0"))
            assert speaker.notification() == (5, 1)
        wait_for("the first to be down", lambda: router.peer()["state"] != "Established", 30)
        assert router.peer("second")["state"] == "Established"


# conforms: RFC 8955 proves 4.2-4
def test_a_rule_that_matches_no_packet_is_not_handed_on(start):
    router = start(Config(peers=[Peer(), Peer("inside", "127.0.0.2", 65000)]))
    never = value(bytes.fromhex("038101 05810a"))  # protocol ICMP and destination port 10
    with connect(router, source="127.0.0.2").establish(asn=65000, router_id="192.0.2.2") as inside, \
            connect(router).establish() as speaker:
        speaker.send(bgp.announce(IPV4, never) + bgp.announce(IPV4, GOOD))
        told = b""
        while GOOD not in told:
            kind, body = inside.receive()
            assert kind in (bgp.UPDATE, bgp.KEEPALIVE)
            told += body
        assert never not in told
        states = {rule["nlri"]: rule["state"] for rule in router.ask("rules")}
        assert states == {never.hex(): "never-matches", GOOD.hex(): "active"}
