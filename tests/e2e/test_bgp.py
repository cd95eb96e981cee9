# SPDX-License-Identifier: BSD-3-Clause
"""BGP from the other side of the socket: sound peers, wrong ones, and rubbish (RFC 4271, 4760, 7606, 8955, 8956)."""
import os
import socket
import struct
import time

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, IPV6, Speaker, host_rule, value
from router import Config, Peer, end, wait_for

GOOD = host_rule("203.0.113.7")
MATCH = "destination 203.0.113.7/32 protocol =udp"

HUNDRED = [f"203.0.113.{last}" for last in range(100)]

# what is wrong with it: an NLRI whose length field is sound (RFC 8955 4.2, 10)
BAD_NLRI = {
    "no component": value(b""),
    "unknown type": value(b"\x63\x81\x06"),
    "out of order": value(b"\x03\x81\x11\x01\x20\xcb\x00\x71\x07"),
    "twice": value(b"\x03\x81\x11\x03\x81\x06"),
    "prefix of 33 bits": value(b"\x01\x21\xcb\x00\x71\x07\x00"),
    "prefix cut short": value(b"\x01\x20\xcb\x00"),
    "no end of list": value(b"\x03\x01\x11"),
    "value cut short": value(b"\x04\x91\x11"),
    "fragment of 2 octets": value(b"\x0c\x91\x00\x01"),
    "tcp flags of 4 octets": value(b"\x09\xa1\x00\x00\x00\x02"),
}


@pytest.fixture
def router(start):
    return start(Config(peers=[Peer(), Peer("second", "127.0.0.2", 65002)]))


def connect(router, **options):
    return Speaker(router.config.bgp_port, **options)


# conforms: RFC 4271 proves 9-1
# conforms: RFC 4271 proves 9-1
# conforms: RFC 4271 proves 9-1
def test_announce_withdraw_and_close(router):
    with connect(router).establish() as speaker:
        speaker.send(bgp.announce(IPV4, GOOD, host_rule("203.0.113.8")))
        rules = router.wait_rules(2)
        assert [rule["nlri"] for rule in rules] == [GOOD.hex(), host_rule("203.0.113.8").hex()]
        assert rules[0]["actions"] == ["discard"] and rules[0]["source"] == {"kind": "bgp", "peer": "detector"}
        speaker.send(bgp.withdraw(IPV4, GOOD))
        assert router.wait_rules(1)[0]["nlri"] == host_rule("203.0.113.8").hex()
        assert router.peer()["state"] == "Established"
    router.wait_rules(0)


def test_ipv6_rules_by_both_forms_of_length(router):
    long_rule = value(b"\x01\x80\x00" + bytes.fromhex("20010db8000700000000000000000007") + b"\x05"
                      + b"".join(b"\x11" + (1000 + i).to_bytes(2, "big") for i in range(80)) + b"\x91\x10\x50")
    assert len(long_rule) > 242
    with connect(router).establish() as speaker:
        speaker.send(bgp.announce(IPV6, long_rule, value(b"\x0d\xa1\x00\x0a\xbc\xde")))
        by_nlri = {rule["nlri"]: rule for rule in router.wait_rules(2)}
        assert by_nlri[long_rule.hex()]["family"] == "ipv6"
        assert by_nlri["060da1000abcde"]["match"] == "flow-label =703710"


# conforms: RFC 8955 proves 10-1 refuses 4.2-1 4.2-2 4.2-3 10-1
# conforms: RFC 8955 proves 10-1 refuses 4.2-1 4.2-2 4.2-3 10-1
# conforms: RFC 8955 proves 10-1 refuses 4.2-1 4.2-2 4.2-3 10-1
@pytest.mark.parametrize("what", BAD_NLRI)
def test_a_bad_nlri_is_refused_alone(router, what):
    with connect(router).establish() as speaker:
        speaker.send(bgp.announce(IPV4, GOOD, BAD_NLRI[what], host_rule("203.0.113.8")))
        assert {rule["nlri"] for rule in router.wait_rules(2)} == {GOOD.hex(), host_rule("203.0.113.8").hex()}
        peer = wait_for("the fault to be counted", lambda: router.peer()["bad_nlri"] and router.peer())
        assert (peer["bad_nlri"], peer["state"]) == (1, "Established")
        assert peer["last_bad"]
        assert "detector" in router.log
        # the session still works
        speaker.send(bgp.announce(IPV4, host_rule("203.0.113.9")))
        router.wait_rules(3)


# conforms: RFC 7606 proves 6-1
# conforms: RFC 7606 proves 6-1
# conforms: RFC 7606 proves 6-1
def test_the_update_at_fault_can_be_seen_whole(start):
    """RFC 7606 6: with --log-level info."""
    router = start(Config(peers=[Peer()]), args=["--log-level", "info"])
    body = bgp.update_body(bgp.attribute(0x40, 1, b"\3") + bgp.mp_reach(IPV4, b"".join(map(host_rule, HUNDRED))))
    with connect(router).establish() as speaker:
        speaker.send(bgp.message(bgp.UPDATE, body))
        wait_for("the fault", lambda: router.peer()["bad_attributes"])
    lines = [line.rsplit(": ", 1)[1] for line in router.log.splitlines() if "that UPDATE from octet" in line]
    assert len(lines) > 1 and "".join(lines) == body.hex()


# conforms: RFC 7606 proves 2-1 refuses 2-1 7.14-1
# conforms: RFC 7606 proves 2-1 refuses 2-1 7.14-1
# conforms: RFC 7606 proves 2-1 refuses 2-1 7.14-1
def test_attributes_that_are_wrong_withdraw_the_rule(router):
    """RFC 7606 7.14: extended communities whose length is no multiple of 8 are treat-as-withdraw."""
    with connect(router).establish() as speaker:
        speaker.send(bgp.announce(IPV4, GOOD))
        router.wait_rules(1)
        speaker.send(bgp.announce(IPV4, GOOD, communities=bgp.DISCARD + b"\x80"))
        router.wait_rules(0)
        assert router.peer()["state"] == "Established"
        speaker.send(bgp.announce(IPV4, GOOD))
        router.wait_rules(1)


# conforms: RFC 4271 proves 4.3-6 4.3-7 5-9 refuses 4.3-6 4.3-7
# conforms: RFC 4760 proves 3-10
# conforms: RFC 4271 proves 4.3-6 4.3-7 5-9 refuses 4.3-6 4.3-7
# conforms: RFC 4760 proves 3-10
# conforms: RFC 4271 proves 4.3-6 4.3-7 5-9 refuses 4.3-6 4.3-7
# conforms: RFC 4760 proves 3-10
def test_a_rule_withdrawn_and_announced_at_once_is_announced(router):
    """RFC 4271 4.3, in whichever order the attributes stand."""
    reach, unreach = bgp.usual_attributes() + bgp.mp_reach(IPV4, GOOD), bgp.mp_unreach(IPV4, GOOD)
    with connect(router).establish() as speaker:
        for body in (reach + unreach, unreach + reach):
            speaker.send(bgp.message(bgp.UPDATE, bgp.update_body(body)))
            speaker.send(bgp.announce(IPV4, host_rule("203.0.113.8")))
            router.wait_rules(2)
            speaker.send(bgp.withdraw(IPV4, GOOD, host_rule("203.0.113.8")))
            router.wait_rules(0)


# conforms: RFC 4271 refuses 9.1.2-4
# conforms: RFC 4271 refuses 9.1.2-4
# conforms: RFC 4271 refuses 9.1.2-4
def test_a_rule_that_passed_through_us_is_not_taken(router):
    """RFC 4271 9.1.2: our own AS in the AS_PATH."""
    path = bgp.attribute(0x40, 1, b"\0") + bgp.attribute(0x40, 2, struct.pack("!BBII", 2, 2, 65001, 65000))
    with connect(router).establish() as speaker:
        speaker.send(bgp.message(bgp.UPDATE, bgp.update_body(path + bgp.mp_reach(IPV4, GOOD))))
        speaker.send(bgp.announce(IPV4, host_rule("203.0.113.8")))
        assert router.wait_rules(1)[0]["nlri"] == host_rule("203.0.113.8").hex()
        assert router.peer()["last_bad"].startswith("AS_PATH: our own AS")


# conforms: RFC 4271 refuses 6.3-1 6.3-2
# conforms: RFC 7606 refuses 3-1 3-2
# conforms: RFC 4271 refuses 6.3-1 6.3-2
# conforms: RFC 7606 refuses 3-1 3-2
# conforms: RFC 4271 refuses 6.3-1 6.3-2
# conforms: RFC 7606 refuses 3-1 3-2
def test_broken_framing_inside_an_update_ends_with_a_notification(router):
    with connect(router).establish() as speaker:
        speaker.send(bgp.message(bgp.UPDATE, b"\xff\xff" + b"\x00" * 4))
        assert speaker.notification()[0] == 3  # UPDATE message error
    assert router.peer()["last_bad"] == "a length points past the end of the message"
    wait_for("the session to be down", lambda: router.peer()["state"] != "Established")


# conforms: RFC 4271 refuses 6.1-1 6.1-2 6.1-3 6.1-4 6.2-1 6.2-2 6.2-3 6.2-4 6.2-6 6.6-1
# conforms: RFC 4271 refuses 6.1-1 6.1-2 6.1-3 6.1-4 6.2-1 6.2-2 6.2-3 6.2-4 6.2-6 6.6-1
# conforms: RFC 4271 refuses 6.1-1 6.1-2 6.1-3 6.1-4 6.2-1 6.2-2 6.2-3 6.2-4 6.2-6 6.6-1
@pytest.mark.parametrize("octets, expected", [
    (b"\x00" * 19, (1, 1)),  # marker: connection not synchronized
    (b"\xff" * 16 + b"\x00\x12\x04", (1, 2)),  # bad message length
    (b"\xff" * 16 + b"\xff\xff\x01", (1, 2)),
    (b"\xff" * 16 + b"\x00\x13\x09", (1, 3)),  # bad message type
    (bgp.message(bgp.OPEN, bgp.open_body(version=3)), (2, 1)),  # unsupported version
    (bgp.message(bgp.OPEN, bgp.open_body(asn=65099)), (2, 2)),  # bad peer AS
    (bgp.message(bgp.OPEN, bgp.open_body(router_id="0.0.0.0")), (2, 3)),  # bad identifier
    (bgp.message(bgp.OPEN, bgp.open_body(hold=2)), (2, 6)),  # unacceptable hold time
    (bgp.message(bgp.KEEPALIVE), (5, 1)),  # FSM error in OpenSent (RFC 6608)
], ids=["marker", "short", "long", "type", "version", "wrong-as", "router-id", "hold-time", "no-open"])
def test_a_wrong_start_gets_the_right_notification(router, octets, expected):
    with connect(router) as speaker:
        speaker.send(octets)
        assert speaker.notification() == expected
    wait_for("a line with the peer's name", lambda: "detector" in router.log)
    if expected == (2, 2):
        assert "the peer says AS 65099, AS 65001 is configured" in router.log
    with connect(router).establish() as speaker:  # and the router goes on
        speaker.send(bgp.announce(IPV4, GOOD))
        router.wait_rules(1)


def test_a_peer_that_keeps_breaking_the_session_is_held_off(router):
    for _ in range(2):
        with connect(router).establish() as speaker:
            speaker.send(bgp.message(bgp.UPDATE, b"\xff\xff\0\0"))
            assert speaker.notification() == (3, 1)
    with connect(router) as speaker:
        assert speaker.notification() == (6, 5)  # connection rejected
    assert "held in Idle for a while after NOTIFICATION sent: UPDATE Message Error" in router.log


def test_garbage_from_a_browser(router):
    with connect(router) as speaker:
        speaker.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert speaker.notification() == (1, 1)
    assert router.ask("status")


def test_two_hundred_connections_of_rubbish(router):
    def descriptors():
        return len(os.listdir(f"/proc/{router.process.pid}/fd"))

    with connect(router, source="127.0.0.2").establish(asn=65002) as second:
        second.send(bgp.announce(IPV4, GOOD, asn=65002))
        router.wait_rules(1)
        before = descriptors()
        held = []
        for number in range(200):
            held.append(connect(router, source="127.0.0.9" if number % 4 == 0 else "127.0.0.1").socket)
            if number % 2:
                held[-1].sendall(b"\x00" * number)
        for each in held:
            each.close()
        wait_for("the connections to go", lambda: descriptors() <= before)
        assert router.peer("second")["state"] == "Established" and len(router.ask("rules")) == 1
    assert len(router.log.splitlines()) < 40  # and the log was not flooded
    with connect(router).establish():
        pass


# conforms: RFC 4271 proves 6.8-1 6.8-2 refuses 6.8-1
# conforms: RFC 4271 proves 6.8-1 6.8-2 refuses 6.8-1
# conforms: RFC 4271 proves 6.8-1 6.8-2 refuses 6.8-1
@pytest.mark.parametrize("router_id, stays", [("192.0.2.200", "theirs"), ("192.0.1.1", "ours")])
def test_of_two_connections_at_once_one_stays(start, router_id, stays):
    """RFC 4271 6.8: the one made by the speaker with the higher identifier."""
    with socket.create_server(("127.0.0.3", 0)) as listener:
        listener.settimeout(10)
        router = start(Config(peers=[Peer("active", "127.0.0.3", 65003, passive=False,
                                          options={"port": listener.getsockname()[1]})]))
        ours = Speaker.of(listener.accept()[0])
        theirs = connect(router, source="127.0.0.3")
        both = {"ours": ours, "theirs": theirs}
        for speaker in both.values():
            speaker.send(bgp.message(bgp.OPEN, bgp.open_body(asn=65003, router_id=router_id)))
        loser = both.pop("ours" if stays == "theirs" else "theirs")
        winner, = both.values()
        assert loser.notification() == (6, 7)  # connection collision resolution
        winner.send(bgp.message(bgp.KEEPALIVE) + bgp.announce(IPV4, GOOD, asn=65003))
        router.wait_rules(1)
        for speaker in (loser, winner):
            speaker.socket.close()


def test_a_half_open_connection_blocks_nobody(router):
    with connect(router), connect(router, source="127.0.0.2").establish(asn=65002) as second:
        second.send(bgp.announce(IPV4, GOOD, asn=65002))
        rule, = router.wait_rules(1)
        assert rule["source"]["peer"] == "second"


def test_half_a_message_then_nothing(router):
    with connect(router) as speaker:
        speaker.send(bgp.message(bgp.OPEN, bgp.open_body())[:25])
        time.sleep(0.2)
        assert router.ask("status")
    with connect(router).establish():
        pass


def test_an_address_that_is_no_peers_is_closed(router):
    with connect(router, source="127.0.0.9") as speaker:
        while True:  # whatever it says first, it closes
            kind, _ = speaker.receive()
            assert kind in (None, bgp.NOTIFICATION)
            if kind is None:
                break
    wait_for("a line with the address", lambda: "127.0.0.9" in router.log)


def test_an_update_octet_by_octet(router):
    with connect(router).establish() as speaker:
        speaker.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in bgp.announce(IPV4, GOOD):
            speaker.send(bytes([octet]))
        assert router.rules()[MATCH]["state"] == "active" if router.wait_rules(1) else False


# conforms: RFC 4271 refuses 6.5-1
# conforms: RFC 4271 refuses 6.5-1
# conforms: RFC 4271 refuses 6.5-1
def test_the_hold_timer_ends_a_silent_session(router):
    with connect(router).establish(hold=3) as speaker:
        speaker.send(bgp.announce(IPV4, GOOD))
        router.wait_rules(1)
        assert speaker.notification() == (4, 0)
        router.wait_rules(0)


def test_the_same_rule_from_two_peers_outlives_one_of_them(router):
    with connect(router, source="127.0.0.2").establish(asn=65002, router_id="192.0.2.102") as second:
        second.send(bgp.announce(IPV4, GOOD, asn=65002))
        with connect(router).establish() as first:
            first.send(bgp.announce(IPV4, GOOD))
            wait_for("two announcements", lambda: router.peer()["rules_received"]["ipv4"] == 1)
            before, = router.wait_rules(1)
        wait_for("the session to be down", lambda: router.peer()["state"] != "Established")
        after, = router.wait_rules(1)
        assert after["id"] == before["id"] and after["source"]["peer"] == "second"
    router.wait_rules(0)


# conforms: RFC 4271 proves 8.2.2-5
# conforms: RFC 4271 proves 8.2.2-5
# conforms: RFC 4271 proves 8.2.2-5
def test_sigterm_says_cease(router):
    with connect(router).establish() as speaker:
        assert router.stop() == 0
        assert speaker.notification() == (6, 2)  # administrative shutdown, RFC 4486


def test_peer_down_and_up(router):
    with connect(router).establish() as speaker:
        speaker.send(bgp.announce(IPV4, GOOD))
        router.wait_rules(1)
        router.ctl("peer", "detector", "down")
        assert speaker.notification()[0] == 6
    router.wait_rules(0)
    router.ctl("peer", "detector", "up")
    with connect(router).establish():
        pass


def test_fginject_announces_and_withdraws(router):
    controller = router.inject([f"match {MATCH} then discard", "match destination 2001:db8:7::7/128 then discard"])
    assert len(router.wait_rules(2)) == 2
    said = wait_for("the count of what was sent", lambda: "sent" in (line := controller.stdout.readline()) and line)
    assert said.startswith("sent 2 rules in 2 UPDATEs")
    end(controller)
    router.wait_rules(0)


def test_fginject_shows_a_notification_in_words(router):
    refused = router.inject(["match protocol udp then discard"], local_as=65099, hold=False)
    assert refused.wait(20) == 1
    assert "AS" in refused.communicate()[0]


def test_fginject_names_the_line_of_a_bad_rule(router):
    wrong = router.inject(["match protocol udp then discard", "match protokol udp"], hold=False)
    assert wrong.wait(20) == 1
    assert ":2:" in wrong.communicate()[0]
