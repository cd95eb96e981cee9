#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How exact rate limits are: prints the table of docs/rate-limits.md. Run by hand, for it takes a minute of real time.

    python3 tests/rate_table.py [SECONDS]

Captures are played in a loop, as fast as the machine can, through one rule for each rate, all at the same time: with
one worker, and with two that receive on a port each and share the rules. What passed is counted by the router. The
burst is one second, so that a worker which has to wait for its CPU that long loses nothing of the rate: this is about
the policers, not about the machine.
"""
import json
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "common"))

import pcapfile  # noqa: E402
from frames import udp4  # noqa: E402
from router import Config, Router, balanced  # noqa: E402

# (rate as in a rule, octets or packets per second, octets of an IP packet or 0 for packets)
RATES = [("1kbps", 125, 50), ("10kbps", 1250, 50), ("100kbps", 12500, 100), ("1mbps", 125e3, 200),
         ("10mbps", 1.25e6, 1400), ("100mbps", 12.5e6, 1400), ("1gbps", 125e6, 1400),
         ("10pps", 10, 0), ("1kpps", 1000, 0), ("100kpps", 1e5, 0)]


class Lab(Config):
    def __init__(self, workers):
        super().__init__()
        self.workers = workers

    def yaml(self):
        ports = [{"name": f"{side}{i}", "mode": "wire", "peer": f"{peer}{i}", "flowspec": side == "in",
                  "device": device}
                 for side, peer, device in (("in", "out", "net_pcap{},rx_pcap=in.pcap,infinite_rx=1"),
                                            ("out", "in", "net_null{},no-rx=1"))
                 for i in range(self.workers)]
        for n, port in enumerate(ports):
            port["device"] = port["device"].format(n)
        rules = [f"match destination 203.0.113.{n}/32 then rate-limit {rate[0]}" for n, rate in enumerate(RATES)]
        return "\n".join([
            "router: {id: 192.0.2.1, asn: 65000}",
            f"dataplane: {{workers: {list(range(1, self.workers + 1))}, hugepages: \"off\", memory: 512, "
            "burst-ms: 1000}",
            "ports:", *("  - " + json.dumps(port) for port in ports), "api: {socket: api.sock}",
            "rules:", *("  - " + json.dumps(rule) for rule in rules), ""])


class Reader:
    """Asks the API itself: starting a program for it would blur the time of the answer."""

    def __init__(self, router):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(router.folder / "api.sock"))
        self.lines = self.socket.makefile("r")

    def once(self):
        before = time.monotonic()
        self.socket.sendall(b'{"command": "rules"}\n')
        rules = json.loads(self.lines.readline())["result"]
        after = time.monotonic()
        return after - before, (before + after) / 2, {rule["match"]: rule for rule in rules}

    def rules(self):
        """When, and for each rate the packets that passed and those that were offered; the quickest answer of some."""
        _, when, rules = min((self.once() for _ in range(20)), key=lambda answer: answer[0])
        rules = [rules[f"destination 203.0.113.{n}/32"] for n in range(len(RATES))]
        return when, [rule["packets"] - rule["dropped_packets"] for rule in rules], [rule["packets"] for rule in rules]


def measure(workers, seconds):
    """For each rate: packets per second that passed, and that were offered."""
    frames = [udp4(dst=f"203.0.113.{n}", size=(octets or 60) - 28) for n, (_, _, octets) in enumerate(RATES)]
    with tempfile.TemporaryDirectory() as folder:
        pcapfile.write(Path(folder) / "in.pcap", frames)
        with Router(folder, Lab(workers), frames=frames) as router:
            time.sleep(3)  # the bursts are over
            reader = Reader(router)
            start, first, offered_first = reader.rules()
            time.sleep(seconds)
            end, last, offered_last = reader.rules()
            router.ctl("dataplane", "stop")
            assert balanced(router.ask("counters"))
    span = end - start
    return [((b - a) / span, (d - c) / span) for a, b, c, d in zip(first, last, offered_first, offered_last)]


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    runs = {workers: measure(workers, seconds) for workers in (1, 2)}
    print("| rate | IP packets of | 1 worker | off by | 2 workers | off by |")
    print("|---|---|---|---|---|---|")
    for n, (text, per_s, octets) in enumerate(RATES):
        cells = []
        for workers in runs:
            packets_per_s, offered = runs[workers][n]
            got = packets_per_s * (octets or 1)
            if offered < 1.05 * per_s / (octets or 1):
                cells.append("not offered |")
                continue
            shown = f"{got * 8 / 1000:.6g} kbit/s" if octets else f"{got:.6g} packets/s"
            cells.append(f"{shown} | {100 * (got / per_s - 1):+.2f} %")
        print(f"| {text} | {octets or 60} octets | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
