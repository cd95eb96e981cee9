# SPDX-License-Identifier: BSD-3-Clause
"""Labelled VPN routes (SAFI 128) of GoBGP reach GoBGP and FRR through us, with the label, the next hop and the route
target they came with: by reflection, or to another AS (RFC 4364 section 10 c). They go when they are withdrawn."""
import json
import signal
import subprocess

import pytest
from daemons import GoBgp
from frr import Frr
from router import Config, Peer, wait_for

US, THEM, FROM, TO = 65000, 65002, "127.0.0.33", "127.0.0.34"
RD, TARGET, HOP = "65000:1", "65000:77", "192.0.2.99"
PREFIX, OTHER = "10.20.0.0/16", "10.21.0.0/16"
WAIT_S = 90


class GoBgpVpn(GoBgp):
    router_id = "192.0.2.22"

    def spawn(self, command, **kwargs):
        config = self.folder / "gobgpd.toml"
        text = config.read_text().replace('"ipv4-flowspec"', '"l3vpn-ipv4-unicast"')
        config.write_text(text.replace('"ipv6-flowspec"', '"ipv4-unicast"').replace("192.0.2.22", self.router_id))
        super().spawn(command, **kwargs)

    def ask(self, *what):
        return subprocess.run(["gobgp", "-p", str(self.api_port), *what], check=False, capture_output=True, text=True)

    def route(self, verb, prefix, label):
        done = self.ask("global", "rib", verb, "-a", "vpnv4", prefix, "label", str(label), "rd", RD, "rt", TARGET,
                        "nexthop", HOP)
        assert done.returncode == 0, done.stdout + done.stderr


class GoBgpReceiver(GoBgpVpn):
    router_id, api_offset = "192.0.2.23", 1001

    def paths(self):
        """(prefix, label, next hop, route targets, AS path, originator) of each route that it knows."""
        told = []
        found = json.loads(self.ask("neighbor", "127.0.0.1", "adj-in", "-a", "vpnv4", "-j").stdout or "{}")
        for entries in found.values() if "error" not in found else ():  # no session yet
            nlri, attributes = entries[0]["nlri"], {each["type"]: each for each in entries[0]["attrs"]}
            path = " ".join(str(asn) for part in attributes[2].get("as_paths") or () for asn in part["asns"])
            told.append((nlri["prefix"], nlri["labels"][0], attributes[14]["nexthop"],
                         attributes[16]["value"][0]["value"], path, attributes.get(9, {}).get("value", "")))
        return sorted(told)


class FrrReceiver(Frr):
    def _config(self):
        lines = ["timers connect 1", "timers 30 90", f"update-source {self.address}", f"port {self.router_port}"]
        return f"""router bgp {self.asn}
 bgp router-id 192.0.2.24
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
{self._neighbor("127.0.0.1", self.router_asn, *lines)} address-family ipv4 vpn
  neighbor 127.0.0.1 activate
 exit-address-family
!
line vty
"""

    def paths(self):
        told = []
        table = json.loads(self.show("show bgp ipv4 vpn json") or "{}")
        for prefix in table.get("routes", {}).get("routeDistinguishers", {}).get(RD, {}):
            found = json.loads(self.show(f"show bgp ipv4 vpn {prefix} json") or "{}").get(RD, {}).get("paths", [])
            told += [(prefix, path["remoteLabel"], path["nexthops"][0]["ip"],
                      path["extendedCommunity"]["string"].removeprefix("RT:"),
                      path["aspath"]["string"].replace("Local", ""), path.get("originatorId", "")) for path in found]
        return sorted(told)


@pytest.fixture
def network(tmp_path, start):
    """run(kind, AS of the receiver, keys of it) -> router, the GoBGP that announces, the daemon that is told"""
    running = []

    def run(kind, asn, **options):
        for each in (GoBgpVpn, kind):
            if not each.available():
                pytest.skip(f"{each.program} is not installed")
        shared = {"families": ["ipv4-vpn", "ipv4-unicast"], "announce": "all"}
        router = start(Config(peers=[Peer("from", FROM, US, options=shared | {"route-reflector-client": True}),
                                     Peer("to", TO, asn, options=shared | options)]))
        for daemon, address, own in ((GoBgpVpn, FROM, US), (kind, TO, asn)):
            running.append(daemon(tmp_path / daemon.__name__, address, own, router.config.bgp_port, US))
            running[-1].start()
        return router, *running

    yield run
    for daemon in running:
        daemon.stop(signal.SIGKILL)


@pytest.mark.parametrize("asn, keys, path, originator", [
    (US, {}, "", "192.0.2.22"), (THEM, {"next-hop": "unchanged"}, str(US), "")], ids=["reflected", "another-as"])
@pytest.mark.parametrize("kind", [GoBgpReceiver, FrrReceiver], ids=lambda kind: kind.name)
def test_labelled_routes_arrive_change_and_go(network, kind, asn, keys, path, originator):
    router, source, receiver = network(kind, asn, **keys)

    def knows(*routes):
        told = [(prefix, label, HOP, TARGET, path, originator) for prefix, label in routes]
        try:
            wait_for("the routes", lambda: receiver.paths() == told, WAIT_S)
        except AssertionError as error:
            raise AssertionError(f"{error}: {receiver.paths()}, not {told}\n{receiver.log()}\n{router.log}") from None
    source.route("add", PREFIX, 100)
    source.route("add", OTHER, 200)
    knows((PREFIX, 100), (OTHER, 200))
    source.route("add", PREFIX, 300)  # another label, and nothing else
    knows((PREFIX, 300), (OTHER, 200))
    source.route("del", OTHER, 200)
    knows((PREFIX, 300))
    source.stop(signal.SIGKILL)
    knows()
    assert [peer["established_count"] for peer in router.ask("peers")] == [1, 1]
