# SPDX-License-Identifier: BSD-3-Clause
"""IPv4 packets that are longer than the MTU of their way out: cut where they may be, as scapy cuts them."""
import pytest
from frames import IP, UDP, Dot1Q, Ether, IPv6, Raw
from routed import HOST, LAN, NEIGHBORS, PORTS, UP, Routed, play
from router import Router

MTU = 1400
NARROW = [PORTS[0], {**PORTS[1], "mtu": MTU}]
LINK_LOCAL = {"port": "lan", "address": "fe80::9", "mac": "02:00:00:00:00:0f"}


@pytest.fixture
def route(tmp_path):
    return lambda frames, **options: play(tmp_path, frames, **{"ports": NARROW, **options})


def packet(size, ttl=64, dst="203.0.113.7", **fields):
    return IP(src="198.51.100.2", dst=dst, ttl=ttl, id=7, **fields) / UDP(sport=1, dport=2, chksum=0) / Raw(b"x" * size)


def ether(tag):
    return Ether(dst=HOST, src=LAN) / Dot1Q(vlan=tag) if tag else Ether(dst=HOST, src=LAN)


def sent(ip, mtu=MTU, tag=None):
    """What leaves for a packet that came in."""
    room = (mtu - 20) // 8 * 8
    whole = bytes(ip)[20:]
    pieces = [whole[at:at + room] for at in range(0, len(whole), room)]
    return [bytes(ether(tag) / IP(src=ip.src, dst=ip.dst, ttl=ip.ttl - 1, id=7, proto=17, frag=i * room // 8,
                                  flags="MF" if i + 1 < len(pieces) else 0) / Raw(piece))
            for i, piece in enumerate(pieces)]


def frame(ip):
    return bytes(Ether(dst=UP, src=HOST) / ip)


def test_a_long_packet_leaves_in_fragments_between_its_neighbours(route):
    small, big, bigger = packet(40), packet(1472), packet(5000)
    run = route([frame(small), frame(big), frame(small), frame(bigger), frame(small)])
    one = sent(small)
    assert run.lan == one + sent(big) + one + sent(bigger) + one
    assert len(sent(big)) == 2 and len(sent(bigger)) == 4
    assert run.drops == {}
    assert run.stats["originated_packets"] == 1 + 3
    assert run.stats["tx_packets"] == len(run.lan)


def test_what_must_not_be_cut_is_dropped(route):
    six = IPv6(src="2001:db8:c::2", dst="2001:db8:7::7") / UDP(sport=1, dport=2) / Raw(b"x" * 1400)
    run = route([frame(packet(1472, flags="DF")), frame(six)])
    assert run.lan == []
    assert run.drops == {"mtu_exceeded": 2}
    assert len(run.up) == 2  # the source is told


def test_fragments_carry_the_tag_of_a_sub_port(route):
    ports = [PORTS[0], {**PORTS[1], "addresses": []},
             {"name": "lan.7", "parent": "lan", "vlan": 7, "mode": "route", "mtu": 1300, "addresses": ["10.0.0.1/24"]}]
    ports[1].pop("addresses")
    run = route([frame(packet(1472, dst="10.0.0.2"))], ports=ports,
                neighbors=[{"port": "lan.7", "address": "10.0.0.2", "mac": HOST}])
    assert run.lan == sent(packet(1472, dst="10.0.0.2"), mtu=1300, tag=7)


def test_a_link_local_next_hop(route):
    six = IPv6(src="2001:db8:c::2", dst="2001:db8:9::1", hlim=64) / UDP(sport=1, dport=2) / Raw(b"x" * 40)
    routes = [{"prefix": "2001:db8:9::/48", "via": "fe80::9", "port": "lan"}]
    run = route([frame(six)], routes=routes, neighbors=[*NEIGHBORS, LINK_LOCAL])
    six.hlim = 63
    assert run.lan == [bytes(Ether(dst=LINK_LOCAL["mac"], src=LAN) / six)]
    assert run.drops == {}


def test_explain_says_so(tmp_path):
    frames = [frame(packet(1472)), frame(packet(1472, flags="DF")), frame(packet(40))]
    with Router(tmp_path, Routed(ports=NARROW, start="manual"), frames) as router:
        answers = [router.ask("explain", "--in", "up", "--pcap", "in.pcap", "--nth", str(n)) for n in (1, 2, 3)]
        said = router.ctl("explain", "--in", "up", "--pcap", "in.pcap", "--nth", "1")
    assert [answer["verdict"].get("fragmented") for answer in answers] == [True, None, None]
    assert [answer["verdict"]["verdict"] for answer in answers] == ["forward", "drop", "forward"]
    assert "out of port lan, in fragments." in said
