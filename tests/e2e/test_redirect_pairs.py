# SPDX-License-Identifier: BSD-3-Clause
"""
Redirects in every pair with every action, with and without `continue`, IPv4 and IPv6, on ports that route: by which
next hop the packet and its copy leave, and what every rule counts. Each pair has a destination of its own, so one run
of the router plays all of them; what should happen is worked out here (RFC 8955 7.3, 7.7, floodgate-rules(5)).

And redirects as BGP brings them: the older form takes its address from the next hop of the announcement.
"""
import collections
import itertools
import json
import socket
import struct

import pcapfile
import pytest
from bgp_raw import IPV4, IPV6, UPDATE, Speaker, attribute, message, mp_unreach, update_body, \
    usual_attributes, value
from frames import IP, UDP, Dot1Q, Ether, IPv6, Raw
from routed import GATEWAY, GATEWAY2, HOST, LAN, UP, PORTS, Routed, play
from router import Peer, Router, free_port, wait_for

SLOW = "0.001pps"  # one packet, and no other while a test runs
WAIT_S = 90
ACTIONS = {"accept": "accept", "discard": "discard", "limit": f"rate-limit {SLOW}", "mark": "mark {dscp}",
           "vrf": "redirect 65000:9", "ip": "redirect-ip {gateway}", "copy": "redirect-ip {gateway} copy",
           "vrf-ip": "redirect 65000:9 redirect-ip {host}"}
PAIRS = [(first, go_on, second) for first, second in itertools.product(ACTIONS, ACTIONS) for go_on in (True, False)]
HOSTS = {4: "203.0.113.7", 6: "2001:db8:7::7"}
GATEWAYS = {4: ("203.0.113.254", "203.0.113.253"), 6: ("2001:db8:7::fe", "2001:db8:7::fd")}
MACS = (GATEWAY, GATEWAY2)
SCRUB = "02:00:00:00:00:77"  # the neighbour in the VRF
LAB = {
    "ports": [*PORTS, {"name": "lan.9", "parent": "lan", "vlan": 9, "mode": "route", "vrf": "scrub",
                       "addresses": ["203.0.113.1/24", "2001:db8:7::1/64"]}],
    "vrfs": [{"name": "scrub", "rt-import": ["65000:9"]}],
    "routes": [{"prefix": prefix, "via": HOSTS[family], **vrf} for family, prefix in
               ((4, "10.0.0.0/8"), (6, "2001:db8:a::/48")) for vrf in ({}, {"vrf": "scrub"})],
    "neighbors": [{"port": port, "address": address, "mac": mac} for family in (4, 6) for port, address, mac in
                  (("lan", HOSTS[family], HOST), ("lan", GATEWAYS[family][0], GATEWAY),
                   ("lan", GATEWAYS[family][1], GATEWAY2), ("lan.9", HOSTS[family], SCRUB))],
}


def destination_of(family, number):
    return f"10.0.{number >> 8}.{number & 255}" if family == 4 else f"2001:db8:a::{number:x}"


def frame(family, destination, number, hops=64, dscp=0, ether=None):
    layer = IP(src="198.51.100.2", dst=destination, ttl=hops, tos=dscp << 2 | 1, id=number) if family == 4 else \
        IPv6(src="2001:db8:c::2", dst=destination, hlim=hops, tc=dscp << 2 | 1)
    return bytes((ether or Ether(src=HOST, dst=UP)) / layer / UDP(sport=5, dport=6) / Raw(b"pairs%d" % number))


class Model:
    """One pair of rules, as the manual has it."""

    def __init__(self, family, destination, first, go_on, second):
        self.family, self.destination = family, destination
        self.rules = [(first, go_on), (second, False)]
        self.limited = [False, False]
        self.counts = [[0, 0], [0, 0]]

    def texts(self):
        bits = 32 if self.family == 4 else 128
        for n, (action, go_on) in enumerate(self.rules):
            text = ACTIONS[action].format(dscp=(10, 46)[n], gateway=GATEWAYS[self.family][n], host=HOSTS[self.family])
            text = text if not go_on else "continue" if action == "accept" else f"{text} continue"
            yield f"match destination {self.destination}/{bits}{' protocol =udp' if n == 0 else ''} then {text}"

    def judge(self, number):
        """(what leaves, drop reason or None)"""
        found = {}
        for n, (action, go_on) in enumerate(self.rules):
            self.counts[n][0] += 1
            drop = "flowspec_discard" if action == "discard" else \
                "flowspec_rate_limit" if action == "limit" and self.limited[n] else None
            self.limited[n] = self.limited[n] or action == "limit"
            if drop:
                self.counts[n][1] += 1
                return [], drop
            for kind, meaning in self.meanings(action, n):
                found.setdefault(kind, meaning)
            if not go_on:
                break
        way = found.get("ip") or found.get("vrf") or Ether(src=LAN, dst=HOST)
        ways = [way] + ([found["copy"]] if "copy" in found else [])
        return [frame(self.family, self.destination, number, 63, found.get("mark", 0), each) for each in ways], None

    @staticmethod
    def meanings(action, n):
        by, tagged = Ether(src=LAN, dst=MACS[n]), Ether(src=LAN, dst=SCRUB) / Dot1Q(vlan=9)
        return {"mark": [("mark", (10, 46)[n])], "vrf": [("vrf", tagged)], "ip": [("ip", by)], "copy": [("copy", by)],
                "vrf-ip": [("vrf", tagged), ("ip", tagged)]}.get(action, [])


def test_every_pair_with_a_redirect(tmp_path):
    models, frames, out, drops = [], [], [], collections.Counter()
    for n, (family, pair) in enumerate(itertools.product((4, 6), PAIRS)):
        models.append(Model(family, destination_of(family, n), *pair))
        for number in (2 * n, 2 * n + 1):
            frames.append(frame(family, models[-1].destination, number))
            left, drop = models[-1].judge(number)
            out += left
            drops.update([drop] if drop else [])
    run = play(tmp_path, frames, rules=[text for model in models for text in model.texts()], **LAB)
    assert collections.Counter(bytes(Ether(octets)) for octets in run.lan) == collections.Counter(out)
    assert run.drops == dict(drops)
    assert run.stats["originated_packets"] == len(out) - (len(frames) - sum(drops.values()))
    counted = {rule["match"]: [rule["packets"], rule["dropped_packets"]] for rule in run.stats["rules"]}
    for model in models:
        match = f"destination {model.destination}/{32 if model.family == 4 else 128}"
        assert [counted[f"{match} protocol =udp"], counted[match]] == model.counts, (model.destination, model.rules)
    assert all(rule["reason"] == "" for rule in run.stats["rules"]), run.stats["rules"]


# ---- as BGP brings them ----

def nlri(destination):
    octets = socket.inet_pton(socket.AF_INET6 if ":" in destination else socket.AF_INET, destination)
    return value(bytes([1, 8 * len(octets)] + ([0] if ":" in destination else [])) + octets)


def announce(destination, hop, community, community6=b""):
    """A rule for one host, with a next hop in MP_REACH_NLRI where `hop` is not empty."""
    hop = socket.inet_pton(socket.AF_INET6 if ":" in hop else socket.AF_INET, hop) if hop else b""
    afi = IPV6 if ":" in destination else IPV4
    reach = struct.pack("!HBB", afi, 133, len(hop)) + hop + b"\0" + nlri(destination)
    more = attribute(0xC0, 25, community6) if community6 else b""
    return message(UPDATE, update_body(usual_attributes(communities=community) + more + attribute(0x80, 14, reach)))


def address_community(address, copy=False):
    """draft-ietf-idr-flowspec-redirect-ip: (extended community, IPv6-specific one)"""
    octets = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    whole = octets + bytes([0, copy])
    return (b"", b"\0\x0c" + whole) if ":" in address else (b"\x01\x0c" + whole, b"")


SIMPSON, SIMPSON_COPY = bytes.fromhex("0800000000000000"), bytes.fromhex("0800000000000001")


@pytest.fixture
def lab(tmp_path):
    routers = []

    def make(frames):
        port = free_port()
        peer = Peer(options={"families": ["ipv4-flowspec", "ipv6-flowspec"]})
        bgp = f"bgp:\n  listen: [{{address: 127.0.0.1, port: {port}}}]\n  peers:\n{peer.yaml()}\n"
        router = Router(tmp_path, Routed(start="manual", extra=bgp, **LAB), frames, (),
                        ["--exit-idle", "300", "--stats", "stats.json"])
        routers.append(router)
        router.__enter__()
        return router, Speaker(port).establish()

    yield make
    for router in routers:
        router.kill()


def finish(router):
    router.ctl("dataplane", "start")
    assert router.wait() == 0, router.log
    stats = json.loads((router.folder / "stats.json").read_text())
    return pcapfile.read(router.folder / "lan.pcap"), {r: n for r, n in stats["drops"].items() if n}


def rules_are(router, wanted):
    """Waits for the rules: {destination: (actions, whether its reason is empty)}."""
    def there():
        rules = {rule["match"].split()[1].split("/")[0]: (rule["actions"], rule["reason"] == "")
                 for rule in router.ask("rules") if rule["state"] == "active"}
        return rules == wanted
    wait_for(f"{wanted}", there, WAIT_S)


@pytest.mark.parametrize("copy", [False, True])
def test_the_older_form_takes_the_next_hop_of_the_announcement(lab, copy):
    places = [(4, "10.0.0.1"), (6, "2001:db8:a::1")]
    router, peer = lab([frame(family, to, 1) for family, to in places])
    with peer:
        for family, to in places:
            peer.send(announce(to, GATEWAYS[family][0], SIMPSON_COPY if copy else SIMPSON))
        word = " copy" if copy else ""
        rules_are(router, {to: ([f"redirect-ip {GATEWAYS[family][0]}{word}"], True) for family, to in places})
        # another next hop makes another redirect of it
        for family, to in places:
            peer.send(announce(to, GATEWAYS[family][1], SIMPSON_COPY if copy else SIMPSON))
        rules_are(router, {to: ([f"redirect-ip {GATEWAYS[family][1]}{word}"], True) for family, to in places})
        out, drops = finish(router)
    redirected = [frame(family, to, 1, 63, 0, Ether(src=LAN, dst=GATEWAY2)) for family, to in places]
    straight = [frame(family, to, 1, 63, 0, Ether(src=LAN, dst=HOST)) for family, to in places]
    assert sorted(out) == sorted(redirected + (straight if copy else [])) and drops == {}


def test_the_older_form_without_a_next_hop_and_the_newer_one_beside_it(lab):
    router, peer = lab([frame(4, "10.0.0.1", 1), frame(4, "10.0.0.2", 2), frame(6, "2001:db8:a::3", 3)])
    with peer:
        newer, newer6 = address_community(GATEWAYS[4][0]), address_community(GATEWAYS[6][1])
        peer.send(announce("10.0.0.1", "", SIMPSON))
        peer.send(announce("10.0.0.2", GATEWAYS[4][1], newer[0]))  # the next hop means nothing to this form
        peer.send(announce("2001:db8:a::3", GATEWAYS[6][0], b"", newer6[1]))
        rules_are(router, {"10.0.0.1": (["redirect-ip next-hop"], False),
                           "10.0.0.2": ([f"redirect-ip {GATEWAYS[4][0]}"], True),
                           "2001:db8:a::3": ([f"redirect-ip {GATEWAYS[6][1]}"], True)})
        (rule,) = [rule for rule in router.ask("rules") if rule["reason"]]
        assert rule["reason"].startswith("redirect-unresolved: no route to next-hop")
        peer.send(message(UPDATE, update_body(mp_unreach(IPV4, nlri("10.0.0.2")))))
        wait_for("one rule less", lambda: len(router.ask("rules")) == 2, WAIT_S)
        out, drops = finish(router)
    assert sorted(out) == sorted([frame(4, "10.0.0.1", 1, 63, 0, Ether(src=LAN, dst=HOST)),
                                  frame(4, "10.0.0.2", 2, 63, 0, Ether(src=LAN, dst=HOST)),
                                  frame(6, "2001:db8:a::3", 3, 63, 0, Ether(src=LAN, dst=GATEWAY2))])
    assert drops == {}
