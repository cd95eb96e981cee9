# SPDX-License-Identifier: BSD-3-Clause
"""Real BGP daemons as controllers: each is started on a loopback address of its own, announces and withdraws rules.

A rule is given as a dict: family, destination, protocol, source_port or destination_port; each daemon has its own way
of saying it. Everything a daemon needs lies in a folder of the test's; it is stopped by its process id.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time

DETECTOR = ("127.0.0.25", 65009)  # an fginject that tells a daemon rules, which it hands on to the router
PROTOCOLS = {"udp": 17, "tcp": 6}


class Daemon:
    """One running daemon. `address` is where it speaks BGP from."""

    name = ""
    program = ""

    def __init__(self, folder, address, asn, router_port, router_asn, listen=None, graceful=0, long_lived=0,
                 password=None, ttl_security=False):
        self.listen = listen  # a port of its own: then it waits for the router to connect
        self.graceful = 120 if graceful is True else graceful  # restart time in seconds; 0: without
        self.long_lived = long_lived
        self.password = password
        self.ttl_security = ttl_security
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

    def start(self, again=False):
        del again  # it says R and F at each start
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
process sink {{
    run /usr/bin/cp /dev/stdin {self.folder}/received;
    encoder json;
}}
neighbor 127.0.0.1 {{
    router-id 192.0.2.21;
    local-address {self.address};
    local-as {self.asn};
    peer-as {self.router_asn};
    connect {self.router_port};
    capability {{ route-refresh enable; {f'graceful-restart {self.graceful};' if self.graceful else ''} }}
    {f'md5-password "{self.password}";' if self.password else ''}
    family {{ ipv4 flow; ipv6 flow; }}
    api feeding {{ processes [ feed ]; }}
    api hearing {{ processes [ sink ]; receive {{ parsed; update; }} }}
}}
""")
        env = {"exabgp.api.cli": "false", "exabgp.daemon.user": "root", "exabgp.daemon.drop": "false",
               "exabgp.log.level": "INFO", "exabgp.api.ack": "false"}
        self.spawn(["env", *[f"{k}={v}" for k, v in env.items()], "exabgp", str(config)])

    def announce_many(self, addresses):
        """A rule for each IPv4 address: UDP from port 123."""
        with open(self.commands, "a") as commands:
            commands.write("".join(f"announce flow route {{ match {{ destination {address}/32; protocol =17; "
                                   f"source-port =123; }} then {{ discard; }} }}\n" for address in addresses))

    def _say(self, verb, rule):
        port = "".join(f"{name.replace('_', '-')} ={rule[name]}; " for name in ("source_port", "destination_port")
                       if name in rule)
        protocol = "protocol" if rule["family"] == "ipv4" else "next-header"
        self.say(verb, rule["family"], f"destination {rule['destination']}; {protocol} ={rule['protocol']}; {port}",
                 "discard;")

    def say(self, verb, _family, match, then):
        """A rule in ExaBGP's own words."""
        with open(self.commands, "a") as commands:
            commands.write(f"{verb} flow route {{ match {{ {match} }} then {{ {then} }} }}\n")

    def announce(self, rule):
        self._say("announce", rule)

    def withdraw(self, rule):
        self._say("withdraw", rule)


    def known(self, family):
        """How many rules of the family it has been told and not told to forget."""
        rules, received = set(), self.folder / "received"
        whole = received.read_text().rpartition("\n")[0] if received.exists() else ""
        for line in whole.splitlines():
            update = json.loads(line)["neighbor"]["message"].get("update", {})
            for rule in update.get("withdraw", {}).get(f"{family} flow", []):
                rules.discard(rule["string"])
            for told in update.get("announce", {}).get(f"{family} flow", {}).values():
                rules |= {rule["string"] for rule in told}
        return len(rules)


class GoBgp(Daemon):
    name = "gobgpd"
    program = "gobgpd"
    api_offset = 1000  # from the router's port; two of them need two
    detector_port = 0  # where it listens for DETECTOR, whose rules it hands on; 0: it does not

    def start(self, again=False):
        self.api_port = self.router_port + self.api_offset
        config = self.folder / "gobgpd.toml"
        config.write_text(f"""
[global.config]
  as = {self.asn}
  router-id = "192.0.2.22"
  port = {self.listen or self.detector_port or -1}
  local-address-list = ["{self.address}"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "127.0.0.1"
    peer-as = {self.router_asn}
    {f'auth-password = "{self.password}"' if self.password else ''}
{self._graceful()}{self._ttl_security()}  [neighbors.transport.config]
    remote-port = {self.router_port}
    local-address = "{self.address}"
    passive-mode = {str(self.listen is not None).lower()}
  [neighbors.timers.config]
    connect-retry = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-flowspec"
{self._graceful_family()}  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-flowspec"
{self._graceful_family()}{self._detector()}""")
        self.spawn(["gobgpd", "-f", str(config), "--api-hosts", f"127.0.0.1:{self.api_port}", "--pprof-disable",
                    *(["-r"] if again else [])])
        deadline = time.monotonic() + 15
        while subprocess.run(["gobgp", "-p", str(self.api_port), "global"], capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, f"gobgpd does not answer:\n{self.log()}"
            time.sleep(0.1)

    def _detector(self):
        if not self.detector_port:
            return ""
        return f"""[[neighbors]]
  [neighbors.config]
    neighbor-address = "{DETECTOR[0]}"
    peer-as = {DETECTOR[1]}
  [neighbors.transport.config]
    passive-mode = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-flowspec"
"""

    def _graceful(self):
        if not self.graceful:
            return ""
        return f"""  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = {self.graceful}
    long-lived-enabled = {str(bool(self.long_lived)).lower()}
"""

    def _graceful_family(self):
        if not self.graceful:
            return ""
        long_lived = f"""    [neighbors.afi-safis.long-lived-graceful-restart.config]
      enabled = true
      restart-time = {self.long_lived}
"""
        return f"""    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
{long_lived if self.long_lived else ''}"""

    def _ttl_security(self):
        if not self.ttl_security:
            return ""
        return """  [neighbors.ttl-security.config]
    enabled = true
    ttl-min = 255
"""

    def _say(self, verb, rule):
        port = []
        for name in ("source_port", "destination_port"):
            if name in rule:
                port += [name.replace("_", "-"), f"=={rule[name]}"]
        self.say(verb, rule["family"], " ".join(["destination", rule["destination"], "protocol",
                                                  f"=={rule['protocol']}", *port]), "discard")

    def say(self, verb, family, match, then):
        """A rule in GoBGP's own words."""
        done = subprocess.run(["gobgp", "-p", str(self.api_port), "global", "rib",
                               {"announce": "add", "withdraw": "del"}[verb], "-a", f"{family}-flowspec", "match",
                               *match.split(), "then", *then.split()], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def announce(self, rule):
        self._say("announce", rule)

    def withdraw(self, rule):
        self._say("withdraw", rule)


    def known(self, family):
        """How many rules of the family it has been told and not told to forget."""
        done = subprocess.run(["gobgp", "-p", str(self.api_port), "global", "rib", "summary", "-a",
                               f"{family}-flowspec"], check=False, capture_output=True, text=True)
        found = re.search(r"Destination: (\d+)", done.stdout)
        return int(found.group(1)) if found else 0


class Bird(Daemon):
    name = "bird"
    program = "bird"
    imports = "none"

    def start(self, again=False, rules=()):
        self.rules = {"ipv4": [], "ipv6": []}
        for rule in rules:
            self.rules[rule["family"]].append(self._route(rule))
        self._write()
        (self.folder / "bird.ctl").unlink(missing_ok=True)  # one that was killed leaves it behind
        self.spawn(["bird", "-f", "-c", str(self.folder / "bird.conf"), "-s", str(self.folder / "bird.ctl"),
                    *(["-R"] if again else [])])
        deadline = time.monotonic() + 10
        while not (self.folder / "bird.ctl").exists():
            assert time.monotonic() < deadline, f"bird does not answer:\n{self.log()}"
            time.sleep(0.05)

    def _route(self, rule):
        protocol = "proto" if rule["family"] == "ipv4" else "next header"
        names = (("source_port", "sport"), ("destination_port", "dport"))
        port = "".join(f"{short} = {rule[name]}; " for name, short in names if name in rule)
        return self._line(rule["family"], f"dst {rule['destination']}; {protocol} = {PROTOCOLS[rule['protocol']]}; "
                          f"{port}", "(generic, 0x80060000, 0x0)")

    @staticmethod
    def _line(family, match, community):
        kind = "flow4" if family == "ipv4" else "flow6"
        return f"    route {kind} {{ {match} }} {{ bgp_ext_community.add({community}); }};\n"

    def _write(self):
        routes = {family: "".join(rules) for family, rules in self.rules.items()}
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
    local {self.address} {f'port {self.listen} ' if self.listen else ''}as {self.asn};
    {'passive yes;' if self.listen else ''}
    neighbor 127.0.0.1 port {self.router_port} as {self.router_asn};
    multihop;
    {'ttl security yes;' if self.ttl_security else ''}
    {f'password "{self.password}";' if self.password else ''}
    {f'graceful restart yes; graceful restart time {self.graceful};' if self.graceful else ''}
    connect delay time 1;
    connect retry time 1;
    flow4 {{ table flow4tab; import {self.imports}; export all; }};
    flow6 {{ table flow6tab; import {self.imports}; export all; }};
}}
""")

    def _configure(self):
        self._write()
        done = subprocess.run(["birdc", "-s", str(self.folder / "bird.ctl"), "configure"], capture_output=True,
                              text=True, check=False)
        assert "Reconfig" in done.stdout, done.stdout + done.stderr

    def status(self):
        return subprocess.run(["birdc", "-s", str(self.folder / "bird.ctl"), "show", "protocols"], capture_output=True,
                              text=True, check=False).stdout

    def announce(self, rule):
        self.rules[rule["family"]].append(self._route(rule))
        self._configure()

    def withdraw(self, rule):
        self.rules[rule["family"]].remove(self._route(rule))
        self._configure()

    def known(self, family):
        """How many rules of the family it has been told and not told to forget."""
        done = subprocess.run(["birdc", "-s", str(self.folder / "bird.ctl"), "show", "route", "table",
                               {"ipv4": "flow4tab", "ipv6": "flow6tab"}[family], "count"], capture_output=True,
                              text=True, check=False)
        return int(re.search(r"^(\d+) of \d+ routes", done.stdout, re.M).group(1))

    def say_all(self, rules):
        """Rules in BIRD's own words: (family, match, extended community)."""
        for family, match, community in rules:
            self.rules[family].append(self._line(family, match, community))
        self._configure()


DAEMONS = [ExaBgp, GoBgp, Bird]
