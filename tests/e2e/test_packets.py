# SPDX-License-Identifier: BSD-3-Clause
"""What arrives is not always an IP packet in an Ethernet frame, and not always sound."""
import pytest
from frames import (ARP, ETHER, HOST, HOST6, IP, OUTSIDE, OUTSIDE6, TCP, UDP, Dot1AD, Dot1Q, IPv6, IPv6ExtHdrDestOpt,
                    IPv6ExtHdrHopByHop, Raw, fragments4, frame, udp4, udp6, v4, v6)

RULES = [f"match destination {HOST}/32 then discard", f"match destination {HOST6}/128 then discard"]
INNER4 = (IP(src=OUTSIDE, dst=HOST), UDP(sport=1, dport=2))
INNER6 = (IPv6(src=OUTSIDE6, dst=HOST6), UDP(sport=1, dport=2))


@pytest.mark.parametrize("tags", [(), (Dot1Q(vlan=7),), (Dot1AD(vlan=200), Dot1Q(vlan=7)),
                                  (Dot1Q(vlan=200), Dot1Q(vlan=7))], ids=["untagged", "vlan", "qinq", "double-q"])
def test_tags_hide_nothing_from_the_rules(play, tags):
    passes = frame(*tags, IP(src=OUTSIDE, dst="203.0.113.9"), UDP(sport=1, dport=2))
    run = play([frame(*tags, *INNER4), passes, frame(*tags, *INNER6)], RULES)
    assert run.out == [passes]
    assert run.drops == {"flowspec_discard": 2}


def test_what_is_not_ip_passes(play):
    frames = [
        frame(ARP(psrc="203.0.113.254", pdst=HOST)),
        frame(Dot1Q(vlan=7), ARP(psrc="203.0.113.254", pdst=HOST)),
        bytes(ETHER)[:12] + b"\x88\xcc" + b"\x02\x07\x04" + bytes(43),  # LLDP
        bytes(ETHER)[:12] + b"\x00\x26" + b"\x42\x42\x03" + bytes(43),  # 802.3, spanning tree
    ]
    run = play(frames, ["match protocol true then discard", "match family ipv6 protocol true then discard"])
    assert run.out == frames


# conforms: RFC 8956 proves 3.3-1
# conforms: RFC 8956 proves 3.3-1
# conforms: RFC 8956 proves 3.3-1
def test_ipv6_extension_headers_do_not_hide_the_protocol(play):
    hit = v6(IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), UDP(sport=1, dport=53))
    passes = v6(IPv6ExtHdrHopByHop(), TCP(sport=1, dport=53))
    run = play([hit, passes], ["match destination 2001:db8:7::/48 protocol =udp destination-port =53 then discard"])
    assert run.out == [passes]


def test_ipv4_options_do_not_shift_the_ports(play):
    from scapy.layers.inet import IPOption_NOP
    hit = v4(UDP(sport=1, dport=53), options=[IPOption_NOP()] * 8)
    run = play([hit], ["match destination-port =53 then discard"])
    assert run.out == []


def broken_frames():
    whole, whole6 = udp4(), udp6()
    return {
        "an Ethernet header cut short": whole[:13],
        "a VLAN tag cut short": frame(Dot1Q(vlan=7), *INNER4)[:16],
        "an IPv4 header cut short": whole[:33],
        "an IPv4 version of 5": whole[:14] + b"\x55" + whole[15:],
        "an IPv4 header length of 4 words": whole[:14] + b"\x44" + whole[15:],
        "a total length beyond the frame": whole[:16] + b"\x05\xdc" + whole[18:],
        "a total length below the header": whole[:16] + b"\x00\x13" + whole[18:],
        "a UDP header cut short": frame(IP(src=OUTSIDE, dst=HOST, proto=17), Raw(b"1234567")),
        "a TCP header cut short": frame(IP(src=OUTSIDE, dst=HOST, proto=6), Raw(b"1" * 19)),
        "a TCP data offset of 4": frame(IP(src=OUTSIDE, dst=HOST), TCP(dataofs=4)),
        "a UDP length beyond the packet": frame(IP(src=OUTSIDE, dst=HOST), UDP(len=500), Raw(b"x")),
        "an IPv6 header cut short": whole6[:53],
        "an IPv6 payload beyond the frame": whole6[:18] + b"\x05\xdc" + whole6[20:],
        "an IPv6 extension header cut short": frame(IPv6(src=OUTSIDE6, dst=HOST6, nh=0), Raw(b"\x11\x05xxxxxx")),
        "nine IPv6 extension headers": v6(*[IPv6ExtHdrDestOpt()] * 9, UDP()),
        "a fragment that is no multiple of 8": frame(IP(src=OUTSIDE, dst=HOST, flags="MF", proto=17), Raw(b"x" * 15)),
        "a fragment beyond 65535": frame(IP(src=OUTSIDE, dst=HOST, frag=8191, proto=17), Raw(b"x" * 64)),
    }


@pytest.mark.parametrize("what", broken_frames())
def test_malformed_packets_are_counted_and_dropped(play, what):
    good = udp4(dst="203.0.113.9")
    run = play([good, broken_frames()[what], good], RULES)
    assert run.out == [good, good]
    assert run.drops == {"malformed": 1}


def test_ethernet_padding_is_not_part_of_the_packet(play):
    padded = udp4(size=1) + bytes(17)
    run = play([padded], ["match packet-length =29 then discard"])
    assert run.out == []
    assert run.stats["rules"][0]["bytes"] == len(padded)


def test_a_port_without_flowspec_passes_all(play):
    frames = [udp4(), udp6()]
    run = play(frames, RULES, flowspec=False)
    assert run.out == frames
    assert all(rule["packets"] == 0 for rule in run.stats["rules"])


def test_both_directions_of_a_wire(play):
    there, back = [udp4(dst="203.0.113.9")], [udp4(src=HOST, dst=OUTSIDE), udp4()]
    run = play(there, RULES, back=back)
    assert run.out == there
    assert run.back == back  # lan has flowspec off
    assert run.stats["rx_packets"] == 3


def test_long_frames_pass_whole(play):
    frames = [v4(UDP(), Raw(b"j" * 8900)), *fragments4(8000, dst="203.0.113.9")]
    run = play(frames, ["match protocol =tcp then discard"])
    assert run.out == frames


def test_a_mixed_capture_adds_up_to_the_packet_and_the_octet(play):
    frames = [udp4(sport=123, size=i) for i in range(300)] + [udp6(size=i) for i in range(200)]
    frames += [udp4(dst="203.0.113.9", size=i) for i in range(250)] + list(broken_frames().values())
    run = play(frames, ["match source-port =123 then discard", RULES[1]])
    assert run.drops == {"flowspec_discard": 500, "malformed": len(broken_frames())}
    assert run.rule("source-port =123")["dropped_bytes"] == sum(map(len, frames[:300]))
    assert run.rule(f"destination {HOST6}/128")["dropped_bytes"] == sum(map(len, frames[300:500]))
    assert run.out == frames[500:750]
    assert run.stats["rx_bytes"] == sum(map(len, frames))
    assert run.stats["tx_bytes"] == sum(map(len, frames[500:750]))
