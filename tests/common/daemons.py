# SPDX-License-Identifier: BSD-3-Clause
"""Real BGP daemons as controllers: each is started on a loopback address of its own, announces and withdraws rules.

A rule is given as a dict: family, destination, protocol, source_port or destination_port; each daemon has its own way
of saying it. Everything a daemon needs lies in a folder of the test's; it is stopped by its process id.
"""
import os
import shutil
import signal
import subprocess
import time

PROTOCOLS = {"udp": 17, "tcp": 6}


class Daemon:
    """One running daemon. `address` is where it speaks BGP from."""

    name = ""
    program = ""

    def __init__(self, folder, address, asn, router_port, router_asn):
        self.folder = folder
        self.address = address
        self.asn = asn
        self.router_port = router_port
        self.router_asn = router_asn
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def available(cls):
        return shutil.which(cls.program) is not None

    def spawn(self, command, **kwargs):
        log = open(self.folder / f"{self.name}.log", "ab")
        self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True, **kwargs)
        log.close()

    def log(self):
        path = self.folder / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return
        group = self.process.pid
        try:
            os.killpg(group, sig)
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(group, signal.SIGKILL)
            self.process.wait()
        except ProcessLookupError:
            self.process.wait()
        self.process = None


class ExaBgp(Daemon):
    name = "exabgp"
    program = "exabgp"

    def start(self):
        self.commands = self.folder / "commands"
        self.commands.write_text("")
        self.commands.chmod(0o644)
        self.folder.chmod(0o755)
        config = self.folder / "exabgp.conf"
        config.write_text(f"""
process feed {{
    run /usr/bin/tail -n +1 -f {self.commands};
    encoder text;
}}
neighbor 127.0.0.1 {{
    router-id 192.0.2.21;
    local-address {self.address};
    local-as {self.asn};
    peer-as {self.router_asn};
    connect {self.router_port};
    capability {{ route-refresh enable; }}
    family {{ ipv4 flow; ipv6 flow; }}
    api {{ processes [ feed ]; }}
}}
""")
        env = {"exabgp.api.cli": "false", "exabgp.daemon.user": "root", "exabgp.daemon.drop": "false",
               "exabgp.log.level": "INFO", "exabgp.api.ack": "false"}
        self.spawn(["env", *[f"{k}={v}" for k, v in env.items()], "exabgp", str(config)])

    def _say(self, verb, rule):
        port = "".join(f"{name.replace('_', '-')} ={rule[name]}; " for name in ("source_port", "destination_port")
                       if name in rule)
        protocol = "protocol" if rule["family"] == "ipv4" else "next-header"
        line = (f"{verb} flow route {{ match {{ destination {rule['destination']}; {protocol} ={rule['protocol']}; "
                f"{port}}} then {{ discard; }} }}\n")
        with open(self.commands, "a") as commands:
            commands.write(line)

    def announce(self, rule):
        self._say("announce", rule)

    def withdraw(self, rule):
        self._say("withdraw", rule)


class GoBgp(Daemon):
    name = "gobgpd"
    program = "gobgpd"

    def start(self):
        self.api_port = self.router_port + 1000
        config = self.folder / "gobgpd.toml"
        config.write_text(f"""
[global.config]
  as = {self.asn}
  router-id = "192.0.2.22"
  port = -1
[[neighbors]]
  [neighbors.config]
    neighbor-address = "127.0.0.1"
    peer-as = {self.router_asn}
  [neighbors.transport.config]
    remote-port = {self.router_port}
    local-address = "{self.address}"
  [neighbors.timers.config]
    connect-retry = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-flowspec"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-flowspec"
""")
        self.spawn(["gobgpd", "-f", str(config), "--api-hosts", f"127.0.0.1:{self.api_port}", "--pprof-disable"])
        deadline = time.monotonic() + 15
        while subprocess.run(["gobgp", "-p", str(self.api_port), "global"], capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, f"gobgpd does not answer:\n{self.log()}"
            time.sleep(0.1)

    def _say(self, verb, rule):
        port = []
        for name in ("source_port", "destination_port"):
            if name in rule:
                port += [name.replace("_", "-"), f"=={rule[name]}"]
        subprocess.run(["gobgp", "-p", str(self.api_port), "global", "rib", verb, "-a", f"{rule['family']}-flowspec",
                        "match", "destination", rule["destination"], "protocol", f"=={rule['protocol']}", *port,
                        "then", "discard"], check=True, capture_output=True)

    def announce(self, rule):
        self._say("add", rule)

    def withdraw(self, rule):
        self._say("del", rule)


class Bird(Daemon):
    name = "bird"
    program = "bird"

    def start(self):
        self.rules = {"ipv4": [], "ipv6": []}
        self._write()
        self.spawn(["bird", "-f", "-c", str(self.folder / "bird.conf"), "-s", str(self.folder / "bird.ctl")])
        deadline = time.monotonic() + 10
        while not (self.folder / "bird.ctl").exists():
            assert time.monotonic() < deadline, f"bird does not answer:\n{self.log()}"
            time.sleep(0.05)

    def _route(self, rule):
        kind = "flow4" if rule["family"] == "ipv4" else "flow6"
        protocol = "proto" if rule["family"] == "ipv4" else "next header"
        names = (("source_port", "sport"), ("destination_port", "dport"))
        port = "".join(f"{short} = {rule[name]}; " for name, short in names if name in rule)
        return (f"    route {kind} {{ dst {rule['destination']}; {protocol} = {PROTOCOLS[rule['protocol']]}; {port}}} "
                "{ bgp_ext_community.add((generic, 0x80060000, 0x0)); };\n")

    def _write(self):
        routes = {family: "".join(map(self._route, rules)) for family, rules in self.rules.items()}
        (self.folder / "bird.conf").write_text(f"""
log stderr all;
router id 192.0.2.23;
flow4 table flow4tab;
flow6 table flow6tab;
protocol device {{ }}
protocol static rules4 {{
    flow4 {{ table flow4tab; }};
{routes['ipv4']}}}
protocol static rules6 {{
    flow6 {{ table flow6tab; }};
{routes['ipv6']}}}
protocol bgp floodgate {{
    local {self.address} as {self.asn};
    neighbor 127.0.0.1 port {self.router_port} as {self.router_asn};
    multihop;
    connect delay time 1;
    connect retry time 1;
    flow4 {{ table flow4tab; import none; export all; }};
    flow6 {{ table flow6tab; import none; export all; }};
}}
""")

    def _configure(self):
        self._write()
        done = subprocess.run(["birdc", "-s", str(self.folder / "bird.ctl"), "configure"], capture_output=True,
                              text=True, check=False)
        assert "Reconfig" in done.stdout, done.stdout + done.stderr

    def announce(self, rule):
        self.rules[rule["family"]].append(rule)
        self._configure()

    def withdraw(self, rule):
        self.rules[rule["family"]].remove(rule)
        self._configure()


DAEMONS = [ExaBgp, GoBgp, Bird]
