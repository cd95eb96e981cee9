# SPDX-License-Identifier: BSD-3-Clause
"""Capture files as lists of bytes. Written here rather than by scapy, so that frames can be as broken as a test wants
and what is read is exactly what is in the file."""
import struct

MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D
ETHERNET = 1


def write(path, frames, link_type=ETHERNET):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", MICRO, 2, 4, 0, 0, 65535, link_type))
        for number, frame in enumerate(frames):
            data = bytes(frame)
            out.write(struct.pack("<IIII", 1767225600 + number // 1000, number % 1000 * 1000, len(data), len(data)))
            out.write(data)
    return path


def read(path):
    data = open(path, "rb").read()
    magic, = struct.unpack_from("<I", data)
    assert magic in (MICRO, NANO), f"{path}: no capture"
    frames, at = [], 24
    while at < len(data):
        _, _, captured, length = struct.unpack_from("<IIII", data, at)
        assert captured == length, f"{path}: a frame was cut"
        frames.append(data[at + 16:at + 16 + captured])
        at += 16 + captured
    return frames
