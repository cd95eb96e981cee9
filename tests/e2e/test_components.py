# SPDX-License-Identifier: BSD-3-Clause
"""Each component type drops what it matches and nothing else, in both families (RFC 8955 4.2.2, RFC 8956 3)."""
import pytest
from frames import (FAR, FAR6, ICMP, OTHER, OTHER6, ICMPv6EchoReply, ICMPv6EchoRequest, fragments4,
                    fragments6, tcp4, tcp6, udp4, udp6, v4, v6)

# rule text: (frames it drops, frames it lets pass)
CASES = {
    "destination 203.0.113.7/32": ([udp4(), tcp4()], [udp4(dst=OTHER), udp6()]),
    "destination 203.0.113.0/29": ([udp4()], [udp4(dst=OTHER)]),
    "source 198.51.100.0/24": ([udp4()], [udp4(src=FAR), udp6()]),
    "destination 203.0.113.7/32 source 192.0.2.0/24": ([udp4(src=FAR)], [udp4(), udp4(src=FAR, dst=OTHER)]),
    "protocol =udp": ([udp4()], [tcp4(), v4(ICMP()), udp6()]),
    "protocol =icmp,=tcp": ([tcp4(), v4(ICMP())], [udp4()]),
    "port =53": ([udp4(sport=53), udp4(dport=53), tcp4(dport=53)], [udp4(), v4(ICMP())]),
    "destination-port 100-200": ([udp4(dport=100), udp4(dport=200)],
                                 [udp4(dport=99), udp4(dport=201), udp4(sport=150)]),
    "source-port =123": ([udp4(sport=123)], [udp4(dport=123), *fragments4(sport=123)[1:]]),
    "icmp-type =8": ([v4(ICMP(type=8))], [v4(ICMP(type=0)), udp4()]),
    "icmp-type =3 icmp-code =1": ([v4(ICMP(type=3, code=1))], [v4(ICMP(type=3, code=0)), v4(ICMP(type=5, code=1))]),
    "tcp-flags =syn&!ack": ([tcp4("S"), tcp4("SE")], [tcp4("SA"), tcp4("A"), udp4()]),
    "tcp-flags =syn+fin": ([tcp4("SF"), tcp4("SFU")], [tcp4("S"), tcp4("F")]),
    "tcp-flags rst,fin": ([tcp4("R"), tcp4("FA")], [tcp4("S")]),
    "packet-length >=100&<=200": ([udp4(size=72), udp4(size=172)], [udp4(size=71), udp4(size=173)]),
    "dscp =46": ([udp4(tos=46 << 2), udp4(tos=46 << 2 | 1)], [udp4(), udp4(tos=46)]),
    "fragment is-fragment": (fragments4()[1:], [fragments4()[0], udp4()]),
    "fragment first-fragment": ([fragments4()[0]], [*fragments4()[1:], udp4()]),
    "fragment last-fragment": ([fragments4()[-1]], [*fragments4()[:-1], udp4()]),
    "fragment dont-fragment": ([udp4(flags="DF")], [udp4(), *fragments4()]),
    "destination 2001:db8:7::7/128": ([udp6(), tcp6()], [udp6(dst=OTHER6), udp4()]),
    "destination 2001:db8:7::/48 source 2001:db8:f::/48": ([udp6(src=FAR6)], [udp6(), udp4()]),
    # bits 64 to 127 of the destination, whatever stands before them
    "destination ::7/64-128": ([udp6(), udp6(dst="2001:db8:9::7")], [udp6(dst=OTHER6)]),
    "destination 2001:db8:7::/48 protocol =udp": ([udp6(), *fragments6()], [tcp6(), udp6(dst="2001:db8:9::1")]),
    "destination 2001:db8:7::/48 port =53": ([udp6(sport=53), tcp6(dport=53)], [udp6(), fragments6()[1]]),
    "destination 2001:db8:7::/48 destination-port !=53": ([udp6()], [udp6(dport=53), v6(ICMPv6EchoRequest())]),
    "destination 2001:db8:7::/48 source-port =123": ([udp6(sport=123)], [udp6()]),
    "destination 2001:db8:7::/48 icmp-type =128 icmp-code =0": ([v6(ICMPv6EchoRequest())],
                                                               [v6(ICMPv6EchoReply()), udp6()]),
    "destination 2001:db8:7::/48 tcp-flags =syn&!ack": ([tcp6("S")], [tcp6("SA"), udp6()]),
    "destination 2001:db8:7::/48 packet-length =58": ([udp6(size=10)], [udp6(size=11)]),
    "destination 2001:db8:7::/48 dscp =46": ([udp6(tc=46 << 2)], [udp6()]),
    "destination 2001:db8:7::/48 fragment is-fragment": (fragments6()[1:], [fragments6()[0], udp6()]),
    "destination 2001:db8:7::/48 fragment last-fragment": ([fragments6()[-1]], [*fragments6()[:-1], udp6()]),
    "flow-label =0xabcde": ([udp6(fl=0xABCDE)], [udp6(), udp6(fl=0xABCDF), udp4()]),
}


# conforms: RFC 8955 proves 4.2.2.4-2 4.2.2.10-2 4.2.2.12-4 9-1
# conforms: RFC 8955 proves 4.2.2.4-2 4.2.2.10-2 4.2.2.12-4 9-1
# conforms: RFC 8955 proves 4.2.2.4-2 4.2.2.10-2 4.2.2.12-4 9-1
@pytest.mark.parametrize("match", CASES)
def test_a_rule_drops_what_it_matches_and_nothing_else(play, match):
    hits, misses = CASES[match]
    # interleaved, so that a burst holds both
    frames = [frame for pair in zip(hits + [None] * len(misses), misses + [None] * len(hits)) for frame in pair
              if frame]
    run = play(frames, [f"match {match} then discard"])
    kept = list(misses)
    assert sorted(run.out) == sorted(kept)
    assert run.out == [frame for frame in frames if frame in kept]
    rule = run.stats["rules"][0]
    assert (rule["packets"], rule["dropped_packets"]) == (len(hits), len(hits))
    assert (rule["bytes"], rule["dropped_bytes"]) == (sum(map(len, hits)),) * 2
    assert run.drops == {"flowspec_discard": len(hits)}


def test_a_case_for_every_component_of_each_family():
    words = {"destination", "source", "protocol", "port", "destination-port", "source-port", "icmp-type", "icmp-code",
             "tcp-flags", "packet-length", "dscp", "fragment"}
    v4_words = {word for match in CASES if ":" not in match for word in match.split()}
    v6_words = {word for match in CASES if ":" in match or "flow-label" in match for word in match.split()}
    assert words <= v4_words
    assert words | {"flow-label"} <= v6_words
