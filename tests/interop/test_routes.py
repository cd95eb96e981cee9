# SPDX-License-Identifier: BSD-3-Clause
"""ExaBGP, GoBGP and BIRD take the unicast routes that we hand on; BIRD and GoBGP several paths of them (RFC 7911)."""
import json
import re
import signal
import struct
import subprocess

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, IPV6
from daemons import Bird, ExaBgp, GoBgp
from router import Config, Peer, wait_for
from routes_raw import HOP, UNICAST, Listener, no_route, route

ADDRESS, ASN = "127.0.0.26", 65002
WITHIN_S = 60
FAMILIES = ["ipv4-unicast", "ipv6-unicast"]
MANY = [f"198.{18 + i // 65536}.{i // 256 % 256}.{i % 256}/32" for i in range(20000)]


class BirdRoutes(Bird):
    add_paths = "no"
    hop = "127.0.0.1"  # ourselves
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
    neighbor 127.0.0.1 port {self.router_port} as {self.router_asn};
    multihop;
    connect delay time 1;
    connect retry time 1;
    ipv4 {{ {channel.format('four')} }};
    ipv6 {{ {channel.format('six')} }};
}}
""")
        self.spawn(["bird", "-f", "-c", str(self.folder / "bird.conf"), "-s", str(self.folder / "bird.ctl")])
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
    add_paths = "no"
    hop = HOP  # it refuses one that is a loopback address, so that of the route is left unchanged

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
    neighbor-address = "127.0.0.1"
    peer-as = {self.router_asn}
  [neighbors.transport.config]
    remote-port = {self.router_port}
    local-address = "{self.address}"
  [neighbors.timers.config]
    connect-retry = 1
{family.format('ipv4-unicast', receive)}{family.format('ipv6-unicast', receive)}""")
        self.spawn(["gobgpd", "-f", str(self.folder / "gobgpd.toml"), "--api-hosts", f"127.0.0.1:{self.api_port}",
                    "--pprof-disable"])
        wait_for("gobgpd", lambda: self.ask("global").returncode == 0, 15)

    def ask(self, *what):
        return subprocess.run(["gobgp", "-p", str(self.api_port), *what], check=False, capture_output=True, text=True)

    def paths(self, family):
        found = []
        for prefix, entries in self._received(family).items():
            for entry in entries:
                attributes = {attribute["type"]: attribute for attribute in entry["attrs"]}
                ases = " ".join(str(asn) for asn in attributes[2]["as_paths"][0]["asns"])
                found.append((prefix, ases, attributes.get(3, attributes.get(14))["nexthop"]))
        return sorted(found)

    def _received(self, family):
        received = json.loads(self.ask("neighbor", "127.0.0.1", "adj-in", "-a", family, "-j").stdout or "{}")
        return received if "error" not in received else {}  # no session yet

    def count(self):
        return len(self._received("ipv4"))


class ExaBgpRoutes(ExaBgp):
    add_paths = "no"
    hop = "127.0.0.1"

    def start(self, again=False):
        (self.folder / "exabgp.conf").write_text(f"""
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
    family {{ ipv4 unicast; ipv6 unicast; }}
    api hearing {{ processes [ sink ]; receive {{ parsed; update; }} }}
}}
""")
        env = {"exabgp.api.cli": "false", "exabgp.daemon.user": "root", "exabgp.daemon.drop": "false",
               "exabgp.log.level": "INFO", "exabgp.api.ack": "false"}
        self.spawn(["env", *[f"{k}={v}" for k, v in env.items()], "exabgp", str(self.folder / "exabgp.conf")])

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


@pytest.fixture
def network(tmp_path, start):
    """run(kind, add_paths) -> (router, daemon, the two external speakers)"""
    running = []

    def run(kind, add_paths="no", send=""):
        sources = [Peer(name, f"127.0.0.{number}", 65000 + number, options={"families": FAMILIES})
                   for number, name in ((3, "one"), (4, "two"))]
        receiver = Peer("receiver", ADDRESS, ASN, options={
            "families": FAMILIES, "announce": "all", "next-hop": "unchanged" if kind.hop == HOP else "self",
            "add-path": {"no": "none", "rx": "send", "on": "both"}[add_paths]})
        router = start(Config(peers=[*sources, receiver]))
        daemon = kind(tmp_path / "daemon", ADDRESS, ASN, router.config.bgp_port, 65000)
        daemon.add_paths = add_paths
        daemon.send = send
        running.append(daemon)
        speakers = []
        for peer in sources:
            speaker = Listener(router.config.bgp_port, source=peer.address, seconds=30)
            families = bgp.multiprotocol(IPV4, UNICAST) + bgp.multiprotocol(IPV6, UNICAST)
            speaker.establish(asn=peer.asn, router_id=peer.address.replace("127.0.0", "192.0.2"),
                              capabilities=families + bgp.capability(65, struct.pack("!I", peer.asn)))
            speakers.append(speaker)
        daemon.start()
        return router, daemon, speakers

    yield run
    for daemon in running:
        daemon.stop(signal.SIGKILL)


def comes_to(router, daemon, what, condition):
    try:
        wait_for(what, condition, WITHIN_S)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{daemon.paths('ipv4')[:20]}\n{daemon.log()}\n{router.log}") from None


@pytest.mark.parametrize("kind", [ExaBgpRoutes, GoBgpRoutes, BirdRoutes], ids=["exabgp", "gobgpd", "bird"])
def test_routes_of_ours_arrive_change_and_go(network, kind):
    router, daemon, (one, two) = network(kind)
    one.send(route("198.18.0.0/16", "198.19.7.0/24", ases=(65003,)))
    hop = kind.hop
    comes_to(router, daemon, "two routes", lambda: daemon.paths("ipv4") == [
        ("198.18.0.0/16", "65000 65003", hop), ("198.19.7.0/24", "65000 65003", hop)])
    two.send(route("198.19.7.0/24", ases=(65004,)) + route("198.20.0.0/15", ases=(65004, 65010)))
    one.send(no_route("198.18.0.0/16"))
    one.send(route("198.19.7.0/24", ases=(65003, 65003)))
    comes_to(router, daemon, "the other path", lambda: daemon.paths("ipv4") == [
        ("198.19.7.0/24", "65000 65004", hop), ("198.20.0.0/15", "65000 65004 65010", hop)])
    two.socket.close()
    comes_to(router, daemon, "the first again", lambda: daemon.paths("ipv4") == [
        ("198.19.7.0/24", "65000 65003 65003", hop)])
    peer = router.peer("receiver")
    assert (peer["state"], peer["established_count"]) == ("Established", 1), daemon.log()
    assert peer["routes"]["ipv4-unicast"]["sent"] == 1


def test_twenty_thousand_routes_without_a_flap(network):
    router, daemon, (one, _) = network(BirdRoutes)
    for at in range(0, len(MANY), 500):
        one.send(route(*MANY[at:at + 500], ases=(65003, at + 1)))
    comes_to(router, daemon, "all routes", lambda: daemon.count() == len(MANY))
    one.socket.close()
    comes_to(router, daemon, "no route", lambda: daemon.count() == 0)
    assert router.peer("receiver")["established_count"] == 1


@pytest.mark.parametrize("kind", [GoBgpRoutes, BirdRoutes], ids=["gobgpd", "bird"])
def test_several_paths_arrive(network, kind):
    router, daemon, (one, two) = network(kind, "rx")
    one.send(route("198.18.0.0/16", ases=(65003,)))
    two.send(route("198.18.0.0/16", ases=(65004, 65010)))
    both = [("198.18.0.0/16", "65000 65003", kind.hop), ("198.18.0.0/16", "65000 65004 65010", kind.hop)]
    comes_to(router, daemon, "both paths", lambda: daemon.paths("ipv4") == both)
    one.send(no_route("198.18.0.0/16"))
    comes_to(router, daemon, "one path", lambda: daemon.paths("ipv4") == both[1:])


def test_several_paths_come_from_bird(network):
    statics = "".join(f"""
protocol static more{med} {{
    ipv4 {{ table four; import filter {{ bgp_med = {med}; accept; }}; preference {100 + med}; }};
    route 198.18.0.0/16 blackhole;
}}""" for med in (5, 9))
    router, daemon, (one, _) = network(BirdRoutes, "on", send=statics)
    one.send(route("198.19.0.0/16", ases=(65003,)))
    comes_to(router, daemon, "both paths", lambda: [
        entry["med"] for route in router.ask("routes", "198.18.0.0/16") for entry in route["paths"]] == [5, 9])
    ids = {entry["path_id"] for entry in router.ask("routes", "198.18.0.0/16")[0]["paths"]}
    assert len(ids) == 2 and 0 not in ids
    assert {"add-path-receive", "add-path-send"} <= set(router.peer("receiver")["capabilities_received"])
    comes_to(router, daemon, "ours", lambda: ("198.19.0.0/16", "65000 65003", "127.0.0.1") in daemon.paths("ipv4"))
