# SPDX-License-Identifier: BSD-3-Clause
"""Linux hosts on both sides of a router, in network namespaces of their own:

    left (198.51.100.2, 2001:db8:c::2) --- up | floodgate | lan --- right (203.0.113.7, 2001:db8:7::7)

The router's ports are net_af_packet on veth pairs; offloads are off, or TCP would see frames that no wire carries.
Names of namespaces have the process id in them, so that several runs do not meet.
"""
import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import router
from router import wait_for

LEFT, LEFT6, UP, UP6 = "198.51.100.2", "2001:db8:c::2", "198.51.100.1", "2001:db8:c::1"
RIGHT, RIGHT6, LAN, LAN6 = "203.0.113.7", "2001:db8:7::7", "203.0.113.1", "2001:db8:7::1"
PROGRAMS = ("ip", "ss", "ethtool", "ping", "traceroute", "tracepath", "iperf3", "bird", "birdc")
RING = "blocksz=8192,framesz=8192"  # the driver has the kernel put IPv4 fragments together: room for what comes of that
COMMAND_S = 120  # a command that takes longer hangs


def run(*command, check=True, **options):
    done = subprocess.run(command, text=True, capture_output=True, timeout=COMMAND_S, check=False, **options)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def why_not():
    """Why this machine cannot have the lab, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"no {', '.join(missing)} here"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun"
    name = f"fg{os.getpid()}probe"
    done = run("ip", "netns", "add", name, check=False)
    if done.returncode == 0:
        done = run("ip", "-n", name, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1", check=False)
        run("ip", "netns", "del", name)
    return None if done.returncode == 0 else f"no network namespaces or veth here: {done.stderr.strip()}"


class Host:
    """A namespace. Processes that are started here end with it."""

    def __init__(self, name):
        self.name = f"fg{os.getpid()}{name}"
        self.running = []
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, check=True):
        return run("ip", "-n", self.name, *words, check=check)

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words, check=True):
        return run(*self.command(*words), check=check)

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace: sockets that it makes belong there for good."""
        libc, newnet = ctypes.CDLL(None, use_errno=True), 0x40000000
        with open("/proc/thread-self/ns/net", "rb") as own, open(f"/run/netns/{self.name}", "rb") as there:
            assert libc.setns(there.fileno(), newnet) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(own.fileno(), newnet) == 0, os.strerror(ctypes.get_errno())

    def start(self, *words, **options):
        process = subprocess.Popen(self.command(*words), text=True, stdin=subprocess.DEVNULL, **options)
        self.running.append(process)
        return process

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        run("ip", "netns", "del", self.name, check=False)


def cable(a, a_name, b, b_name, mtu=1500):
    a.ip("link", "add", a_name, "mtu", str(mtu), "type", "veth", "peer", "name", b_name, "mtu", str(mtu), "netns",
         b.name)
    for host, name in ((a, a_name), (b, b_name)):
        host.run("ethtool", "-K", name, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off")
        host.ip("link", "set", name, "up")


def address(host, device, *addresses):
    for each in addresses:
        host.ip("addr", "add", each, "dev", device, *(["nodad"] if ":" in each else []))


class Lab:
    """`settings`: more of the configuration, as YAML; `up`, `lan`: more of the ports, such as their MTU."""

    def __init__(self, folder, settings="", lan=None, rules=(), up=None):
        self.hosts = []
        self.router = None
        self.folder = Path(folder)
        try:
            self.build(settings, lan or {}, rules, up or {})
        except BaseException:
            self.close()
            raise

    def host(self, name):
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def build(self, settings, lan, rules, up):
        self.left, self.middle, self.right = self.host("l"), self.host("m"), self.host("r")
        cable(self.left, "eth0", self.middle, "up0")
        cable(self.right, "eth0", self.middle, "lan0")
        address(self.left, "eth0", f"{LEFT}/24", f"{LEFT6}/64")
        address(self.right, "eth0", f"{RIGHT}/24", f"{RIGHT6}/64")
        for host, gateway, gateway6 in ((self.left, UP, UP6), (self.right, LAN, LAN6)):
            host.ip("route", "add", "default", "via", gateway)
            host.ip("-6", "route", "add", "default", "via", gateway6)
        ports = [{"name": "up", "device": f"net_af_packet0,iface=up0,{RING}", "mode": "route",
                  "addresses": [f"{UP}/24", f"{UP6}/64"], **up},
                 {"name": "lan", "device": f"net_af_packet1,iface=lan0,{RING}", "mode": "route",
                  "addresses": [f"{LAN}/24", f"{LAN6}/64"], **lan}]
        self.router = router.Router(self.folder, Text("\n".join([
            "router: {id: 192.0.2.1, asn: 65000}",
            "dataplane: {workers: [1], hugepages: \"off\", memory: 256, idle: sleep}",
            "api: {socket: api.sock}",
            "ports:", *("  - " + json.dumps(port) for port in ports),
            *(["rules:", *("  - " + json.dumps(rule) for rule in rules)] if rules else []),
            settings, ""])))
        self.router.prefix = self.prefix()
        self.router.spawn()
        self.router.wait_ready()

    def prefix(self):
        """What runs the router."""
        return self.middle.command()

    def balanced(self):
        """Nothing is inside the router for a moment, and the counters add up; gives them."""
        def settled():
            counters = self.router.ask("counters")
            return counters if router.balanced(counters) else None
        counters = wait_for("counters that balance", settled, 60)
        punts = counters["punts"].values()
        assert sum(kind["packets"] for kind in punts) == counters["punted_packets"], counters
        assert sum(kind["dropped"] for kind in punts) == counters["drops"]["punt_limit"], counters
        return counters

    def close(self):
        if self.router is not None:
            self.router.kill()
        for host in self.hosts:
            host.close()


class Text:
    """Stands in for router.Config: a configuration as it is."""

    def __init__(self, text):
        self.text = text

    def yaml(self):
        return self.text


class Bird:
    """BIRD on a host, with a configuration of its own."""

    def __init__(self, host, folder, text):
        self.folder = Path(folder)
        self.host = host
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "bird.conf").write_text(text)
        self.log = self.folder / "bird.log"
        with open(self.log, "wb") as log:
            self.process = host.start("bird", "-f", "-c", str(self.folder / "bird.conf"), "-s",
                                      str(self.folder / "bird.ctl"), stdout=log, stderr=log)
        wait_for("bird", (self.folder / "bird.ctl").exists, 30)

    def ask(self, *words):
        return run("birdc", "-s", str(self.folder / "bird.ctl"), *words, check=False).stdout

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def ping(host, to, *options, count=3):
    """Whether each of several is answered. One by one: of several in one go ping waits for the last but a moment."""
    return all(" 0% packet loss" in host.run("ping", "-n", "-c", "1", "-W", "60", *options, to, check=False).stdout
               for _ in range(count))


def settle(condition, seconds=60):
    """Waits without hammering; condition() may run commands."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
