# SPDX-License-Identifier: BSD-3-Clause
"""`fgctl explain` on ports that route: random packets, each explained first and then played; what it said is what
happened, packet by packet. And `fgctl routes PREFIX`, which shows what packets are forwarded by."""
import collections
import json
import random
import re
import signal
import socket

import pcapfile
import pytest
from frames import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw
from routed import GATEWAY, GATEWAY2, HOST, LAN, UP, Routed
from router import Router, balanced, wait_for

WAIT_S = 90
PACKETS = 400
PORTS = [
    {"name": "up", "device": "net_pcap0,rx_pcap=in.pcap,tx_pcap=up.pcap", "mode": "route", "mac": UP,
     "addresses": ["198.51.100.1/24", "2001:db8:c::1/64"], "urpf": "loose"},
    {"name": "up.7", "parent": "up", "vlan": 7, "mode": "route", "vrf": "red", "addresses": ["198.51.100.1/24"]},
    {"name": "lan", "device": "net_pcap1,rx_pcap=back.pcap,tx_pcap=lan.pcap", "mode": "route", "mac": LAN, "mtu": 1280,
     "addresses": ["203.0.113.1/24", "2001:db8:7::1/64"]},
    {"name": "lan.9", "parent": "lan", "vlan": 9, "mode": "route", "vrf": "red", "addresses": ["203.0.113.1/24"]},
]
NEIGHBORS = [{"port": port, "address": address, "mac": mac} for port, address, mac in (
    ("lan", "203.0.113.7", HOST), ("lan", "2001:db8:7::7", HOST), ("lan", "203.0.113.254", GATEWAY),
    ("lan", "203.0.113.253", GATEWAY2), ("lan", "2001:db8:7::fe", GATEWAY), ("lan.9", "203.0.113.7", GATEWAY2),
    ("up", "198.51.100.2", HOST))]
ROUTES = [
    {"prefix": "10.0.0.0/8", "via": "203.0.113.254"},
    {"prefix": "10.1.0.0/16", "via": ["203.0.113.254", "203.0.113.253", "198.51.100.2"]},
    {"prefix": "10.2.0.0/16", "blackhole": True},
    {"prefix": "10.3.0.0/16", "via": "10.0.0.9"},       # over another route
    {"prefix": "10.4.0.0/16", "via": "192.0.2.9"},      # leads nowhere
    {"prefix": "10.5.0.0/16", "via": "203.0.113.200"},  # a neighbour that is not known
    {"prefix": "2001:db8:a::/48", "via": "2001:db8:7::fe"},
    {"prefix": "10.0.0.0/8", "via": "203.0.113.7", "vrf": "red"},
    {"prefix": "10.9.0.0/16", "blackhole": True, "vrf": "scrub"},
]
RULES = [
    "match destination 10.0.7.0/24 then discard",
    "match destination 10.0.0.0/16 protocol udp source-port 53 then continue mark 10",
    "match destination 10.0.0.0/16 dscp 0 protocol udp then mark 46 sample",
    "match destination 10.9.0.0/16 then redirect 65000:9",
    "match destination 10.8.0.0/16 then redirect-ip 203.0.113.253",
    "match destination 10.7.0.0/16 then redirect-ip 192.0.2.77",
    "match destination 10.6.0.0/16 then redirect-ip 203.0.113.253 copy",
    "match destination 2001:db8:a::/64 protocol tcp then rate-limit 10gbps continue",
    "match protocol tcp destination-port 179 then rate-limit 0bps",
    "match rd 65000:1 destination 10.0.0.0/9 protocol tcp then discard",
]
DESTINATIONS = [*(f"10.{n}.0.9" for n in range(10)), *(f"10.1.{n}.9" for n in range(9)), "10.0.7.1", "203.0.113.7",
                "203.0.113.1", "203.0.113.99", "198.51.100.1", "198.51.100.2", "8.8.8.8", "224.0.0.5", "127.0.0.1"]
DESTINATIONS6 = ["2001:db8:a::9", "2001:db8:a:1::9", "2001:db8:7::7", "2001:db8:7::1", "2001:db8:7::99", "fe80::9",
                 "2001:db8:ffff::1", "ff02::5"]


def random_frame(rng, number):
    """Told from all others by what it carries."""
    v6 = rng.random() < 0.25
    ttl = rng.choice([0, 1, 2, 64, 64, 64])
    if v6:
        ip = IPv6(src=rng.choice(["2001:db8:c::2", "2001:db8:7::7", "2001:db8:ee::1"]), dst=rng.choice(DESTINATIONS6),
                  hlim=ttl)
    else:
        ip = IP(src=rng.choice(["198.51.100.2", "10.2.0.1", "192.0.2.1", "10.0.0.77"]), dst=rng.choice(DESTINATIONS),
                ttl=ttl, tos=rng.choice([0, 0, 40]), id=7, flags=rng.choice(["", "DF"]),
                chksum=rng.choice([None] * 40 + [1]))
    ports = {"sport": rng.choice([53, 1000 + number]), "dport": rng.choice([179, 2000])}
    layer = rng.choice([UDP(**ports), TCP(**ports), ICMPv6EchoRequest() if v6 else ICMP()])
    packet = ip / layer / Raw(b"%06d" % number + b"x" * rng.choice([10, 40, 1300]))
    if rng.random() < 0.2:
        packet = Dot1Q(vlan=rng.choice([7, 7, 7, 8])) / packet
    mac = UP if rng.random() < 0.95 else HOST
    octets = bytes(Ether(dst=mac, src=HOST) / packet)
    return octets[:rng.choice([16, 30])] if rng.random() < 0.02 else octets


class Api:
    """Asks over the socket itself: a program for each packet would take a minute."""

    def __init__(self, router):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(router.folder / "api.sock"))
        self.lines = self.socket.makefile("r")

    def ask(self, command, **args):
        self.socket.sendall(json.dumps({"command": command, "args": args}).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        assert answer["ok"], answer
        return answer["result"]


def config(**options):
    return Routed(ports=PORTS, neighbors=NEIGHBORS, routes=ROUTES, rules=RULES, start="manual",
                  vrfs=[{"name": "red", "rt-import": ["65000:1"]}, {"name": "scrub", "rt-import": ["65000:9"]}],
                  extra="sampling: {directory: samples}\n", **options)


def is_error(packet):
    """An ICMP error: it quotes what it is about."""
    if ICMP in packet:
        return packet[ICMP].type in (3, 11)
    return IPv6 in packet and packet[IPv6].nh == 58 and bytes(packet[IPv6].payload)[0] in (1, 2, 3)


def sent(folder):
    """{number: ports that it left by}, and what it left with."""
    ports, frames = collections.defaultdict(list), {}
    for device in ("up", "lan"):
        for frame in pcapfile.read(folder / f"{device}.pcap"):
            packet = Ether(frame)
            number = re.search(rb"([0-9]{6})x{10}", frame)
            if number is None or is_error(packet):
                continue
            number = int(number.group(1))
            ports[number].append(f"{device}.{packet.vlan}" if Dot1Q in packet else device)
            frames[number] = packet
    return ports, frames


def expected_ports(answer):
    """By which ports a packet leaves, as explain has it."""
    ports = [verdict["egress"] for verdict in (answer["verdict"], answer.get("copy", {}).get("verdict", {}))
             if verdict.get("verdict") == "forward"]
    return sorted(ports)


def expected_drops(answers):
    drops = collections.Counter()
    for answer in answers:
        for verdict in (answer["verdict"], answer.get("copy", {}).get("verdict", {})):
            if verdict.get("verdict") in ("drop", "hold"):
                drops[verdict["reason"]] += 1
    return drops


@pytest.mark.parametrize("seed", [1, 2])
def test_explain_says_what_happens_to_every_packet(tmp_path, seed):
    rng = random.Random(seed)
    frames = [random_frame(rng, n) for n in range(PACKETS)]
    (tmp_path / "samples").mkdir()
    with Router(tmp_path, config(), frames, (), ["--stats", "stats.json"]) as router:
        api = Api(router)
        answers = [api.ask("explain", **{"in": "up", "frame": frame.hex()}) for frame in frames]
        assert api.ask("counters")["rx_packets"] == 0
        router.ctl("dataplane", "start")
        wait_for("all of them", lambda: api.ask("counters")["rx_packets"] == PACKETS, WAIT_S)
        wait_for("neighbours that do not answer are given up", lambda: not any(
            each["held_packets"] for each in api.ask("neighbors")), WAIT_S)
        assert router.stop(signal.SIGTERM) == 0, router.log
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert balanced(stats), stats

    # the spread of verdicts: a test that meets each
    words = collections.Counter(answer["verdict"]["verdict"] for answer in answers)
    assert set(words) == {"forward", "drop", "hold", "punt"} and min(words.values()) >= 3, words
    reasons = {answer["verdict"].get("reason") for answer in answers}
    assert {"malformed", "not_for_router", "no_route", "blackhole", "urpf", "ttl_expired", "mtu_exceeded",
            "flowspec_discard", "neighbor_unresolved"} <= reasons, reasons

    ports, packets = sent(tmp_path)
    for number, answer in enumerate(answers):
        if answer["verdict"]["verdict"] == "punt":
            continue  # the router may answer it with the same octets
        assert sorted(ports.get(number, [])) == expected_ports(answer), (number, answer)
        if answer["verdict"]["verdict"] == "forward" and "copy" not in answer:
            check_headers(packets[number], answer)
    assert any("fragmented" in answer["verdict"] for answer in answers)
    punted = sum(answer["verdict"]["verdict"] == "punt" for answer in answers)
    assert punted == stats["punted_packets"]
    drops = collections.Counter({reason: count for reason, count in stats["drops"].items() if count})
    assert drops == expected_drops(answers)
    hits = collections.Counter(match["id"] for answer in answers for match in answer["matches"] if match["reached"])
    assert hits == collections.Counter({rule["id"]: rule["packets"] for rule in stats["rules"] if rule["packets"]})


def check_headers(packet, answer):
    """The frame left to the neighbour and with the mark that explain names."""
    assert packet[Ether].dst == answer["next_hop"]["mac"], answer
    if "dscp" in answer["verdict"]:
        tos = packet[IP].tos if IP in packet else packet[IPv6].tc
        assert tos >> 2 == answer["verdict"]["dscp"], answer


def explain(router, *words):
    return router.ask("explain", *words)


def words(destination, source="198.51.100.2", **more):
    extra = " ".join(f"{name.replace('_', '-')} {value}" for name, value in more.items())
    return f"source {source} destination {destination} protocol udp source-port 1 destination-port 2 {extra}"


def test_the_story_in_words(tmp_path):
    (tmp_path / "samples").mkdir()
    with Router(tmp_path, config()) as router:
        told = router.ctl("explain", "--in", "up", words("10.3.0.1"))
        for line in ("assumed: ", "ttl 64", "No rule in force matches it.",
                     "Route: 10.3.0.0/16 in VRF default (static) via 10.0.0.9",
                     f"Next hop: send, out of lan to 203.0.113.254 ({GATEWAY}, static)",
                     "Verdict: sent out of port lan."):
            assert line in told, told
        told = router.ctl("explain", "--in", "up", words("198.51.100.1"))
        assert "It is for the router itself (other): taken out before any rule is asked." in told
        assert "Verdict: handed to the router itself, as other." in told
        told = router.ctl("explain", "--in", "up", words("203.0.113.99"))
        assert "Verdict: held, to be sent out of port lan" in told and "resolve" not in told
        told = router.ctl("explain", "--in", "up", words("10.7.0.1"))
        assert "A redirect to 192.0.2.77 is as if it were absent" in told and "sent out of port lan" in told
        told = router.ctl("explain", "--in", "up", words("10.8.0.1"))
        assert "Redirected to 203.0.113.253." in told
        told = router.ctl("explain", "--in", "up", words("10.6.0.1"))
        assert f"A copy goes by: send, out of lan to 203.0.113.253 ({GATEWAY2}, static)" in told
        told = router.ctl("explain", "--in", "up", words("10.9.0.1"))
        assert "Redirected to VRF scrub." in told and "counted as blackhole: its route is a black hole" in told
        assert router.ctl("help", "explain").startswith("usage: fgctl [-s SOCKET] [-j] explain")
        router.ctl("rule", "add", "match destination 10.3.0.1/32 then redirect 65000:999")
        assert "note: redirect-unresolved: no VRF imports 65000:999" in router.ctl("explain", words("10.3.0.1"))
        told = router.ctl("explain", "--in", "up.7", words("10.0.0.1").replace("udp", "tcp"))
        assert "in VRF red" in told and "dropped" in told
        assert "Route: none covers it" in router.ctl("explain", "--in", "up", words("192.0.2.77"))
        told = router.ctl("explain", "--in", "up", words("10.0.0.1").replace("udp", "tcp"))
        assert "other-vrf: it is for packets of other VRFs" in told
        router.ctl("kill-switch", "on")
        told = router.ctl("explain", "--in", "up", words("10.0.7.1"))
        assert "The kill-switch is ON: no rule is asked." in told and "sent out of port lan" in told


def test_routes_of_a_prefix_show_the_way(tmp_path):
    (tmp_path / "samples").mkdir()
    with Router(tmp_path, config()) as router:
        entries = [each for each in router.ask("routes", "10.1.0.0/16") for each in each["forwarding"]]
        assert [(each["vrf"], each["prefix"], each["source"]) for each in entries] == [
            ("default", "10.0.0.0/8", "static"), ("default", "10.1.0.0/16", "static"), ("red", "10.0.0.0/8", "static")]
        assert [(via["address"], via["resolved"], via["next_hop"].get("mac")) for via in entries[1]["via"]] == [
            (address, True, mac) for address, mac in
            (("203.0.113.254", GATEWAY), ("203.0.113.253", GATEWAY2), ("198.51.100.2", HOST))]
        (entry,) = router.ask("routes", "10.4.0.0/16")[-1]["forwarding"]
        assert (entry["prefix"], entry["source"]) == ("10.0.0.0/8", "static")
        entries = {each["prefix"]: each["forwarding"][0] for each in router.ask("routes", "10.4.0.0/16")}
        assert entries["10.4.0.0/16"]["via"] == [
            {"address": "192.0.2.9", "resolved": False, "next_hop": {"kind": "unreachable"}}]
        entries = {each["prefix"]: each["forwarding"][0] for each in router.ask("routes")}
        assert entries["198.51.100.1/32"]["next_hop"] == {"kind": "local"}
        assert entries["203.0.113.0/24"]["source"] == "connected"
        assert entries["10.2.0.0/16"]["next_hop"] == {"kind": "blackhole"}
        told = router.ctl("routes", "10.5.0.1")
        assert "203.0.113.200" in told and "resolve" in told and "lan" in told, told
