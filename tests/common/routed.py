# SPDX-License-Identifier: BSD-3-Clause
"""A router with ports of mode route between capture files: frames in by `up`, frames out by each port."""
import json
from dataclasses import dataclass, field

import pcapfile
import router

UP, LAN, DMZ = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
GATEWAY, GATEWAY2, HOST = "02:00:00:00:00:fe", "02:00:00:00:00:fd", "02:00:00:00:00:99"

PORTS = [
    {"name": "up", "device": "net_pcap0,rx_pcap=in.pcap,tx_pcap=up.pcap", "mode": "route", "mac": UP,
     "addresses": ["198.51.100.1/24", "2001:db8:c::1/64"]},
    {"name": "lan", "device": "net_pcap1,rx_pcap=back.pcap,tx_pcap=lan.pcap", "mode": "route", "mac": LAN,
     "addresses": ["203.0.113.1/24", "2001:db8:7::1/64"]},
]
NEIGHBORS = [
    {"port": port, "address": address, "mac": mac} for port, address, mac in (
        ("lan", "203.0.113.7", HOST), ("lan", "2001:db8:7::7", HOST), ("lan", "203.0.113.254", GATEWAY),
        ("lan", "203.0.113.253", GATEWAY2), ("lan", "2001:db8:7::fe", GATEWAY), ("up", "198.51.100.2", HOST),
        ("up", "2001:db8:c::2", HOST))
]


@dataclass
class Routed:
    """Stands in for router.Config."""
    routes: list = field(default_factory=list)
    neighbors: list = field(default_factory=lambda: list(NEIGHBORS))
    ports: list = field(default_factory=lambda: list(PORTS))
    rules: list = field(default_factory=list)
    vrfs: list = field(default_factory=list)
    start: str = "auto"
    dataplane: str = ""  # further keys, each behind a comma
    extra: str = ""

    def yaml(self):
        def section(name, items):
            return [f"{name}:", *("  - " + json.dumps(item) for item in items)] if items else []
        lines = ["router: {id: 192.0.2.1, asn: 65000}",
                 f"dataplane: {{workers: [1], hugepages: \"off\", memory: 128, start: {self.start}{self.dataplane}}}",
                 "api: {socket: api.sock}", *section("ports", self.ports), *section("vrfs", self.vrfs),
                 *section("routes", self.routes), *section("neighbors", self.neighbors),
                 *section("rules", self.rules)]
        return "\n".join(lines) + "\n" + self.extra


@dataclass
class Run:
    up: list
    lan: list
    stats: dict
    log: str

    @property
    def drops(self):
        return {reason: count for reason, count in self.stats["drops"].items() if count}


def play(folder, frames, back=(), idle="300", **options):
    """Plays captures through to the end; the counters balance."""
    floodgate = router.Router(folder, Routed(**options), frames, back, ["--exit-idle", idle, "--stats", "stats.json"])
    with floodgate:
        status = floodgate.wait()
    assert status == 0, f"floodgate left with {status}:\n{floodgate.log}"
    stats = json.loads((floodgate.folder / "stats.json").read_text())
    assert router.balanced(stats), stats
    return Run(pcapfile.read(folder / "up.pcap"), pcapfile.read(folder / "lan.pcap"), stats, floodgate.log)
