# SPDX-License-Identifier: BSD-3-Clause
"""pcapng files as lists of packets, read without the help of the code under test."""
import struct
from dataclasses import dataclass

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
COMMENT, IF_NAME = 1, 2


@dataclass
class Packet:
    port: str
    time_us: int
    data: bytes
    length: int
    comment: str


def options(data):
    at, found = 0, {}
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            break
        found[code] = data[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return found


def read(path):
    data, at, ports, packets = open(path, "rb").read(), 0, [], []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        assert struct.unpack_from("<I", data, at + size - 4)[0] == size, f"{path}: block at {at}"
        body = data[at + 8:at + size - 4]
        if kind == SECTION:
            assert body[:8] == struct.pack("<IHH", 0x1A2B3C4D, 1, 0)
        elif kind == INTERFACE:
            ports.append(options(body[8:])[IF_NAME].decode())
        elif kind == PACKET:
            port, high, low, captured, length = struct.unpack_from("<IIIII", body)
            rest = options(body[20 + (captured + 3) // 4 * 4:])
            packets.append(Packet(ports[port], high << 32 | low, body[20:20 + captured], length,
                                  rest[COMMENT].decode()))
        at += size
    return packets
