# SPDX-License-Identifier: BSD-3-Clause
"""A router with VRFs red and blue beside the default one, all three with the same addresses, and a peer of SAFI 128 and
134 for them. Frames come in by up-NAME and leave by lan-NAME."""
import json
import signal
import socket
import struct

import pcapfile
from bgp_raw import DISCARD, IPV4, IPV6, UPDATE, Speaker, attribute, capability, message, mp_unreach, multiprotocol, \
    update_body, value
from frames import IP, UDP, Ether, IPv6, Raw
from routed import GATEWAY, HOST, LAN, UP, Routed
from router import Peer, Router, balanced, free_port, wait_for

VPN, FLOWSPEC_VPN = 128, 134
VRFS = ("default", "red", "blue")
WAIT_S = 90
TARGETS = {"red": "65000:1", "blue": "65000:2"}
FAMILIES = ["ipv4-vpn", "ipv6-vpn", "ipv4-flowspec-vpn", "ipv6-flowspec-vpn", "ipv4-flowspec"]
VICTIM, VICTIM6 = "203.0.113.7", "2001:db8:7::7"


def target(text):
    """A route target as an extended community."""
    admin, number = text.split(":")
    return b"\x00\x02" + struct.pack("!HI", int(admin), int(number))


def rd(number, asn=65000):
    return struct.pack("!HHI", 0, asn, number)


def nlri(prefix):
    address, length = prefix.split("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return int(length), socket.inet_pton(family, address)[:(int(length) + 7) // 8]


def vpn_rule(prefix, number=1):
    """destination PREFIX with a route distinguisher: an NLRI of SAFI 134."""
    length, octets = nlri(prefix)
    return value(rd(number) + b"\x01" + bytes([length] + ([0] if ":" in prefix else [])) + octets)


def afi(prefix):
    return IPV6 if ":" in prefix else IPV4


def attributes(communities, asn):
    return (attribute(0x40, 1, b"\0") + attribute(0x40, 2, struct.pack("!BBI", 2, 1, asn))
            + (attribute(0xC0, 16, communities) if communities else b""))


def rule(prefix, *targets, number=1, actions=DISCARD, asn=65001):
    reach = struct.pack("!HBBB", afi(prefix), FLOWSPEC_VPN, 0, 0) + vpn_rule(prefix, number)
    communities = b"".join(target(each) for each in targets) + actions
    return message(UPDATE, update_body(attributes(communities, asn) + attribute(0x80, 14, reach)))


def no_rule(prefix, number=1):
    return message(UPDATE, update_body(mp_unreach(afi(prefix), vpn_rule(prefix, number), FLOWSPEC_VPN)))


def labelled(prefix, number):
    length, octets = nlri(prefix)
    return bytes([24 + 64 + length]) + b"\x00\x01\x01" + rd(number) + octets


def route(prefix, hop, *targets, number=1, asn=65001, pref=None):
    """A labelled VPN route; its next hop has a route distinguisher of zeros (RFC 4364 4.3.2)."""
    family = socket.AF_INET6 if ":" in hop else socket.AF_INET
    hop = b"\0" * 8 + socket.inet_pton(family, hop)
    reach = struct.pack("!HBB", afi(prefix), VPN, len(hop)) + hop + b"\0" + labelled(prefix, number)
    local = attribute(0x40, 5, struct.pack("!I", pref)) if pref is not None else b""
    communities = b"".join(target(each) for each in targets)
    return message(UPDATE, update_body(attributes(communities, asn) + local + attribute(0x80, 14, reach)))


def no_route(prefix, number=1):
    return message(UPDATE, update_body(mp_unreach(afi(prefix), labelled(prefix, number), VPN)))


def frame(dst=VICTIM, ttl=64, src_mac=HOST, dst_mac=UP):
    ip = IPv6(src="2001:db8:c::2", dst=dst, hlim=ttl) if ":" in dst else IP(src="198.51.100.2", dst=dst, ttl=ttl, id=7)
    return bytes(Ether(dst=dst_mac, src=src_mac) / ip / UDP(sport=123, dport=2000) / Raw(b"x" * 40))


def forwarded(dst=VICTIM, mac=HOST):
    """The same as it leaves."""
    return frame(dst, 63, LAN, mac)


def ports():
    made = []
    for vrf in VRFS:
        for side, mac, addresses in (("up", UP, ["198.51.100.1/24", "2001:db8:c::1/64"]),
                                     ("lan", LAN, ["203.0.113.1/24", "2001:db8:7::1/64"])):
            name = f"{side}-{vrf}"
            made.append({"name": name, "mode": "route", "mac": mac, "addresses": addresses, "vrf": vrf, "device":
                         f"net_pcap{len(made)},rx_pcap={name}-in.pcap,tx_pcap={name}.pcap"})
    return made


def neighbors():
    return [{"port": f"lan-{vrf}", "address": address, "mac": mac} for vrf in VRFS for address, mac in
            ((VICTIM, HOST), (VICTIM6, HOST), ("203.0.113.254", GATEWAY), ("2001:db8:7::fe", GATEWAY))]


class Lab:
    """
    A router that does not poll until `forward`. `frames`: what comes in by up-VRF, for each VRF; `vrfs`: the route
    targets that each imports, as a text or a list of them; `settings`: more of the configuration, as YAML.
    """

    def __init__(self, folder, frames, vrfs=None, validation="none", peers=(), settings="", **options):
        self.settings = settings
        self.folder, self.port, self.speakers = folder, free_port(), []
        self.peers = [Peer(validation=validation, options={"families": FAMILIES}), *peers]
        self.options = {"ports": ports(), "neighbors": neighbors(), **options}
        self.count = sum(len(each) for each in frames.values())
        self.router = Router(folder, self.config(vrfs or TARGETS), (), (), ["--stats", "stats.json"])
        for port in self.options["ports"]:
            side, _, vrf = port["name"].partition("-")
            pcapfile.write(folder / f"{port['name']}-in.pcap", frames.get(vrf, []) if side == "up" else [])
        self.router.__enter__()

    def config(self, vrfs):
        vrfs = [{"name": name, "rt-import": [targets] if isinstance(targets, str) else list(targets)}
                for name, targets in vrfs.items()]
        peers = "\n".join(peer.yaml() for peer in self.peers)
        bgp = f"bgp:\n  listen: [{{address: 127.0.0.1, port: {self.port}}}]\n  peers:\n{peers}\n"
        return Routed(start="manual", vrfs=vrfs, extra=bgp + self.settings, **self.options)

    def reload(self, vrfs):
        self.router.config = self.config(vrfs)
        self.router.configure()
        return self.router.ctl("reload")

    def speak(self, asn=65001, source="127.0.0.1", router_id="192.0.2.101"):
        families = b"".join(multiprotocol(a, s) for a in (IPV4, IPV6) for s in (VPN, FLOWSPEC_VPN))
        speaker = Speaker(self.port, source)
        self.speakers.append(speaker)
        return speaker.establish(asn=asn, router_id=router_id, capabilities=families + multiprotocol(IPV4)
                                 + capability(65, struct.pack("!I", asn)))

    def wait_rule(self, number=0, **wanted):
        """Rule `number` of all, once these keys of it are so."""
        def there():
            rules = self.router.ask("rules")
            fits = len(rules) > number and all(rules[number][key] == text for key, text in wanted.items())
            return rules[number] if fits else None
        return wait_for(f"a rule with {wanted}", there, WAIT_S)

    def route_there(self, prefix, there=True):
        """Waits until a labelled route of that prefix is known, or is not."""
        def known():
            return any(each["prefix"] == prefix for each in self.router.ask("routes")) == there
        wait_for(f"{prefix}: {there}", known, WAIT_S)

    def forward(self):
        """Polls until all frames are in, and ends the router: {VRF: what left by its lan}, and the drops."""
        self.router.ctl("dataplane", "start")
        wait_for("the packets", lambda: self.router.ask("counters")["rx_packets"] == self.count, WAIT_S)
        assert self.router.stop(signal.SIGTERM) == 0, self.router.log
        stats = json.loads((self.folder / "stats.json").read_text())
        assert balanced(stats), stats
        self.stats = stats
        return ({vrf: pcapfile.read(self.folder / f"lan-{vrf}.pcap") for vrf in VRFS},
                {reason: n for reason, n in stats["drops"].items() if n})

    def end(self):
        for speaker in self.speakers:
            speaker.socket.close()
        self.router.kill()
