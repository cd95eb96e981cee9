# SPDX-License-Identifier: BSD-3-Clause
"""rate-limit and mark: what leaves, octet for octet, and what is counted.

Nothing here is timed. A capture is played in far less than the time that a rate of some octets per second
takes for another packet, so exactly the burst passes.
"""
import pytest
from frames import (HOST, HOST6, OTHER, OUTSIDE, Dot1AD, Dot1Q, IP, IPv6, IPv6ExtHdrDestOpt, Raw, TCP, UDP, fragments4,
                    frame, tcp4, udp4, udp6, v4, v6)
from router import Config, Peer, balanced, end, wait_for

SLOW = "0.001pps"
TO_HOST = f"match destination {HOST}/32"


def remark(octets, dscp):
    """The frame as scapy builds it with another DSCP: the ECN bits stay, the checksum is computed anew."""
    packet = frame_of(octets)
    if IP in packet:
        packet[IP].tos = dscp << 2 | packet[IP].tos & 3
        del packet[IP].chksum
    else:
        packet[IPv6].tc = dscp << 2 | packet[IPv6].tc & 3
    return bytes(packet)


def wait_more(value, than):
    wait_for("more packets", lambda: value() > than)


def frame_of(octets):
    from scapy.layers.l2 import Ether
    return Ether(octets)


# rate-limit

@pytest.mark.parametrize("rate, count", [
    ("10Bps", 15),        # 1500 octets, of 100 each
    ("100bps", 15),
    (SLOW, 1),
    ("0.1pps", 1),
    (f"10Bps rate-limit {SLOW}", 1),
    ("10Bps rate-limit 1mpps", 15),
    ("1gbps rate-limit 0.01pps", 1),
])
def test_a_burst_passes_and_the_rest_is_counted(play, rate, count):
    frames = [udp4(size=72) for _ in range(40)]  # IP packets of 100 octets
    other = udp4(dst=OTHER)
    run = play([other, *frames, other], [f"{TO_HOST} then rate-limit {rate}"])
    assert run.out == [other, *frames[:count], other]
    assert run.drops == {"flowspec_rate_limit": 40 - count}
    rule = run.rule(f"destination {HOST}/32")
    assert (rule["packets"], rule["bytes"]) == (40, sum(map(len, frames)))
    assert (rule["dropped_packets"], rule["dropped_bytes"]) == (40 - count, sum(map(len, frames[count:])))


def test_octets_are_those_of_the_ip_packet(play):
    """1500 octets pass: neither Ethernet nor tags nor padding count."""
    frames = [frame(Dot1AD(vlan=9), Dot1Q(vlan=7), IP(src=OUTSIDE, dst=HOST), UDP(), Raw(b"x" * 122)) + bytes(50)] * 12
    run = play(frames, [f"{TO_HOST} then rate-limit 1Bps"])
    assert len(run.out) == 10


def test_ipv6_and_fragments_are_limited_like_all(play):
    frames6 = [udp6(size=52)] * 20  # IP packets of 100 octets
    parts = fragments4(1400) * 3
    run = play(frames6 + parts, [f"match destination {HOST6}/128 then rate-limit 1Bps",
                                 f"{TO_HOST} then rate-limit {SLOW}"])
    assert run.out == frames6[:15] + parts[:1]


def test_a_jumbo_frame_is_not_shut_out_by_a_low_rate(play):
    frames = [v4(UDP(), Raw(b"j" * 8000))] * 3
    run = play(frames, [f"{TO_HOST} then rate-limit 1Bps"])
    assert run.out == frames[:1]


def test_a_rate_that_nothing_exceeds_drops_nothing(play):
    frames = [udp4(size=i % 1000) for i in range(2000)]
    run = play(frames, [f"{TO_HOST} then rate-limit 400gbps rate-limit 600mpps"])
    assert run.out == frames
    assert not run.drops


# conforms: RFC 8955 proves 7.1-2
# conforms: RFC 8955 proves 7.1-2
# conforms: RFC 8955 proves 7.1-2
def test_a_rate_of_zero_is_discard(play):
    run = play([udp4(), tcp4(dst=OTHER)],
               [f"{TO_HOST} then rate-limit 0mbps", "match protocol =tcp then rate-limit 0pps"])
    assert run.out == []
    assert run.drops == {"flowspec_discard": 2}


def test_the_burst_is_configurable(start):
    """10 s of 0.4 packets/s are 4 packets; of 200 octets/s, 2000 octets."""
    frames = [udp4(size=972)] * 30 + [udp4(dst=OTHER, size=972)] * 30  # IP packets of 1000 octets
    config = Config(rules=[f"{TO_HOST} then rate-limit 0.4pps", f"match destination {OTHER}/32 then rate-limit 200Bps"])
    text = config.yaml().replace("memory: 128", "memory: 128, burst-ms: 10000")
    config.yaml = lambda: text
    router = start(config, frames=frames, args=["--exit-idle", "300"])
    assert router.wait() == 0
    assert router.out() == frames[:4] + frames[30:32]


def test_each_rule_has_a_rate_of_its_own(play):
    frames = [udp4(), udp4(dst=OTHER), udp4(), udp4(dst=OTHER)]
    run = play(frames, [f"{TO_HOST} then rate-limit {SLOW}", f"match destination {OTHER}/32 then rate-limit {SLOW}"])
    assert run.out == frames[:2]


# per source

def test_each_source_has_a_rate_of_its_own(play):
    near = [udp4(src=f"198.51.100.{n}") for n in range(1, 6)]
    far = [udp4(src=f"198.51.{n}.1") for n in range(101, 104)]
    run = play(near + far + far, [f"{TO_HOST} then rate-limit {SLOW} per-source /24 4096"])
    assert run.out == near[:1] + far
    assert run.drops == {"flowspec_rate_limit": 7}


def test_ipv6_sources_and_a_rate_of_the_whole_rule(play):
    frames = [udp6(src=f"2001:db8:{n:x}::{m}") for n in range(16) for m in (1, 2)]
    run = play(frames, [f"match destination {HOST6}/128 then rate-limit {SLOW} per-source /48 rate-limit 100bps"])
    # 1500 octets for the whole rule, of 58 each; the second packets of a source cost it nothing
    assert run.out == frames[::2]
    assert run.drops == {"flowspec_rate_limit": 16}


def test_rates_per_source_come_by_bgp_and_explain_tells_them(start):
    router = start(Config(peers=[Peer()]))
    controller = router.inject([f"{TO_HOST} then rate-limit 1mbps per-source /24 8192 rate-limit 10pps per-source"])
    rule = router.wait_rules(1)[0]
    assert rule["actions"] == ["rate-limit 1mbps per-source /24 8192", "rate-limit 10pps per-source /32 4096"]
    words = f"source {OUTSIDE} destination {HOST} protocol udp packet-length 100"
    answer = router.ask("explain", "--in", "wan", words)
    limits = answer["matches"][0]["limit"]["per_source"]
    assert limits[0] == {"counts": "bytes", "per_s": 125000.0, "prefix_length": 24, "sources": 8192, "tracked": 0,
                         "burst": 12500, "room": 12500}
    assert (limits[1]["counts"], limits[1]["burst"], limits[1]["room"]) == ("packets", 1, 1)
    assert "0 of 8,192 sources are followed" in router.ctl("rule", "show", str(rule["id"]))
    end(controller)


# continue

def test_what_conforms_goes_on_to_later_rules(play):
    frames = [udp4(sport=n) for n in range(1, 9)]
    run = play(frames, [f"{TO_HOST} source-port <=4 then rate-limit {SLOW} continue",
                        f"{TO_HOST} then rate-limit 0.01pps", "match protocol =udp then discard"])
    # the first four compete for one packet of the first rule, and what passes takes the one of the second
    assert run.out == frames[:1]
    assert run.drops == {"flowspec_rate_limit": 7}
    first, second = run.rule(f"destination {HOST}/32 source-port <=4"), run.rule(f"destination {HOST}/32")
    assert (first["packets"], first["dropped_packets"]) == (4, 3)
    assert (second["packets"], second["dropped_packets"]) == (5, 4)


def test_without_continue_the_search_ends(play):
    frames = [udp4(), udp4()]
    run = play(frames, [f"{TO_HOST} then rate-limit {SLOW}", "match protocol =udp then discard"])
    assert run.out == frames[:1]
    assert run.drops == {"flowspec_rate_limit": 1}


def test_what_a_later_rule_drops_counts_against_the_limit_all_the_same(play):
    frames = [tcp4(), udp4()]
    run = play(frames, [f"{TO_HOST} then rate-limit {SLOW} continue", "match protocol =tcp then discard"])
    assert run.out == []
    assert run.drops == {"flowspec_discard": 1, "flowspec_rate_limit": 1}


# mark

MARKED = [
    udp4(), tcp4(), udp4(tos=0xff), udp4(tos=3), udp4(tos=46 << 2 | 1), udp6(), udp6(tc=0xff), udp6(tc=2, fl=0xabcde),
    v6(TCP(dport=443), tc=1), v6(IPv6ExtHdrDestOpt(), UDP(), Raw(b"x")),
    v4(UDP(), Raw(b"x" * 8800), id=0xffff), v4(UDP(), Raw(b"x"), options=b"\x01" * 8), *fragments4(),
    frame(Dot1Q(vlan=7, prio=5), IP(src=OUTSIDE, dst=HOST, tos=2), UDP()),
    frame(Dot1AD(vlan=9), Dot1Q(vlan=7), IPv6(dst=HOST6, tc=255), UDP()),
    udp4(size=1) + b"\xaa" * 17,  # padding stays as it is
]


# conforms: RFC 8955 proves 7.5-1
# conforms: RFC 8955 proves 7.5-1
# conforms: RFC 8955 proves 7.5-1
@pytest.mark.parametrize("dscp", [0, 8, 46, 63])
def test_marked_packets_octet_for_octet(play, dscp):
    run = play(MARKED, [f"match protocol true then mark {dscp}", f"match family ipv6 protocol true then mark {dscp}"])
    assert run.out == [remark(octets, dscp) for octets in MARKED]
    assert not run.drops
    assert sum(rule["packets"] for rule in run.stats["rules"]) == len(MARKED)
    assert all(rule["dropped_packets"] == 0 for rule in run.stats["rules"])


def test_only_what_matches_is_marked(play):
    frames = [udp4(), udp4(dst=OTHER), tcp4()]
    run = play(frames, [f"{TO_HOST} protocol =udp then mark cs1"])
    assert run.out == [remark(frames[0], 8), *frames[1:]]


def test_a_wrong_checksum_is_not_repaired(play):
    wrong = bytearray(udp4())
    wrong[24] ^= 0x10
    run = play([bytes(wrong)], [f"{TO_HOST} then mark 10"])
    right = bytearray(remark(udp4(), 10))
    assert run.out[0][15] == 10 << 2
    assert run.out[0][24:26] != right[24:26]


# conforms: RFC 8955 proves 7.7-1
# conforms: RFC 8955 proves 7.7-1
# conforms: RFC 8955 proves 7.7-1
def test_of_several_marks_the_first_counts_and_rules_see_the_packet_as_it_came(play):
    frames = [udp4(), tcp4()]
    run = play(frames, [
        f"{TO_HOST} protocol =udp then mark 10 continue",
        f"{TO_HOST} dscp =0 then mark 20 continue",   # matches the DSCP that came in
        f"{TO_HOST} then mark 30",
        "match dscp =10,=20 then discard",             # no packet came in like that
    ])
    assert run.out == [remark(frames[0], 10), remark(frames[1], 20)]
    assert [rule["packets"] for rule in run.stats["rules"] if "dscp =0" in rule["match"]] == [2]


# conforms: RFC 8955 proves 7-1
# conforms: RFC 8955 proves 7-1
# conforms: RFC 8955 proves 7-1
def test_mark_and_rate_limit_of_one_rule_are_both_applied(play):
    frames = [udp4()] * 3
    run = play(frames, [f"{TO_HOST} then rate-limit {SLOW} mark 46"])
    assert run.out == [remark(frames[0], 46)]
    assert run.drops == {"flowspec_rate_limit": 2}


def test_mark_then_discard_drops(play):
    run = play([udp4()], [f"{TO_HOST} then mark 46 continue", "match protocol =udp then discard"])
    assert run.out == []
    assert run.drops == {"flowspec_discard": 1}


# what the router says about them

def test_rules_with_these_actions_are_active(start):
    rules = [f"{TO_HOST} then rate-limit 10mbps rate-limit 5kpps mark 46 continue"]
    router = start(Config(rules=rules))
    rule = router.rules()[f"destination {HOST}/32"]
    assert (rule["state"], rule["reason"]) == ("active", "")
    assert rule["actions"] == ["rate-limit 10mbps", "rate-limit 5kpps", "mark 46", "continue"]
    for action in ("rate-limit 1kbps", "rate-limit 5kpps", "mark 46"):
        assert router.ask("rule", "check", f"match port =1 then {action}")["state"] == "active"


def test_explain_tells_the_limit_and_the_mark(start):
    rules = [f"{TO_HOST} protocol =udp then rate-limit 1Bps rate-limit {SLOW} mark 10 continue",
             f"{TO_HOST} then mark 20"]
    router = start(Config(rules=rules, start="manual"), frames=[udp4(size=72)], args=["--exit-idle", "10000"])
    words = f"destination {HOST} protocol udp packet-length 100"
    before = router.ask("explain", "--in", "wan", words)
    assert before["verdict"] == {"verdict": "forward", "egress": "lan", "dscp": 10}
    limit = before["matches"][0]["limit"]
    assert (limit["burst_bytes"], limit["room_bytes"], limit["bytes_per_s"]) == (1500, 1500, 1.0)
    assert (limit["burst_packets"], limit["room_packets"], limit["conforms"]) == (1, 1, True)
    assert "limit" not in before["matches"][1] and before["matches"][1]["reached"]
    text = router.ctl("explain", "--in", "wan", words)
    assert "room for 1500 of 1500 octets" in text and "marked with DSCP 10" in text

    router.ctl("dataplane", "start")
    wait_more(lambda: router.ask("counters")["tx_packets"], 0)
    after = router.ask("explain", "--in", "wan", words)
    assert after["verdict"] == {"verdict": "drop", "reason": "flowspec_rate_limit",
                                "rule": after["matches"][0]["id"]}
    limit = after["matches"][0]["limit"]
    assert (limit["room_packets"], limit["conforms"]) == (0, False)
    assert 1400 <= limit["room_bytes"] <= 1500  # 1 octet more each second
    assert not after["matches"][1]["reached"]


def test_rule_show_tells_the_rate_that_is_enforced_and_its_room(start):
    router = start(Config(rules=[f"{TO_HOST} then rate-limit 10mbps rate-limit 2e38pps"]))
    rule = router.rules()[f"destination {HOST}/32"]
    assert router.ask("rule", "show", str(rule["id"]))["limit"] == {
        "bytes_per_s": 1.25e6, "burst_bytes": 125000, "room_bytes": 125000,
        "packets_per_s": 1e12, "burst_packets": 10**11, "room_packets": 10**11}
    text = router.ctl("rule", "show", str(rule["id"]))
    assert "limit" in text and "octets" in text and "packets at this moment" in text


def test_limits_and_marks_come_by_bgp(start):
    frames = [udp4(), udp6(), udp4(), udp6()]
    router = start(Config(peers=[Peer()], start="manual"), frames=frames, args=["--exit-idle", "300"])
    controller = router.inject([f"{TO_HOST} then rate-limit {SLOW} mark 10",
                                f"match destination {HOST6}/128 then mark 46"])
    router.wait_rules(2)
    router.ctl("dataplane", "start")
    assert router.wait() == 0
    end(controller)
    assert router.out() == [remark(frames[0], 10), remark(frames[1], 46), remark(frames[3], 46)]


def test_a_rate_lives_on_while_only_other_actions_change(start):
    """The bucket that is empty stays empty: a reload that adds a mark must not let another burst through."""
    config = Config(rules=[f"{TO_HOST} then rate-limit {SLOW}"], start="manual",
                    wan="net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap,infinite_rx=1")
    router = start(config, frames=[udp4()])
    router.ctl("dataplane", "start")

    def dropped():
        return router.ask("counters")["drops"]["flowspec_rate_limit"]
    wait_more(dropped, 0)
    config.rules = [f"{TO_HOST} then rate-limit {SLOW} mark 46"]
    router.configure()
    router.ctl("reload")
    wait_more(dropped, dropped())
    router.ctl("dataplane", "stop")
    counters = router.ask("counters")
    assert balanced(counters)
    assert counters["tx_packets"] == 1
    config.rules = [f"{TO_HOST} then rate-limit 0.002pps mark 46"]  # another rate: a bucket of its own
    router.configure()
    router.ctl("reload")
    router.ctl("dataplane", "start")
    wait_more(lambda: router.ask("counters")["tx_packets"], 1)
    wait_more(dropped, dropped())
    router.ctl("dataplane", "stop")
    assert router.ask("counters")["tx_packets"] == 2
    assert router.stop() == 0
    assert router.out() == [udp4(), remark(udp4(), 46)]
