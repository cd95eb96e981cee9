# SPDX-License-Identifier: BSD-3-Clause
"""A floodgate process between two capture files, and how tests talk to it.

    run = play(folder, frames, rules=[...])        play a capture through static rules, to the end
    with Router(folder, Config(...)) as router:    a router that stays
        router.ask("rules")                        fgctl -j rules, decoded
"""
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pcapfile

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FLOODGATE_BUILD", ROOT / "build"))
START_S = 90  # a build with sanitizers on a busy machine
DROPS = ("flowspec_discard", "flowspec_rate_limit", "malformed", "no_route", "blackhole", "ttl_expired",
         "neighbor_unresolved", "mtu_exceeded", "tx_full", "not_for_router", "punt_limit", "urpf")


def program(name):
    return str(BUILD / "app" / name / name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def threads_of(pid):
    """What each thread of a process that should have ended is at: name, state, where in the kernel."""
    lines = []
    for task in sorted(Path(f"/proc/{pid}/task").iterdir()):
        try:
            name, where = (task / "comm").read_text().strip(), (task / "wchan").read_text()
            stat = (task / "stat").read_text().rsplit(") ", 1)[1].split()
            lines.append(f"{name}: {stat[0]} in {where}, {stat[11]}+{stat[12]} ticks")
        except OSError:
            continue
    return "\n".join(lines)


def wait_for(what, condition, seconds=30.0):
    """The first true value of condition(); asks often, so that what is measured is the router and not the test."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.005)


@dataclass
class Peer:
    name: str = "detector"
    address: str = "127.0.0.1"
    asn: int = 65001
    passive: bool = True
    validation: str = "none"
    options: dict = field(default_factory=dict)

    def yaml(self):
        keys = {"name": self.name, "address": self.address, "asn": self.asn, "passive": self.passive,
                "validation": self.validation, **self.options}
        return "    - " + json.dumps(keys)


@dataclass
class Config:
    """What tests vary. Strings go into YAML as JSON, which YAML includes."""
    rules: list = field(default_factory=list)
    peers: list = field(default_factory=list)
    flowspec: bool = True
    lan_flowspec: bool = False
    start: str = "auto"
    rules_memory: int = 0  # MiB; 0: left out
    wan: str = "net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap"
    lan: str = "net_pcap1,rx_pcap=back.pcap,tx_pcap=out.pcap"
    bgp_port: int = 0  # 0: any
    socket: str = "api.sock"
    router_id: str = "192.0.2.1"
    listen: str = "127.0.0.1"
    extra: str = ""

    def yaml(self):
        self.bgp_port = self.bgp_port or free_port()
        ports = [
            {"name": "wan", "device": self.wan, "mode": "wire", "peer": "lan", "flowspec": self.flowspec},
            {"name": "lan", "device": self.lan, "mode": "wire", "peer": "wan", "flowspec": self.lan_flowspec},
        ]
        lines = [
            f"router: {{id: {self.router_id}, asn: 65000}}",
            f"dataplane: {{workers: [1], hugepages: \"off\", memory: 128, start: {self.start}"
            + (f", rules-memory: {self.rules_memory}" if self.rules_memory else "") + "}",
            "ports:", *("  - " + json.dumps(port) for port in ports),
            f"api: {{socket: {self.socket}}}",
        ]
        if self.peers:
            lines += ["bgp:", f"  listen: [{{address: {self.listen}, port: {self.bgp_port}}}]", "  peers:",
                      *(peer.yaml() for peer in self.peers)]
        if self.rules:
            lines += ["rules:", *("  - " + json.dumps(rule) for rule in self.rules)]
        return "\n".join(lines) + "\n" + self.extra


class Router:
    """Runs in `folder`, where its configuration, captures, socket and logs are."""

    def __init__(self, folder, config=None, frames=(), back=(), args=(), prefix=()):
        self.folder = Path(folder)
        self.config = config or Config()
        self.args = list(args)
        self.prefix = list(prefix)  # what runs the program, such as ip netns exec
        self.process = None
        pcapfile.write(self.folder / "in.pcap", frames)
        pcapfile.write(self.folder / "back.pcap", back)
        self.configure()

    def configure(self):
        (self.folder / "floodgate.yaml").write_text(self.config.yaml())

    def __enter__(self):
        self.spawn()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        self.kill()

    def spawn(self):
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "wb") as err:
            self.process = subprocess.Popen([*self.prefix, program("floodgate"), "-c", "floodgate.yaml", *self.args],
                                            cwd=self.folder, stdout=out, stderr=err, stdin=subprocess.DEVNULL)

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, f"floodgate ended with {self.process.returncode}:\n{self.log}"
            return "READY\n" in self.stdout
        wait_for("floodgate's READY", ready, START_S)

    @property
    def stdout(self):
        return (self.folder / "stdout").read_text()

    @property
    def log(self):
        return (self.folder / "stderr").read_text(errors="replace")

    def wait(self, seconds=START_S):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"floodgate still runs:\n{self.log}\n{threads_of(self.process.pid)}") from None

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        return self.wait()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def fgctl(self, *args):
        """(exit status, stdout, stderr)"""
        done = subprocess.run([program("fgctl"), "-s", "api.sock", *args], cwd=self.folder, text=True,
                              capture_output=True, timeout=START_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def ctl(self, *args):
        status, out, err = self.fgctl(*args)
        assert status == 0, f"fgctl {' '.join(args)}: {status}: {err}\n{self.log}"
        return out

    def ask(self, *args):
        return json.loads(self.ctl("-j", *args))

    def rules(self, *args):
        """By match text."""
        return {rule["match"]: rule for rule in self.ask("rules", *args)}

    def wait_rules(self, count, state="active", seconds=30.0):
        def there():
            rules = self.ask("rules", "--state", state)
            return rules if len(rules) == count else None
        return wait_for(f"{count} rules that are {state}", there, seconds) if count else \
            wait_for("no rules", lambda: not self.ask("rules", "--state", state) or None, seconds)

    def peer(self, name="detector"):
        return next(peer for peer in self.ask("peers") if peer["name"] == name)

    def inject(self, rules, *args, local_as=65001, hold=True):
        """Starts fginject; with hold it stays until the caller ends it."""
        path = self.folder / f"rules-{time.monotonic_ns()}"
        path.write_text("".join(rule + "\n" for rule in rules))
        command = [program("fginject"), "--connect", f"{self.config.listen}:{self.config.bgp_port}",
                   "--local-as", str(local_as), *(["--hold"] if hold else []), *args, str(path)]
        return subprocess.Popen(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def out(self):
        """What left by lan: complete once the router has ended."""
        return pcapfile.read(self.folder / "out.pcap")


def end(process):
    """Ends a helper process and gives what it printed."""
    if process.poll() is None:
        process.terminate()
    return process.communicate(timeout=10)[0]


@dataclass
class Run:
    """A capture played to its end."""
    out: list
    back: list
    stats: dict
    stdout: str
    log: str

    @property
    def drops(self):
        """Reasons that dropped something."""
        return {reason: count for reason, count in self.stats["drops"].items() if count}

    def rule(self, match):
        return next(rule for rule in self.stats["rules"] if rule["match"] == match)


def balanced(counters):
    """rx + originated = tx + punted + sum(drops), and no drop reason that the API does not promise."""
    assert set(counters["drops"]) == set(DROPS)
    return (counters["rx_packets"] + counters["originated_packets"]
            == counters["tx_packets"] + counters["punted_packets"] + sum(counters["drops"].values()))


def play(folder, frames, rules=(), back=(), **options):
    router = Router(folder, Config(rules=list(rules), **options), frames, back,
                    ["--exit-idle", "300", "--stats", "stats.json"])
    with router:
        status = router.wait()
    assert status == 0, f"floodgate left with {status}:\n{router.log}"
    stats = json.loads((router.folder / "stats.json").read_text())
    assert balanced(stats), stats
    return Run(router.out(), pcapfile.read(router.folder / "wan-out.pcap"), stats, router.stdout, router.log)
