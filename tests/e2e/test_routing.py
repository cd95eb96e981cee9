# SPDX-License-Identifier: BSD-3-Clause
"""Ports of mode route: capture in, capture out, octet by octet what scapy builds; each drop reason; counters add up."""
import json
import re
from dataclasses import replace

import pytest
from frames import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, Raw
from routed import GATEWAY, GATEWAY2, HOST, LAN, NEIGHBORS, PORTS, UP, Routed, play
from router import Router
from scapy.layers.inet import IPOption
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig,
    ICMPv6TimeExceeded)

SOURCE, SOURCE6 = "198.51.100.2", "2001:db8:c::2"
TO, TO6 = "203.0.113.7", "2001:db8:7::7"
PAYLOAD = Raw(b"x" * 40)


@pytest.fixture
def route(tmp_path):
    return lambda frames, **options: play(tmp_path, frames, **options)


def eth(dst=UP, src=HOST, **fields):
    return Ether(dst=dst, src=src, **fields)


def v4(dst=TO, ttl=64, src=SOURCE, ether=None, size=40, **fields):
    return bytes((ether or eth()) / IP(src=src, dst=dst, ttl=ttl, id=7, **fields) / UDP(sport=1000, dport=2000)
                 / Raw(b"x" * size))


def v6(dst=TO6, hlim=64, src=SOURCE6, ether=None, size=40):
    return bytes((ether or eth()) / IPv6(src=src, dst=dst, hlim=hlim) / UDP(sport=1000, dport=2000)
                 / Raw(b"x" * size))


def out(dst=HOST):
    return Ether(dst=dst, src=LAN)


def test_a_neighbor_on_the_network_of_a_port(route):
    run = route([v4(), v6()])
    assert run.lan == [v4(ttl=63, ether=out()), v6(hlim=63, ether=out())]
    assert run.drops == {}


def test_ipv4_options_and_every_ttl_keep_the_checksum_right(route):
    frames = [v4(ttl=ttl, tos=ttl, ether=eth()) for ttl in range(2, 256)]
    run = route(frames)
    assert run.lan == [v4(ttl=ttl - 1, tos=ttl, ether=out()) for ttl in range(2, 256)]


def test_the_longest_prefix_counts(route):
    routes = [{"prefix": "0.0.0.0/0", "via": "203.0.113.254"}, {"prefix": "10.1.0.0/16", "via": "203.0.113.253"},
              {"prefix": "10.1.2.0/25", "via": "203.0.113.254"}, {"prefix": "::/0", "via": "2001:db8:7::fe"}]
    run = route([v4(dst) for dst in ("192.0.2.9", "10.1.9.9", "10.1.2.3", "10.1.2.200")] + [v6("2001:db8:ffff::1")],
                routes=routes)
    assert run.lan == [v4("192.0.2.9", 63, ether=out(GATEWAY)), v4("10.1.9.9", 63, ether=out(GATEWAY2)),
                       v4("10.1.2.3", 63, ether=out(GATEWAY)), v4("10.1.2.200", 63, ether=out(GATEWAY2)),
                       v6("2001:db8:ffff::1", 63, ether=out(GATEWAY))]


def test_a_next_hop_that_is_reached_over_another_route(route):
    routes = [{"prefix": "10.0.0.0/8", "via": "192.0.2.77"}, {"prefix": "192.0.2.0/24", "via": "192.0.3.1"},
              {"prefix": "192.0.3.0/24", "via": "203.0.113.254"}]
    run = route([v4("10.9.9.9")], routes=routes)
    assert run.lan == [v4("10.9.9.9", 63, ether=out(GATEWAY))]


@pytest.mark.parametrize("reason, frame, routes", [
    ("no_route", v4("192.0.2.9"), []),
    ("no_route", v6("2001:db8:ffff::1"), []),
    ("no_route", v4("10.0.0.1"), [{"prefix": "10.0.0.0/8", "via": "10.0.0.2"}]),
    ("blackhole", v4("203.0.113.66"), [{"prefix": "203.0.113.66/32", "blackhole": True}]),
    ("blackhole", v6("2001:db8:7::66"), [{"prefix": "2001:db8:7::66/128", "blackhole": True}]),
    ("blackhole", v4("10.0.0.1"), [{"prefix": "10.0.0.0/8", "via": "192.0.2.1"},
                                   {"prefix": "192.0.2.1/32", "blackhole": True}]),
    ("ttl_expired", v4(ttl=1), []),
    ("ttl_expired", v4(ttl=0), []),
    ("ttl_expired", v6(hlim=1), []),
    ("mtu_exceeded", v4(size=1500, flags="DF"), []),
    ("mtu_exceeded", v6(size=1500), []),
    ("not_for_router", v4(ether=eth(dst="02:00:00:00:00:77")), []),
    ("not_for_router", v4(ether=eth() / Dot1Q(vlan=9)), []),
    ("not_for_router", bytes(eth()) [:12] + b"\x88\xcc" + bytes(46), []),
    ("malformed", v4(chksum=0x1234), []),
    ("malformed", v4("203.0.113.1", chksum=0x1234), []),
    ("malformed", v4(options=IPOption(b"\x94\x04\x00\x00"), chksum=0x1234), []),
    ("no_route", v4("127.0.0.1"), [{"prefix": "0.0.0.0/0", "via": "203.0.113.254"}]),
])
def test_each_reason_to_drop(route, reason, frame, routes):
    run = route([frame, frame], routes=routes)
    assert run.drops == {reason: 2}
    assert run.lan == []


def test_nobody_answers_for_a_neighbor(route):
    run = route([v4("203.0.113.200")] * 3 + [v6("2001:db8:7::200")])
    assert run.drops == {"neighbor_unresolved": 4}
    assert run.lan[0] == bytes(Ether(dst="ff:ff:ff:ff:ff:ff", src=LAN)
                               / ARP(op=1, hwsrc=LAN, psrc="203.0.113.1", pdst="203.0.113.200"))
    asked = Ether(run.lan[1])
    assert (asked.dst, asked[IPv6].dst) == ("33:33:ff:00:02:00", "ff02::1:ff00:200")
    assert (asked[ICMPv6ND_NS].tgt, asked[ICMPv6NDOptSrcLLAddr].lladdr, asked.hlim) == ("2001:db8:7::200", LAN, 255)


def test_neighbor_discovery_of_others_is_their_traffic(route):
    """ICMPv6 133 to 137 by way of our MAC address: for somebody else it is routed, for a group it is heard here."""
    def nd(dst, hlim=255, ether=None):
        return bytes((ether or eth()) / IPv6(src=SOURCE6, dst=dst, hlim=hlim) / ICMPv6ND_NA(tgt=SOURCE6, O=0))
    run = route([nd(TO6), nd("ff02::1"), nd("2001:db8:c::1")])
    assert run.lan == [nd(TO6, 254, out())]
    assert {kind: count["packets"] for kind, count in run.stats["punts"].items() if count["packets"]} == {"nd": 2}
    assert run.drops == {}


def test_what_is_for_the_router_is_counted_by_kind(route):
    """No peer is configured: its BGP is anybody's. Nothing is answered but the echo; captures have no kernel."""
    own = {"src": SOURCE, "dst": "198.51.100.1"}
    run = route([bytes(eth() / IP(**own) / layer) for layer in (
        TCP(dport=179, flags="S"), TCP(sport=179, dport=1025), TCP(dport=22), UDP(dport=53), ICMP(), ICMP(type=13))])
    assert {kind: count["packets"] for kind, count in run.stats["punts"].items() if count["packets"]} == \
        {"bgp_other": 2, "tcp": 1, "other": 1, "icmp": 2}
    assert run.stats["punted_packets"] == 6
    assert run.stats["kernel"] == {"delivered": 0, "lost": 0, "taken": 0, "refused": 0}
    assert len(run.up) == 1 and Ether(run.up[0])[ICMP].type == 0


def to_the_router():
    own = {"src": SOURCE, "dst": "198.51.100.1"}
    return [bytes(eth() / IP(**own) / layer) for layer in (TCP(dport=22), UDP(dport=53), TCP(dport=179), ICMP())]


def kinds(stats, what):
    return {kind: count[what] for kind, count in stats["punts"].items() if count[what]}


def test_what_the_router_takes_of_a_kind_is_the_operators_word(route):
    run = route(to_the_router() * 2, dataplane=", punt-limits: {tcp: 0, other: 0, bgp-other: 1}")
    assert run.drops == {"punt_limit": 4}
    assert kinds(run.stats, "packets") == {"bgp_other": 2, "icmp": 2}
    assert kinds(run.stats, "dropped") == {"tcp": 2, "other": 2}


def test_a_reload_changes_what_the_router_takes(tmp_path):
    config = Routed(start="manual", dataplane=", punt-limits: {icmp: 0}")
    with Router(tmp_path, config, to_the_router(), [], ["--exit-idle", "300", "--stats", "stats.json"]) as router:
        router.config = replace(config, dataplane=", punt-limits: {tcp: 0}")
        router.configure()
        router.ctl("reload")
        assert router.ask("counters")["punts"]["tcp"]["limit_per_s"] == 0
        assert re.search(r"icmp +0 +0 +10,000\n", router.ctl("counters"))
        router.ctl("dataplane", "start")
        assert router.wait() == 0, router.log
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert kinds(stats, "dropped") == {"tcp": 1} and kinds(stats, "packets") == {"bgp_other": 1, "icmp": 1, "other": 1}


def test_requests_for_the_own_addresses_are_answered(route):
    nd = Ether(src=HOST, dst="33:33:ff:00:00:01") / IPv6(src=SOURCE6, dst="ff02::1:ff00:1") / \
        ICMPv6ND_NS(tgt="2001:db8:c::1") / ICMPv6NDOptSrcLLAddr(lladdr=HOST)
    arp = Ether(src=HOST, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=HOST, psrc=SOURCE, pdst="198.51.100.1")
    other = Ether(src=HOST, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=HOST, psrc=SOURCE, pdst="198.51.100.9")
    run = route([bytes(arp), bytes(other), bytes(nd)])
    assert run.up == [
        bytes(Ether(src=UP, dst=HOST) / ARP(op=2, hwsrc=UP, psrc="198.51.100.1", hwdst=HOST, pdst=SOURCE)),
        bytes(Ether(src=UP, dst=HOST) / IPv6(src="2001:db8:c::1", dst=SOURCE6, hlim=255)
              / ICMPv6ND_NA(R=1, S=1, O=1, tgt="2001:db8:c::1") / ICMPv6NDOptDstLLAddr(lladdr=UP))]
    assert (run.stats["punted_packets"], run.stats["originated_packets"]) == (3, 2)


def test_echo_to_the_own_addresses_is_answered_whatever_the_rules_say(route):
    ping = eth() / IP(src=SOURCE, dst="198.51.100.1", id=9) / ICMP(id=1, seq=2) / PAYLOAD
    ping6 = eth() / IPv6(src=SOURCE6, dst="2001:db8:7::1") / ICMPv6EchoRequest(id=1, seq=2, data=b"abc")
    run = route([bytes(ping), bytes(ping6)], rules=["match protocol true then discard",
                                                    "match family ipv6 protocol true then discard"])
    back = Ether(src=UP, dst=HOST)
    assert run.up == [
        bytes(back / IP(src="198.51.100.1", dst=SOURCE, id=9) / ICMP(type=0, id=1, seq=2) / PAYLOAD),
        bytes(back / IPv6(src="2001:db8:7::1", dst=SOURCE6) / ICMPv6EchoReply(id=1, seq=2, data=b"abc"))]
    assert run.drops == {}


def test_errors_tell_the_source(route):
    frames = {"ttl": v4(ttl=1), "none": v4("192.0.2.9"), "big": v4(size=1500, flags="DF"), "ttl6": v6(hlim=1),
              "none6": v6("2001:db8:ffff::1"), "big6": v6(size=1500)}
    run = route(list(frames.values()))
    back = Ether(src=UP, dst=HOST)

    def error4(what, **icmp):
        quoted = frames[what][14:][:548]
        return bytes(back / IP(src="198.51.100.1", dst=SOURCE, id=0, tos=0xc0) / ICMP(**icmp) / Raw(quoted))

    def error6(what, message):
        return bytes(back / IPv6(src="2001:db8:c::1", dst=SOURCE6) / message / Raw(frames[what][14:][:1232]))

    assert sorted(run.up) == sorted([
        error4("ttl", type=11, code=0), error4("none", type=3, code=0), error4("big", type=3, code=4, nexthopmtu=1500),
        error6("ttl6", ICMPv6TimeExceeded()), error6("none6", ICMPv6DestUnreach()),
        error6("big6", ICMPv6PacketTooBig(mtu=1500))])
    assert run.stats["originated_packets"] == 6


@pytest.mark.parametrize("packet", [
    IP(src=SOURCE, dst=TO, ttl=1) / ICMP(type=3), IP(src=SOURCE, dst=TO, ttl=1, frag=5, proto=17) / PAYLOAD,
    IPv6(src=SOURCE6, dst=TO6, hlim=1) / ICMPv6DestUnreach() / Raw(b"x" * 40)])
def test_no_error_for_errors_and_later_fragments(route, packet):
    run = route([bytes(eth() / packet)])
    assert run.drops == {"ttl_expired": 1}
    assert run.up == []


VLANS = [PORTS[0], {"name": "lan", "device": PORTS[1]["device"], "mode": "route", "mac": LAN},
         {"name": "lan.100", "parent": "lan", "vlan": 100, "mode": "route", "addresses": ["203.0.113.1/24"]},
         {"name": "lan.200", "parent": "lan", "vlan": 200, "mode": "route", "addresses": ["192.0.2.1/24"]}]
VLAN_NEIGHBORS = [{"port": "lan.100", "address": TO, "mac": HOST}, {"port": "lan.200", "address": "192.0.2.7",
                                                                    "mac": GATEWAY},
                  {"port": "up", "address": SOURCE, "mac": HOST}]


def test_sub_ports(route):
    tagged = Ether(dst=LAN, src=HOST) / Dot1Q(vlan=100)
    back = [v4(SOURCE, src=TO, ether=tagged), v4("192.0.2.7", src=TO, ether=tagged),
            v4(SOURCE, src=TO, ether=Ether(dst=LAN, src=HOST) / Dot1Q(vlan=300)),
            v4(SOURCE, src=TO, ether=Ether(dst=LAN, src=HOST))]
    run = route([v4(), v4("192.0.2.7")], back=back, ports=VLANS, neighbors=VLAN_NEIGHBORS)
    assert run.up == [v4(SOURCE, 63, TO, Ether(dst=HOST, src=UP))]
    assert sorted(run.lan) == sorted([
        v4(ttl=63, ether=out() / Dot1Q(vlan=100)), v4("192.0.2.7", 63, ether=out(GATEWAY) / Dot1Q(vlan=200)),
        v4("192.0.2.7", 63, TO, out(GATEWAY) / Dot1Q(vlan=200))])
    assert run.drops == {"not_for_router": 2}  # a tag of nobody, and none on a parent that has no address


def test_a_vrf_sees_its_own_routes_alone(route):
    ports = [{**PORTS[0], "vrf": "red"}, {**PORTS[1], "vrf": "red"}]
    routes = [{"prefix": "10.0.0.0/8", "via": "203.0.113.254", "vrf": "red"},
              {"prefix": "11.0.0.0/8", "via": "203.0.113.254"}]
    run = route([v4("10.0.0.1"), v4("11.0.0.1")], ports=ports, vrfs=[{"name": "red", "rt-import": ["65000:1"]}],
                routes=routes)
    assert run.lan == [v4("10.0.0.1", 63, ether=out(GATEWAY))]
    assert run.drops == {"no_route": 1}


def test_flows_share_equal_ways_and_keep_to_theirs(route):
    routes = [{"prefix": "10.0.0.0/8", "via": ["203.0.113.254", "203.0.113.253"]}]
    flows = [bytes(eth() / IP(src=SOURCE, dst="10.0.0.1") / UDP(sport=1000 + n, dport=53)) for n in range(200)]
    run = route(flows * 2, routes=routes)
    ways = {}
    for frame in run.lan:
        ways.setdefault(Ether(frame)[UDP].sport, set()).add(Ether(frame).dst)
    assert all(len(way) == 1 for way in ways.values())
    counts = [sum(way == {mac} for way in ways.values()) for mac in (GATEWAY, GATEWAY2)]
    assert sum(counts) == 200 and min(counts) > 60


def test_black_holes_for_sources(route):
    ports = [{**PORTS[0], "urpf": "loose"}, PORTS[1]]
    routes = [{"prefix": "192.0.2.66/32", "blackhole": True}, {"prefix": "192.0.2.0/24", "via": SOURCE}]
    run = route([v4(src="192.0.2.66"), v4(src="10.0.0.1"), v4(src="192.0.2.67")], ports=ports, routes=routes)
    assert run.lan == [v4(ttl=63, src="192.0.2.67", ether=out())]
    assert run.drops == {"blackhole": 1, "urpf": 1}


def test_rules_come_before_routes(route):
    run = route([v4(), v4("203.0.113.99")], rules=["match destination 203.0.113.7/32 then mark 46",
                                                   "match destination 203.0.113.99/32 then discard"])
    assert run.lan == [v4(ttl=63, tos=46 << 2, ether=out())]
    assert run.drops == {"flowspec_discard": 1}


def test_padding_stays_behind(route):
    run = route([v4(size=2) + bytes(16)])
    assert run.lan == [v4(ttl=63, size=2, ether=out())]


def test_tcp_goes_through_as_it_came(route):
    packet = IP(src=SOURCE, dst=TO, ttl=9) / TCP(sport=1, dport=179, flags="S", options=[("MSS", 1460)])
    run = route([bytes(eth() / packet)], neighbors=NEIGHBORS)
    packet.ttl = 8
    assert run.lan == [bytes(out() / packet)]
