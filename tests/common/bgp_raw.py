# SPDX-License-Identifier: BSD-3-Clause
"""A BGP speaker that says whatever a test wants, octet by octet."""
import socket
import struct

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
IPV4, IPV6 = 1, 2
FLOWSPEC = 133
MARKER = b"\xff" * 16
DISCARD = bytes.fromhex("8006000000000000")  # traffic-rate-bytes 0


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def capability(code, value=b""):
    return bytes([code, len(value)]) + value


def multiprotocol(afi, safi=FLOWSPEC):
    return capability(1, struct.pack("!HBB", afi, 0, safi))


def open_body(asn=65001, hold=90, router_id="192.0.2.101", capabilities=None, version=4):
    if capabilities is None:
        capabilities = multiprotocol(IPV4) + multiprotocol(IPV6) + capability(65, struct.pack("!I", asn))
    options = bytes([2, len(capabilities)]) + capabilities if capabilities else b""
    return (struct.pack("!BHH", version, asn if asn < 65536 else 23456, hold) + socket.inet_aton(router_id)
            + bytes([len(options)]) + options)


def attribute(flags, code, value):
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return bytes([flags, code, len(value)]) + value


def usual_attributes(asn=65001, communities=DISCARD):
    """ORIGIN, AS_PATH (4-octet), EXTENDED COMMUNITIES."""
    path = struct.pack("!BBI", 2, 1, asn)
    return (attribute(0x40, 1, b"\0") + attribute(0x40, 2, path)
            + (attribute(0xC0, 16, communities) if communities else b""))


def mp_reach(afi, nlri, safi=FLOWSPEC):
    return attribute(0x80, 14, struct.pack("!HBBB", afi, safi, 0, 0) + nlri)


def mp_unreach(afi, nlri, safi=FLOWSPEC):
    return attribute(0x80, 15, struct.pack("!HB", afi, safi) + nlri)


def update_body(attributes, withdrawn=b"", nlri=b""):
    return struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", len(attributes)) + attributes + nlri


def announce(afi, *nlri, asn=65001, communities=DISCARD):
    return message(UPDATE, update_body(usual_attributes(asn, communities) + mp_reach(afi, b"".join(nlri))))


def withdraw(afi, *nlri):
    return message(UPDATE, update_body(mp_unreach(afi, b"".join(nlri))))


def value(octets):
    """An NLRI from its components: the length put in front (RFC 8955 4.1)."""
    if len(octets) < 240:
        return bytes([len(octets)]) + octets
    return struct.pack("!H", 0xF000 | len(octets)) + octets


def host_rule(address, protocol=17):
    """destination ADDRESS/32 protocol =PROTOCOL."""
    return value(b"\x01\x20" + socket.inet_aton(address) + bytes([3, 0x81, protocol]))


class Speaker:
    def __init__(self, port, source="127.0.0.1", seconds=30, to="127.0.0.1"):
        self.socket = socket.create_connection((to, port), seconds, (source, 0))
        self.received = b""

    @classmethod
    def of(cls, connected, seconds=30):
        """Over a connection that was accepted."""
        speaker = cls.__new__(cls)
        connected.settimeout(seconds)
        speaker.socket, speaker.received = connected, b""
        return speaker

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def establish(self, **options):
        self.send(message(OPEN, open_body(**options)))
        assert self.receive()[0] == OPEN
        self.send(message(KEEPALIVE))
        assert self.receive()[0] == KEEPALIVE
        return self

    def receive(self):
        """The next message: (kind, body); (None, b"") when the other side closed."""
        header = self._take(19)
        if header is None:
            return None, b""
        assert header[:16] == MARKER
        length, kind = struct.unpack("!HB", header[16:])
        return kind, self._take(length - 19)

    def notification(self):
        """(code, subcode) of the NOTIFICATION that must come, other messages skipped."""
        while True:
            kind, body = self.receive()
            assert kind is not None, "closed without a NOTIFICATION"
            if kind == NOTIFICATION:
                return body[0], body[1]

    def _take(self, count):
        while len(self.received) < count:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.received += more
        taken, self.received = self.received[:count], self.received[count:]
        return taken
