#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How exact rate limits are: prints the tables of docs/rate-limits.md, or writes them there. Run by hand, for it takes
minutes of real time.

    python3 tests/rate_table.py [--seconds SECONDS] [--write]

Captures are played in a loop, as fast as the machine can, through one rule for each rate, all at the same time: with
one worker, and with two that receive on a port each and share the rules. What passed is counted by the router. The
burst is one second, so that a worker which has to wait for its CPU that long loses nothing of the rate: this is about
the policers, not about the machine.
"""
import argparse
import json
import re
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
         ("10pps", 10, 0), ("100pps", 100, 0), ("1kpps", 1000, 0), ("10kpps", 1e4, 0), ("100kpps", 1e5, 0)]
SOURCES = 8  # of each rule with a rate per source, all of them beyond it
PER_SOURCE = [("10kbps", 1250, 50), ("100kbps", 12500, 100), ("1mbps", 125e3, 200), ("10mbps", 1.25e6, 1400),
              ("10pps", 10, 0), ("100pps", 100, 0), ("1kpps", 1000, 0)]
PAGE = Path(__file__).resolve().parents[1] / "docs" / "rate-limits.md"


class Set:
    """Rates that are measured at the same time."""

    def __init__(self, name, rates, sources):
        self.name, self.rates, self.sources = name, rates, sources

    def rules(self):
        word = " per-source" if self.sources > 1 else ""
        return [f"match destination 203.0.113.{n}/32 then rate-limit {rate[0]}{word}"
                for n, rate in enumerate(self.rates)]

    def frames(self):
        return [udp4(dst=f"203.0.113.{n}", src=f"192.0.2.{source + 1}", size=(octets or 60) - 28)
                for source in range(self.sources) for n, (_, _, octets) in enumerate(self.rates)]


SETS = (Set("rates", RATES, 1), Set("per-source", PER_SOURCE, SOURCES))


class Lab(Config):
    def __init__(self, workers, rates):
        super().__init__()
        self.workers, self.set = workers, rates

    def yaml(self):
        ports = [{"name": f"{side}{i}", "mode": "wire", "peer": f"{peer}{i}", "flowspec": side == "in",
                  "device": device}
                 for side, peer, device in (("in", "out", "net_pcap{},rx_pcap=in.pcap,infinite_rx=1"),
                                            ("out", "in", "net_null{},no-rx=1"))
                 for i in range(self.workers)]
        for n, port in enumerate(ports):
            port["device"] = port["device"].format(n)
        return "\n".join([
            "router: {id: 192.0.2.1, asn: 65000}",
            f"dataplane: {{workers: {list(range(1, self.workers + 1))}, hugepages: \"off\", memory: 512, "
            "burst-ms: 1000}",
            "ports:", *("  - " + json.dumps(port) for port in ports), "api: {socket: api.sock}",
            "rules:", *("  - " + json.dumps(rule) for rule in self.set.rules()), ""])


class Reader:
    """Asks the API itself: starting a program for it would blur the time of the answer."""

    def __init__(self, router, count):
        self.count = count
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
        rules = [rules[f"destination 203.0.113.{n}/32"] for n in range(self.count)]
        return when, [rule["packets"] - rule["dropped_packets"] for rule in rules], [rule["packets"] for rule in rules]


def measure(workers, rates, seconds):
    """For each rate: packets per second that passed, and that were offered."""
    frames = rates.frames()
    with tempfile.TemporaryDirectory() as folder:
        pcapfile.write(Path(folder) / "in.pcap", frames)
        with Router(folder, Lab(workers, rates), frames=frames) as router:
            time.sleep(min(3, seconds))  # the bursts are over
            reader = Reader(router, len(rates.rates))
            start, first, offered_first = reader.rules()
            time.sleep(seconds)
            end, last, offered_last = reader.rules()
            router.ctl("dataplane", "stop")
            assert balanced(router.ask("counters"))
    span = end - start
    return [((b - a) / span, (d - c) / span) for a, b, c, d in zip(first, last, offered_first, offered_last)]


def cell(rate, sources, passed, offered):
    """What passed, of each source, and how far that is off."""
    _, per_s, octets = rate
    got = passed * (octets or 1) / sources
    if offered < 1.05 * sources * per_s / (octets or 1):
        return "not offered |"
    shown = f"{got * 8 / 1000:.6g} kbit/s" if octets else f"{got:.6g} packets/s"
    return f"{shown} | {100 * (got / per_s - 1):+.2f} %"


def table(rates, seconds):
    runs = [measure(workers, rates, seconds) for workers in (1, 2)]
    lines = ["| rate | IP packets of | 1 worker | off by | 2 workers | off by |", "|---|---|---|---|---|---|"]
    for n, rate in enumerate(rates.rates):
        cells = [cell(rate, rates.sources, *run[n]) for run in runs]
        lines.append(f"| {rate[0]} | {rate[2] or 60} octets | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(tables):
    """Each in the place of the one that follows its mark on the page."""
    page = PAGE.read_text(encoding="utf-8")
    for name, text in tables.items():
        page, found = re.subn(rf"(<!-- {name} -->\n)(\|[^\n]*\n)*", lambda mark, text=text: mark.group(1) + text + "\n",
                              page)
        assert found == 1, f"{PAGE} has no place for {name}"
    PAGE.write_text(page, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--write", action="store_true", help="into docs/rate-limits.md")
    options = parser.parse_args()
    tables = {rates.name: table(rates, options.seconds) for rates in SETS}
    print("\n\n".join(tables.values()))
    if options.write:
        write(tables)


if __name__ == "__main__":
    main()
