# SPDX-License-Identifier: BSD-3-Clause
"""Unicast and VPN routes as UPDATEs, and a speaker that keeps account of those that it is told."""
import socket
import struct

import bgp_raw as bgp
from bgp_raw import IPV4, IPV6, Speaker, attribute, message

US, THEM = 65000, 65001
UNICAST, VPN = 1, 128
FAMILIES = ["ipv4-unicast", "ipv6-unicast", "ipv4-flowspec", "ipv4-vpn"]  # as AFI_SAFI
AFI_SAFI = [(IPV4, UNICAST), (IPV6, UNICAST), (IPV4, bgp.FLOWSPEC), (IPV4, VPN)]
HOP, HOP6 = "192.0.2.9", "2001:db8::9"
NO_EXPORT, NO_ADVERTISE = 0xFFFFFF01, 0xFFFFFF02


def capabilities(asn, more=b""):
    return (b"".join(bgp.multiprotocol(*family) for family in AFI_SAFI) + bgp.capability(2)
            + bgp.capability(65, struct.pack("!I", asn)) + more)


def octets(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def nlri(prefix):
    address, length = prefix.split("/")
    return bytes([int(length)]) + octets(address)[:(int(length) + 7) // 8]


def path(*ases):
    return attribute(0x40, 2, (bytes([2, len(ases)]) if ases else b"") + b"".join(struct.pack("!I", a) for a in ases))


def route(*prefixes, ases=(THEM,), extra=b"", hop=None):
    """An UPDATE that announces prefixes of one family."""
    attributes = attribute(0x40, 1, b"\0") + path(*ases)
    body = b"".join(nlri(prefix) for prefix in prefixes)
    if ":" in prefixes[0]:
        reach = struct.pack("!HBB", IPV6, UNICAST, 16) + octets(hop or HOP6) + b"\0" + body
        return message(bgp.UPDATE, bgp.update_body(attributes + extra + attribute(0x80, 14, reach)))
    return message(bgp.UPDATE, bgp.update_body(attributes + attribute(0x40, 3, octets(hop or HOP)) + extra, nlri=body))


def no_route(*prefixes):
    body = b"".join(nlri(prefix) for prefix in prefixes)
    if ":" in prefixes[0]:
        return message(bgp.UPDATE, bgp.update_body(bgp.mp_unreach(IPV6, body, UNICAST)))
    return message(bgp.UPDATE, bgp.update_body(b"", withdrawn=body))


def vpn_nlri(prefix, label=100, distinguisher="00000000fde80001"):
    address, length = prefix.split("/")
    return (bytes([88 + int(length)]) + struct.pack("!I", label << 4 | 1)[1:] + bytes.fromhex(distinguisher)
            + octets(address)[:(int(length) + 7) // 8])


def communities(*values):
    return attribute(0xC0, 8, b"".join(struct.pack("!I", value) for value in values))


def read_attributes(data):
    """{code: (flags, value)}"""
    found = {}
    while data:
        flags, code = data[0], data[1]
        size, start = (struct.unpack("!H", data[2:4])[0], 4) if flags & 0x10 else (data[2], 3)
        assert code not in found
        found[code] = (flags, data[start:start + size])
        data = data[start + size:]
    return found


def split(afi, safi, data, add_path=False):
    """The NLRI of a list: prefixes as text, with ADD-PATH as (text, path id); of VPN routes as (bits, octets behind the
    label); rules as they stand there, all at once."""
    if safi == bgp.FLOWSPEC:
        yield data
        return
    while data:
        path_id = ()
        if add_path:
            path_id, data = (struct.unpack("!I", data[:4])[0],), data[4:]
        size = (data[0] + 7) // 8
        if safi == VPN:
            yield (data[0], data[4:1 + size])
        else:
            address = data[1:1 + size].ljust(4 if afi == IPV4 else 16, b"\0")
            text = f"{socket.inet_ntop(socket.AF_INET if afi == IPV4 else socket.AF_INET6, address)}/{data[0]}"
            yield (text, *path_id) if add_path else text
        data = data[1 + size:]


def labels(data, add_path=False):
    """The labels of VPN routes, each of which has its own, whatever attributes they share."""
    while data:
        data = data[4:] if add_path else data
        yield data[1:4]
        data = data[1 + (data[0] + 7) // 8:]


class Listener(Speaker):
    """Keeps what it is told of routes: {prefix: attributes}."""
    add_path = False

    def establish(self, **options):
        self.known, self.ended, self.updates, self.refreshes, self.largest = {}, [], 0, [], 0
        return super().establish(**options)

    def take(self):
        kind, body = self.receive()
        if kind == bgp.ROUTE_REFRESH:
            self.refreshes.append(body[2])
        if kind != bgp.UPDATE:
            return kind
        withdrawn = struct.unpack("!H", body[:2])[0]
        size = struct.unpack("!H", body[2 + withdrawn:4 + withdrawn])[0]
        attributes = read_attributes(body[4 + withdrawn:4 + withdrawn + size])
        classic = body[4 + withdrawn + size:]
        if body == b"\0\0\0\0":
            self.ended.append((IPV4, UNICAST))
            return kind
        if list(attributes) == [15] and len(attributes[15][1]) == 3:
            self.ended.append(struct.unpack("!HB", attributes[15][1]))
            return kind
        self.updates += 1
        self.largest = max(self.largest, 19 + len(body))
        for key in split(IPV4, UNICAST, body[2:2 + withdrawn], self.add_path):
            del self.known[key]
        if 15 in attributes:
            for key in split(*struct.unpack("!HB", attributes[15][1][:3]), attributes[15][1][3:], self.add_path):
                del self.known[key]
        for key in split(IPV4, UNICAST, classic, self.add_path):
            self.known[key] = attributes
        if 14 in attributes:
            assert list(attributes) == [14] + sorted(set(attributes) - {14}), "RFC 7606 5.1: MP_REACH_NLRI first"
            afi, safi, hop = struct.unpack("!HBB", attributes[14][1][:4])
            attributes["hop"] = attributes[14][1][4:4 + hop]
            nlri = attributes[14][1][5 + hop:]
            keys = list(split(afi, safi, nlri, self.add_path))
            for key in keys:
                self.known[key] = attributes
            for key, label in zip(keys, labels(nlri, self.add_path) if safi == VPN else ()):
                self.known[key] = {**attributes, "label": label}
        elif classic:
            attributes["hop"] = attributes[3][1]
        return kind

    def until(self, condition):
        while not condition():
            assert self.take() is not None, "the router closed the session"

    def routes(self, *keys):
        self.until(lambda: set(self.known) == set(keys))


MED, PREF = attribute(0x80, 4, struct.pack("!I", 7)), attribute(0x40, 5, struct.pack("!I", 150))
