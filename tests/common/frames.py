# SPDX-License-Identifier: BSD-3-Clause
"""Frames that tests send, as bytes. Addresses: 203.0.113.0/24 and 2001:db8:7::/48 are inside."""
import logging

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, fragment6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

ETHER = Ether(src="02:00:00:00:00:fe", dst="02:00:00:00:00:01")
HOST, OTHER = "203.0.113.7", "203.0.113.8"
OUTSIDE, FAR = "198.51.100.1", "192.0.2.1"
HOST6, OTHER6 = "2001:db8:7::7", "2001:db8:7::8"
OUTSIDE6, FAR6 = "2001:db8:c::1", "2001:db8:f::1"


def frame(*layers, ether=ETHER):
    packet = ether
    for layer in layers:
        packet = packet / layer
    return bytes(packet)


def v4(*layers, src=OUTSIDE, dst=HOST, **fields):
    return frame(IP(src=src, dst=dst, **fields), *layers)


def v6(*layers, src=OUTSIDE6, dst=HOST6, **fields):
    return frame(IPv6(src=src, dst=dst, **fields), *layers)


def udp4(sport=1000, dport=2000, size=10, **fields):
    return v4(UDP(sport=sport, dport=dport), Raw(b"x" * size), **fields)


def udp6(sport=1000, dport=2000, size=10, **fields):
    return v6(UDP(sport=sport, dport=dport), Raw(b"x" * size), **fields)


def tcp4(flags="S", sport=1000, dport=443, **fields):
    return v4(TCP(sport=sport, dport=dport, flags=flags), **fields)


def tcp6(flags="S", sport=1000, dport=443, **fields):
    return v6(TCP(sport=sport, dport=dport, flags=flags), **fields)


def fragments4(size=3000, sport=53, **fields):
    """The fragments of one UDP datagram: first, others, last."""
    whole = IP(src=fields.pop("src", OUTSIDE), dst=fields.pop("dst", HOST), id=77, **fields)
    return [frame(piece) for piece in fragment(whole / UDP(sport=sport, dport=2000) / Raw(b"f" * size), 1200)]


def fragments6(size=3000, sport=53, **fields):
    whole = IPv6(src=fields.pop("src", OUTSIDE6), dst=fields.pop("dst", HOST6), **fields)
    pieces = fragment6(whole / IPv6ExtHdrFragment(id=77) / UDP(sport=sport, dport=2000) / Raw(b"f" * size), 1200)
    return [frame(piece) for piece in pieces]
