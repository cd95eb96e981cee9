# SPDX-License-Identifier: BSD-3-Clause
"""Unicast routes of BGP peers in forwarding; the neighbours that they lead to."""
import json
import signal
import socket
import struct

import pcapfile
import pytest
from bgp_raw import (IPV4, IPV6, UPDATE, Speaker, attribute, capability, message, mp_unreach, multiprotocol,
                     update_body)
from frames import IP, UDP, Ether, IPv6, Raw
from routed import GATEWAY, GATEWAY2, HOST, LAN, UP, Routed
from router import Peer, Router, balanced, free_port, wait_for

UNICAST = 1
WAIT_S = 30
BLACKHOLE = attribute(0xC0, 8, bytes.fromhex("ffff029a"))  # RFC 7999: 65535:666
TO, TO6 = "10.20.0.9", "2001:db8:ffff::9"


def nlri(prefix):
    address, length = prefix.split("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return bytes([int(length)]) + socket.inet_pton(family, address)[:(int(length) + 7) // 8]


def route(prefix, hop, extra=b""):
    start = attribute(0x40, 1, b"\0") + attribute(0x40, 2, struct.pack("!BBI", 2, 1, 65001))
    if ":" in prefix:
        reach = struct.pack("!HBB", IPV6, UNICAST, 16) + socket.inet_pton(socket.AF_INET6, hop) + b"\0" + nlri(prefix)
        return message(UPDATE, update_body(start + extra + attribute(0x80, 14, reach)))
    return message(UPDATE, update_body(start + attribute(0x40, 3, socket.inet_aton(hop)) + extra, nlri=nlri(prefix)))


def no_route(prefix):
    if ":" in prefix:
        return message(UPDATE, update_body(mp_unreach(IPV6, nlri(prefix), UNICAST)))
    return message(UPDATE, update_body(b"", withdrawn=nlri(prefix)))


def frame(dst, ttl, src_mac, dst_mac):
    ip = IPv6(src="2001:db8:c::2", dst=dst, hlim=ttl) if ":" in dst else IP(src="198.51.100.2", dst=dst, ttl=ttl, id=7)
    return bytes(Ether(dst=dst_mac, src=src_mac) / ip / UDP(sport=1000, dport=2000) / Raw(b"x" * 40))


@pytest.fixture
def forward(tmp_path):
    """
    forward(updates, count, destinations): sends the UPDATEs to a router that does not poll yet, waits until it knows
    `count` prefixes (with the mark at the end), lets it forward one packet for each destination: (what left by lan,
    drops).
    """
    routers = []

    def play(updates, count, destinations, peer_options=None, **options):
        port = free_port()
        peer = Peer(options={"families": ["ipv4-unicast", "ipv6-unicast"], **(peer_options or {})})
        bgp = f"bgp:\n  listen: [{{address: 127.0.0.1, port: {port}}}]\n  peers:\n{peer.yaml()}\n"
        frames = [frame(dst, 64, HOST, UP) for dst in destinations]
        router = Router(tmp_path, Routed(start="manual", extra=bgp, **options), frames, (), ["--stats", "stats.json"])
        routers.append(router)
        router.__enter__()
        with Speaker(port) as speaker:
            speaker.establish(capabilities=multiprotocol(IPV4, UNICAST) + multiprotocol(IPV6, UNICAST)
                              + capability(65, struct.pack("!I", 65001)))
            speaker.send(b"".join(updates) + route("192.0.2.255/32", "203.0.113.254"))  # the mark: all is read
            wait_for("the routes", lambda: any(r["prefix"] == "192.0.2.255/32" for r in router.ask("routes")), WAIT_S)
            assert len([r for r in router.ask("routes") if r["paths"]]) == count + 1
            router.ctl("dataplane", "start")
            wait_for("the packets", lambda: router.ask("counters")["rx_packets"] == len(frames), WAIT_S)
            assert router.stop(signal.SIGTERM) == 0, router.log
        stats = json.loads((tmp_path / "stats.json").read_text())
        assert balanced(stats), stats
        return pcapfile.read(tmp_path / "lan.pcap"), {reason: n for reason, n in stats["drops"].items() if n}

    yield play
    for router in routers:
        router.kill()


def out(dst, mac=GATEWAY):
    return frame(dst, 63, LAN, mac)


# conforms: RFC 4271 proves 5.1.3-5 9.1.2.1-2
def test_routes_of_a_peer_forward(forward):
    updates = [route("10.20.0.0/16", "203.0.113.254"), route("2001:db8:ffff::/48", "2001:db8:7::fe"),
               route("10.30.0.0/16", "10.20.0.1"),  # over the first
               route("10.20.1.0/24", "203.0.113.253"),
               route("10.31.0.0/16", "10.20.1.1")]  # over that one, which is longer
    lan, drops = forward(updates, 5, [TO, TO6, "10.30.0.1", "10.20.1.1", "10.31.0.1"])
    assert lan == [out(TO), out(TO6), out("10.30.0.1"), out("10.20.1.1", GATEWAY2), out("10.31.0.1", GATEWAY2)]
    assert drops == {}


def test_a_better_next_hop_takes_the_place_of_the_former(forward):
    lan, drops = forward([route("10.20.0.0/16", "203.0.113.254"), route("10.20.0.0/16", "203.0.113.253")], 1, [TO])
    assert lan == [out(TO, GATEWAY2)]
    assert drops == {}


def test_withdrawn_routes_do_not(forward):
    updates = [route("10.20.0.0/16", "203.0.113.254"), route("2001:db8:ffff::/48", "2001:db8:7::fe"),
               no_route("10.20.0.0/16"), no_route("2001:db8:ffff::/48")]
    assert forward(updates, 0, [TO, TO6]) == ([], {"no_route": 2})


def test_a_next_hop_that_cannot_be_reached(forward):
    assert forward([route("10.20.0.0/16", "172.16.0.1")], 1, [TO]) == ([], {"no_route": 1})


def test_blackhole_community(forward):
    updates = [route("10.20.0.0/16", "203.0.113.254"), route("10.20.0.9/32", "203.0.113.254", BLACKHOLE),
               route("2001:db8:ffff::9/128", "2001:db8:7::fe", BLACKHOLE)]
    lan, drops = forward(updates, 3, [TO, TO6, "10.20.0.10"], {"blackhole": True})
    assert lan == [out("10.20.0.10")]
    assert drops == {"blackhole": 2}


def test_blackhole_is_honoured_only_where_that_was_agreed(forward):
    """RFC 7999 3.2 asks for an agreement: without one it is a community like any other."""
    assert forward([route("10.20.0.0/16", "203.0.113.254", BLACKHOLE)], 1, [TO]) == ([out(TO)], {})


def test_routes_that_are_not_to_be_installed(forward):
    lan, drops = forward([route("10.20.0.0/16", "203.0.113.254")], 1, [TO], {"install-routes": False})
    assert lan == [] and drops == {"no_route": 1}


def test_static_routes_come_first(forward):
    lan, drops = forward([route("10.20.0.0/16", "203.0.113.254", BLACKHOLE)], 1, [TO], {"blackhole": True},
                         routes=[{"prefix": "10.20.0.0/16", "via": "203.0.113.253"}])
    assert lan == [out(TO, GATEWAY2)]
    assert drops == {}


def test_neighbors_are_shown(tmp_path):
    frames = [frame("203.0.113.200", 64, HOST, UP)]
    with Router(tmp_path, Routed(), frames) as router:
        def asked():
            return [n for n in router.ask("neighbors") if n["state"] == "asked"]
        # asked three times, a second apart, then forgotten: a slow machine may see the end of it alone
        found = wait_for("the question or its end",
                         lambda: asked() or router.ask("counters")["drops"]["neighbor_unresolved"] == 1, WAIT_S)
        if found is not True:
            assert (found[0]["address"], found[0]["port"], found[0]["mac"]) == ("203.0.113.200", "lan", None)
            assert found[0]["age_s"] >= 0 and found[0]["held_packets"] == 1
        known = [n for n in router.ask("neighbors") if n["state"] == "static"]
        assert [(n["port"], n["address"], n["mac"]) for n in known] == [
            ("up", "198.51.100.2", HOST), ("up", "2001:db8:c::2", HOST), ("lan", "203.0.113.7", HOST),
            ("lan", "203.0.113.253", GATEWAY2), ("lan", "203.0.113.254", GATEWAY), ("lan", "2001:db8:7::7", HOST),
            ("lan", "2001:db8:7::fe", GATEWAY)]
        assert {n["age_s"] for n in known} == {None}
        lines = router.ctl("neighbors").splitlines()
        assert lines[0].split() == ["ADDRESS", "PORT", "MAC", "STATE", "AGE"]
        assert lines[1].split() == ["198.51.100.2", "up", HOST, "static", "-"]
        assert router.fgctl("neighbors", "lan")[0] == 1
