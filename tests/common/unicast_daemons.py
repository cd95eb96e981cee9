# SPDX-License-Identifier: BSD-3-Clause
"""Real BGP daemons as receivers of unicast routes, IPv4 and IPv6 over one session with the router at `router_address`;
`inside` is what runs a program where they are: `ip netns exec NAME`, or nothing.

    daemon.paths("ipv6")    (prefix, AS path, next hop) of each path that it was told and not told to forget
"""
import json
import re
import subprocess

from daemons import Bird, ExaBgp, GoBgp
from frr import Frr
from router import wait_for

class BirdRoutes(Bird):
    add_paths, router_address, inside = "no", "127.0.0.1", ()
    send = ""  # protocols whose routes it announces

    def start(self, again=False, rules=()):
        channel = f"table {{0}}; import all; export where source = RTS_STATIC; add paths {self.add_paths};"
        (self.folder / "bird.conf").write_text(f"""
log stderr all;
router id 192.0.2.23;
ipv4 table four;
ipv6 table six;
protocol device {{ }}
{self.send}
protocol bgp floodgate {{
    local {self.address} as {self.asn};
    neighbor {self.router_address} port {self.router_port} as {self.router_asn};
    multihop;
    connect delay time 1;
    connect retry time 1;
    ipv4 {{ {channel.format('four')} }};
    ipv6 {{ {channel.format('six')} }};
}}
""")
        self.spawn([*self.inside, "bird", "-f", "-c", str(self.folder / "bird.conf"), "-s",
                    str(self.folder / "bird.ctl")])
        wait_for("bird", lambda: (self.folder / "bird.ctl").exists())

    def show(self, *what):
        return subprocess.run(["birdc", "-s", str(self.folder / "bird.ctl"), "show", "route", *what],
                              capture_output=True, text=True, check=False).stdout

    def paths(self, family):
        """(prefix, AS path, next hop) of each path that it was told."""
        found, prefix = [], None
        for line in self.show("protocol", "floodgate", "table", {"ipv4": "four", "ipv6": "six"}[family],
                              "all").splitlines():
            start = re.match(r"^(\S+/\d+)? .*\[floodgate ", line)
            if start:
                prefix = start.group(1) or prefix
            elif "BGP.as_path:" in line:
                ases = line.split(":")[1].strip()
            elif "BGP.next_hop:" in line:
                found.append((prefix, ases, line.split(": ")[1].split()[0]))
        return sorted(found)

    def count(self):
        found = re.search(r"^(\d+) of", self.show("table", "four", "protocol", "floodgate", "count"), re.M)
        return int(found.group(1)) if found else 0


class GoBgpRoutes(GoBgp):
    add_paths, router_address, inside = "no", "127.0.0.1", ()

    def start(self, again=False):
        self.api_port = self.router_port + 1000
        family = """  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "{}"
    [neighbors.afi-safis.add-paths.config]
      receive = {}
"""
        receive = str(self.add_paths == "rx").lower()
        (self.folder / "gobgpd.toml").write_text(f"""
[global.config]
  as = {self.asn}
  router-id = "192.0.2.22"
  port = -1
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{self.router_address}"
    peer-as = {self.router_asn}
  [neighbors.transport.config]
    remote-port = {self.router_port}
    local-address = "{self.address}"
  [neighbors.timers.config]
    connect-retry = 1
{family.format('ipv4-unicast', receive)}{family.format('ipv6-unicast', receive)}""")
        self.spawn([*self.inside, "gobgpd", "-f", str(self.folder / "gobgpd.toml"), "--api-hosts",
                    f"127.0.0.1:{self.api_port}", "--pprof-disable"])
        wait_for("gobgpd", lambda: self.ask("global").returncode == 0, 15)

    def ask(self, *what):
        return subprocess.run([*self.inside, "gobgp", "-p", str(self.api_port), *what], check=False,
                              capture_output=True, text=True)

    def paths(self, family):
        found = []
        for prefix, entries in self._received(family).items():
            for entry in entries:
                attributes = {attribute["type"]: attribute for attribute in entry["attrs"]}
                ases = " ".join(str(asn) for asn in attributes[2]["as_paths"][0]["asns"])
                found.append((prefix, ases, attributes.get(3, attributes.get(14))["nexthop"]))
        return sorted(found)

    def _received(self, family):
        received = json.loads(self.ask("neighbor", self.router_address, "adj-in", "-a", family, "-j").stdout or "{}")
        return received if "error" not in received else {}  # no session yet

    def count(self):
        return len(self._received("ipv4"))


class ExaBgpRoutes(ExaBgp):
    add_paths, router_address, inside = "no", "127.0.0.1", ()

    def start(self, again=False):
        (self.folder / "exabgp.conf").write_text(f"""
process sink {{
    run /usr/bin/cp /dev/stdin {self.folder}/received;
    encoder json;
}}
neighbor {self.router_address} {{
    router-id 192.0.2.21;
    local-address {self.address};
    local-as {self.asn};
    peer-as {self.router_asn};
    connect {self.router_port};
    family {{ ipv4 unicast; ipv6 unicast; }}
    api hearing {{ processes [ sink ]; receive {{ parsed; update; }} }}
}}
""")
        env = {"exabgp.api.cli": "false", "exabgp.daemon.user": "root", "exabgp.daemon.drop": "false",
               "exabgp.log.level": "INFO", "exabgp.api.ack": "false"}
        self.spawn([*self.inside, "env", *[f"{k}={v}" for k, v in env.items()], "exabgp",
                    str(self.folder / "exabgp.conf")])

    def paths(self, family):
        known, received = {}, self.folder / "received"
        for line in received.read_text().splitlines(keepends=True) if received.exists() else ():
            if not line.endswith("\n"):
                continue
            update = json.loads(line)["neighbor"]["message"].get("update", {})
            for gone in update.get("withdraw", {}).get(f"{family} unicast", []):
                known.pop(gone["nlri"], None)
            ases = " ".join(str(asn) for asn in update.get("attribute", {}).get("as-path", []))
            for hop, prefixes in update.get("announce", {}).get(f"{family} unicast", {}).items():
                known |= {prefix["nlri"]: (prefix["nlri"], ases, hop) for prefix in prefixes}
        return sorted(known.values())

    def count(self):
        return len(self.paths("ipv4"))


class FrrRoutes(Frr):
    add_paths, router_address, inside = "no", "127.0.0.1", ()

    def spawn(self, command, **kwargs):
        super().spawn([*self.inside, *command], **kwargs)

    def _config(self):
        families = "".join(f""" address-family {family} unicast
  neighbor {self.router_address} activate
  neighbor {self.router_address} route-map nothing out
 exit-address-family
""" for family in ("ipv4", "ipv6"))
        lines = ["timers connect 1", "timers 30 90", f"update-source {self.address}", f"port {self.router_port}"]
        return f"""route-map nothing deny 10
router bgp {self.asn}
 bgp router-id 192.0.2.24
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
{self._neighbor(self.router_address, self.router_asn, *lines)}{families}!
line vty
"""

    def paths(self, family):
        routes = json.loads(self.show(f"show bgp {family} unicast json") or "{}").get("routes", {})
        return sorted((prefix, path["path"], path["nexthops"][0]["ip"])
                      for prefix, entries in routes.items() for path in entries)

    def count(self):
        return len(self.paths("ipv4"))


RECEIVERS = [ExaBgpRoutes, GoBgpRoutes, BirdRoutes, FrrRoutes]
