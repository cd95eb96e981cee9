# SPDX-License-Identifier: BSD-3-Clause
"""Ports, workers and buffers: whatever carries the packets, each ends in one counter and none is changed or lost."""
import json
import random
import shutil
import subprocess
from dataclasses import dataclass, field

import pcapfile
import pytest
from frames import HOST, OTHER, OUTSIDE, udp4, udp6, v4
from router import Config, Router, balanced, wait_for
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

RULE = f"match destination {HOST}/32 protocol =udp source-port =123 then discard"


@dataclass
class Wires(Config):
    """Pairs of devices, each pair a wire; Flowspec is on at the first of each."""
    devices: list = field(default_factory=list)
    workers: object = "auto"
    dataplane: dict = field(default_factory=dict)

    def yaml(self):
        ports = [{"name": f"p{i}", "device": device, "mode": "wire", "peer": f"p{i ^ 1}", "flowspec": i % 2 == 0}
                 for i, device in enumerate(self.devices)]
        lanes = {"workers": self.workers, "hugepages": "off", "memory": 128, **self.dataplane}
        return "\n".join(["router: {id: 192.0.2.1, asn: 65000}", "dataplane: " + json.dumps(lanes),
                          "ports: " + json.dumps(ports), "rules: " + json.dumps(self.rules),
                          "api: {socket: api.sock}", ""])


def pcaps(folder, frames, first=0):
    """Two devices: the first plays `frames`, the second writes out<N>.pcap."""
    pcapfile.write(folder / f"in{first}.pcap", frames)
    pcapfile.write(folder / "empty.pcap", [])
    return [f"net_pcap{first},rx_pcap=in{first}.pcap,tx_pcap=back{first}.pcap",
            f"net_pcap{first + 1},rx_pcap=empty.pcap,tx_pcap=out{first}.pcap"]


def run(folder, config):
    """To the end of the captures: the totals."""
    with Router(folder, config, args=["--exit-idle", "300", "--stats", "stats.json"]) as router:
        assert router.wait() == 0, router.log
    stats = json.loads((folder / "stats.json").read_text())
    assert balanced(stats), stats
    return stats


def traffic(seed, count):
    """Frames of all sizes, a third of which the rule drops; and which of them must pass."""
    draw = random.Random(seed)
    frames, passed = [], []
    for _ in range(count):
        attack = draw.random() < 1 / 3
        frames.append(udp4(sport=123 if attack else draw.choice([53, 124, 1123]), size=draw.choice([0, 18, 700, 1400]),
                           dport=draw.randrange(65536)))
        if not attack:
            passed.append(frames[-1])
    return frames, passed


def check_rule(stats, frames, passed):
    """The rule's counters against an oracle that looks at nothing but the lists."""
    dropped = len(frames) - len(passed)
    octets = sum(map(len, frames)) - sum(map(len, passed))
    rule, = stats["rules"]
    assert (rule["packets"], rule["bytes"]) == (dropped, octets)
    assert (rule["dropped_packets"], rule["dropped_bytes"]) == (dropped, octets)
    assert stats["drops"]["flowspec_discard"] == dropped
    assert (stats["rx_packets"], stats["rx_bytes"]) == (len(frames), sum(map(len, frames)))
    assert (stats["tx_packets"], stats["tx_bytes"]) == (len(passed), sum(map(len, passed)))


@pytest.mark.parametrize("workers", [[1], [1, 2], [1, 2, 3, 9], "auto"])
def test_two_wires_whoever_polls_them(tmp_path, workers):
    """Rule counters of several workers add up to what the oracle says; lcores that this machine lacks share a CPU."""
    first, first_passed = traffic(1, 1500)
    second, second_passed = traffic(2, 900)
    config = Wires(rules=[RULE], workers=workers, devices=pcaps(tmp_path, first) + pcaps(tmp_path, second, 2))
    stats = run(tmp_path, config)
    check_rule(stats, first + second, first_passed + second_passed)
    assert pcapfile.read(tmp_path / "out0.pcap") == first_passed
    assert pcapfile.read(tmp_path / "out2.pcap") == second_passed
    assert not pcapfile.read(tmp_path / "back0.pcap")


@pytest.mark.parametrize("size", [2049, 9000, 16128])
def test_frames_over_several_buffers(tmp_path, size):
    """A frame longer than one buffer is matched and sent as a whole, wherever the cuts are."""
    def big(sport):
        return v4(UDP(sport=sport, dport=2000), Raw(bytes(i & 0xFF for i in range(size - 42))))
    frames = [big(53), big(123), udp4(), big(54)] * 20
    stats = run(tmp_path, Wires(rules=[RULE], workers=[1], devices=pcaps(tmp_path, frames)))
    passed = [frame for frame in frames if frame[34:36] != b"\0\x7b"]
    check_rule(stats, frames, passed)
    assert pcapfile.read(tmp_path / "out0.pcap") == passed


def test_a_frame_longer_than_the_port_can_send(tmp_path):
    """net_pcap would write its beginning only: it is dropped and counted instead."""
    frames = [v4(UDP(sport=53, dport=2000), Raw(b"x" * size)) for size in (16128 - 41, 10, 65000)]
    stats = run(tmp_path, Wires(workers=[1], devices=pcaps(tmp_path, frames)))
    assert stats["drops"]["mtu_exceeded"] == 2
    assert pcapfile.read(tmp_path / "out0.pcap") == frames[1:2]


def test_frames_that_are_next_to_nothing(tmp_path):
    whole = udp4()
    frames = [whole[:length] for length in range(len(whole))] + [whole]
    config = Wires(rules=["match destination 0.0.0.0/0 then discard"], workers=[1], devices=pcaps(tmp_path, frames))
    stats = run(tmp_path, config)
    assert stats["rx_packets"] == len(frames)
    assert stats["drops"]["malformed"] == len(frames) - 1 and stats["drops"]["flowspec_discard"] == 1


def test_a_port_that_takes_nothing(tmp_path):
    """What the other side has no room for is dropped and counted; the rule has had its say before."""
    frames, passed = traffic(3, 4000)
    devices = [pcaps(tmp_path, frames)[0], f"net_memif0,role=server,socket={tmp_path}/no-client,socket-abstract=no"]
    stats = run(tmp_path, Wires(rules=[RULE], workers=[1], devices=devices))
    assert stats["rules"][0]["dropped_packets"] == len(frames) - len(passed)
    assert stats["drops"]["tx_full"] == len(passed) and stats["tx_packets"] == stats["tx_bytes"] == 0


@pytest.mark.parametrize("count", [4095, 9000])
def test_captures_without_end(tmp_path, count):
    """infinite_rx on both ends, and rules that come and go: at rest the books balance to the packet."""
    frames, _ = traffic(4, count)
    pcapfile.write(tmp_path / "loop.pcap", frames)
    device = "net_pcap{},rx_pcap=loop.pcap,tx_pcap=/dev/null,infinite_rx=1"
    config = Wires(rules=[RULE], workers=[1, 2], devices=[device.format(0), device.format(1)])
    with Router(tmp_path, config) as router:
        for _ in range(3):
            router.ctl("rule", "add", f"match destination {HOST}/32 then continue")
            seen = router.ask("counters")["drops"]["flowspec_discard"]
            wait_for("more packets", lambda: router.ask("counters")["drops"]["flowspec_discard"] > seen)
            router.ctl("dataplane", "stop")
            counters, rules = router.ask("counters"), router.ask("rules")
            assert balanced(counters)
            assert sum(rule["dropped_packets"] for rule in rules) == counters["drops"]["flowspec_discard"]
            router.ctl("dataplane", "start")
            added, = (rule for rule in rules if rule["source"]["kind"] != "config")
            router.ctl("rule", "del", str(added["id"]))
        assert router.stop() == 0


def test_a_capture_without_end_of_frames_too_long_for_it(tmp_path):
    pcapfile.write(tmp_path / "loop.pcap", [udp4(), udp4(size=3000)])
    devices = ["net_pcap0,rx_pcap=loop.pcap,tx_pcap=/dev/null,infinite_rx=1", "net_null0"]
    router = Router(tmp_path, Wires(workers=[1], devices=devices))
    router.spawn()
    assert router.wait() == 2
    assert router.log.count("\n") == 1 and "frame 2 of 'loop.pcap'" in router.log


def test_more_rules_than_there_is_room_for(tmp_path):
    rules = [f"match destination 203.0.113.{i}/32 then discard" for i in range(4)]
    config = Wires(rules=rules, workers=[1], devices=pcaps(tmp_path, [udp4()]), dataplane={"max-rules": 5})
    with Router(tmp_path, config) as router:
        for _ in range(3):  # the room of a rule that left is there again, its counters at zero
            router.ctl("rule", "add", RULE)
            status, _, why = router.fgctl("rule", "add", f"match destination {OTHER}/32 then discard")
            assert status == 1 and "max-rules" in why
            number = next(rule["id"] for rule in router.ask("rules") if rule["match"] in RULE)
            router.ctl("rule", "del", str(number))
            wait_for("the id is free", lambda: len(router.ask("rules")) == 4)
        assert router.stop() == 0


def test_more_memory_than_the_machine_has(tmp_path):
    router = Router(tmp_path, Wires(devices=["net_null0", "net_null1"], dataplane={"memory": 1048576}))
    router.spawn()
    assert router.wait() == 2
    assert router.log.count("\n") == 1 and "dataplane.memory" in router.log


def test_an_interface_that_is_not_there(tmp_path):
    devices = ["net_af_packet0,iface=fg-not-there,qpairs=1", "net_null1"]
    router = Router(tmp_path, Wires(devices=devices))
    router.spawn()
    assert router.wait() == 2
    assert "there is no interface 'fg-not-there' in this network namespace" in router.log


def test_too_little_memory_for_the_ports(tmp_path):
    devices = [f"net_null{i}" for i in range(16)]
    router = Router(tmp_path, Wires(workers=[1], devices=devices, dataplane={"memory": 64}))
    router.spawn()
    assert router.wait() == 2
    assert router.log.count("\n") == 1 and "no memory" in router.log and "dataplane.memory" in router.log


# Sends by a1 and prints what comes by b1, with the tag that the kernel took off put back (packet(7), PACKET_AUXDATA).
SENDER = """
import socket, struct, sys, time
frames = [bytes.fromhex(line) for line in open(sys.argv[1]).read().split()]
ends = {name: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) for name in ("a1", "b1")}
for name, end in ends.items():
    end.bind((name, 3))
    end.settimeout(1)
ends["b1"].setsockopt(263, 8, 1)
for frame in frames:
    ends["a1"].send(frame)
    time.sleep(0.001)
try:
    while True:
        data, control, _, (_, _, kind, *_) = ends["b1"].recvmsg(65536, 64)
        status, _, _, _, _, tci, protocol = struct.unpack("IIIHHHH", control[0][2])
        if status & 0x10:
            data = data[:12] + struct.pack("!HH", protocol, tci) + data[12:]
        if kind != socket.PACKET_OUTGOING:
            print(data.hex())
except TimeoutError:
    pass
"""


@pytest.fixture
def veths():
    """A network namespace with the pairs a0-a1 and b0-b1; the command that runs a program in it."""
    name = f"fg-test-{random.randrange(1 << 32):x}"
    if shutil.which("ip") is None or subprocess.run(["ip", "netns", "add", name], check=False,
                                                    capture_output=True).returncode != 0:
        pytest.skip("may not make a network namespace")
    try:
        for pair in "ab":
            for command in (f"link add {pair}0 type veth peer name {pair}1", f"link set {pair}0 up",
                            f"link set {pair}1 up"):
                subprocess.run(["ip", "-n", name, *command.split()], check=True)
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def test_interfaces_of_the_kernel(tmp_path, veths):
    """net_af_packet between two veth pairs, tagged frames too: the kernel takes tags off, and we put them back."""
    tagged = bytes(Ether(src="02:00:00:00:00:fe", dst="02:00:00:00:00:01") / Dot1Q(vlan=42)) + udp4(sport=53)[14:]
    frames = [udp4(sport=53), udp4(sport=123), tagged, udp6(), udp4(sport=54, size=1400)] * 5
    (tmp_path / "frames").write_text("\n".join(frame.hex() for frame in frames))
    router = Router(tmp_path, Wires(rules=[RULE], workers=[1],
                                    devices=["net_af_packet0,iface=a0", "net_af_packet1,iface=b0"]))
    router.prefix = veths
    with router:
        got = subprocess.run([*veths, "/usr/bin/python3", "-c", SENDER, "frames"], cwd=tmp_path, check=True, text=True,
                             capture_output=True).stdout.split()
        ours = [frame for frame in map(bytes.fromhex, got) if frame[6:12] == frames[0][6:12]]
        assert router.ask("rules")[0]["dropped_packets"] == 5
        assert router.stop() == 0
    assert ours == [frame for frame in frames if frame[34:36] != b"\0\x7b"]
