# SPDX-License-Identifier: BSD-3-Clause
"""Routes whose next hops come and go, on a router with ports: RFC 4271 9.1.2, 9.1.2.1, 9.1.2.2 e, 9.1.3."""
import json

import pytest
from bgp_raw import IPV4, announce, host_rule
from routed import Routed
from router import Peer, Router, free_port, wait_for
from routes_raw import FAMILIES, THEM, US, Listener, capabilities, no_route, octets, route

FAR = {"prefix": "172.16.0.0/16", "via": "203.0.113.254"}
PREFIX = "198.18.0.0/16"
WAIT_S = 60


class Net:
    """A router with the ports `up` and `lan`; two external peers, and an internal one that is told routes."""

    def __init__(self, folder, options=None, resolution=None, **routed):
        self.port = free_port()
        self.peers = [Peer("external", "127.0.0.2", THEM, validation="rfc9117",
                           options={"families": FAMILIES, **(options or {})}),
                      Peer("other", "127.0.0.3", 65003, options={"families": FAMILIES}),
                      Peer("inside", "127.0.0.5", US, options={"families": ["ipv4-unicast"], "announce": "all"})]
        keys = f"  next-hop-resolution: \"{resolution}\"\n" if resolution else ""
        keys += f"  restart-deferral: 0\n  listen: [{{address: 127.0.0.1, port: {self.port}}}]\n"
        peers = "\n".join(peer.yaml() for peer in self.peers)
        self.config = Routed(extra=f"bgp:\n{keys}  peers:\n{peers}\n", **routed)
        self.router = Router(folder, self.config)
        self.speakers = []

    def connect(self, name):
        peer = next(peer for peer in self.peers if peer.name == name)
        speaker = Listener(self.port, source=peer.address, seconds=WAIT_S)
        self.speakers.append(speaker)
        return speaker.establish(asn=peer.asn, router_id=peer.address.replace("127.0.0", "192.0.2"),
                                 capabilities=capabilities(peer.asn))

    def reload(self, *routes):
        self.config.routes = list(routes)
        self.router.configure()
        self.router.ctl("reload")

    def paths(self, prefix=PREFIX):
        found = [entry for entry in self.router.ask("routes", prefix) if entry["prefix"] == prefix]
        return found[0]["paths"] if found else []

    def best(self, prefix=PREFIX):
        return next((path["peer"] for path in self.paths(prefix) if path["best"]), None)

    def unreachable(self, why, prefix=PREFIX):
        wait_for(f"{prefix} to be left out: {why}",
                 lambda: [path["unreachable"] for path in self.paths(prefix)] == [why], WAIT_S)

    def reached(self, metric, prefix=PREFIX):
        wait_for(f"{prefix} to be reached",
                 lambda: [(path["best"], path["metric"]) for path in self.paths(prefix)] == [(True, metric)], WAIT_S)


@pytest.fixture
def net(tmp_path):
    nets = []

    def start(**options):
        nets.append(Net(tmp_path, **options))
        nets[-1].router.__enter__()
        return nets[-1]
    yield start
    for one in nets:
        for speaker in one.speakers:
            speaker.socket.close()
        one.router.kill()


# conforms: RFC 4271 proves 9.1.2-1 9.1.2-3 9.1.3-2 refuses 9.1.2-1
def test_a_static_route_goes_and_comes_back(net):
    one = net(routes=[FAR])
    external, inside = one.connect("external"), one.connect("inside")
    external.send(route(PREFIX, hop="172.16.0.9") + announce(IPV4, host_rule("198.18.0.7")))
    inside.routes(PREFIX)
    assert inside.known[PREFIX]["hop"] == octets("172.16.0.9")
    one.reached(1)
    one.router.wait_rules(1)
    assert one.router.peer("external")["routes_unreachable"] == 0
    for _ in range(2):
        one.reload()
        inside.routes()
        one.unreachable("no route")
        assert one.router.peer("external")["routes_unreachable"] == 1
        assert one.router.peer("external")["routes"]["ipv4-unicast"]["accepted"] == 1
        one.router.wait_rules(1, "rejected")
        assert one.router.ask("rules")[0]["reason"].startswith("infeasible: ")
        row = next(line for line in one.router.ctl("routes").splitlines() if line.startswith(PREFIX))
        assert "unreachable" in row and "next hop: no route" in row
        assert "1 routes, whose next hops cannot be reached" in one.router.ctl("peer", "external")
        one.reload(FAR)
        inside.routes(PREFIX)
        one.reached(1)
        one.router.wait_rules(1)
    assert "next hop 172.16.0.9 cannot be reached: no route" in one.router.log
    assert "next hop 172.16.0.9 is reached, metric 1" in one.router.log


# conforms: RFC 4271 proves 9.1.2.2-1 9.1.2-3
def test_the_nearest_next_hop_wins(net):
    def statics(first, second):
        return [{**FAR, "metric": first}, {"prefix": "172.17.0.0/16", "via": "203.0.113.253", "metric": second}]
    one = net(routes=statics(20, 10))
    external, other = one.connect("external"), one.connect("other")
    external.send(route(PREFIX, hop="172.16.0.9"))
    other.send(route(PREFIX, ases=(65003,), hop="172.17.0.9"))
    wait_for("both", lambda: len(one.paths()) == 2, WAIT_S)
    best, lost = one.paths()
    assert (best["peer"], best["metric"], lost["metric"], lost["lost_by"]) == ("other", 10, 20, "igp-metric")
    assert "lost by igp-metric" in one.router.ctl("routes")
    one.reload(*statics(5, 10))
    wait_for("the other way round", lambda: one.best() == "external", WAIT_S)
    one.reload(statics(5, 10)[1])
    wait_for("the one that is left", lambda: one.best() == "other", WAIT_S)
    assert [path["lost_by"] for path in one.paths()] == ["", "next-hop"]
    external.send(route(PREFIX, hop="203.0.113.9"))  # on the network of a port
    wait_for("the nearest", lambda: one.best() == "external", WAIT_S)
    assert [path["metric"] for path in one.paths()] == [0, 10]


def test_over_a_route_of_bgp(net):
    one = net(routes=[FAR])
    external, other, inside = one.connect("external"), one.connect("other"), one.connect("inside")
    external.send(route(PREFIX, hop="172.20.0.9"))
    one.unreachable("no route")
    other.send(route("172.20.0.0/16", ases=(65003,), hop="172.16.0.1"))
    inside.routes(PREFIX, "172.20.0.0/16")
    one.reached(1)
    other.send(no_route("172.20.0.0/16"))
    inside.routes()
    one.unreachable("no route")
    other.send(route("172.20.0.0/16", ases=(65003,), hop="203.0.113.9"))
    one.reached(0)
    one.reload({"prefix": "172.20.0.0/24", "blackhole": True})
    one.unreachable("blackhole")
    one.reload({"prefix": "172.20.0.0/24", "via": "198.51.100.1"})
    one.unreachable("an address of this router")


# conforms: RFC 4271 proves 9.1.2.1-3 refuses 9.1.2.1-3
def test_routes_that_lead_over_one_another_or_over_themselves(net):
    one = net(routes=[{"prefix": "0.0.0.0/0", "via": "203.0.113.254"}])
    external = one.connect("external")
    external.send(route("10.5.0.0/16", hop="10.5.0.1") + route("10.6.0.0/16", hop="10.5.0.1"))
    one.unreachable("the route would lead over itself", "10.5.0.0/16")
    one.reached(1, "10.6.0.0/16")
    external.send(route("10.1.0.0/16", hop="10.2.0.1") + route("10.2.0.0/16", hop="10.1.0.1"))
    wait_for("the line", lambda: "keeps changing, perhaps because they lead over one another" in one.router.log, WAIT_S)

    def settled():
        ends = [path["unreachable"] for prefix in ("10.1.0.0/16", "10.2.0.0/16") for path in one.paths(prefix)]
        return "its way over BGP keeps changing" in ends and "routes lead over one another" not in ends
    wait_for("one of them, or both, to be left out", settled, WAIT_S)
    one.reached(1, "10.6.0.0/16")


@pytest.mark.parametrize("options", [{"options": {"install-routes": False}}, {"resolution": "off"}],
                         ids=["not-installed", "off"])
def test_what_is_not_judged_counts(net, options):
    one = net(**options)
    external, inside = one.connect("external"), one.connect("inside")
    external.send(route(PREFIX, hop="172.16.0.9") + announce(IPV4, host_rule("198.18.0.7")))
    inside.routes(PREFIX)
    one.reached(None)
    one.router.wait_rules(1)


def test_on_judges_what_is_not_installed(net):
    one = net(options={"install-routes": False}, resolution="on")
    external = one.connect("external")
    external.send(route(PREFIX, hop="172.16.0.9"))
    one.unreachable("no route")
    external.send(route(PREFIX, hop="203.0.113.9"))
    one.reached(0)
    text = (one.router.folder / "floodgate.yaml").read_text().replace('"on"', '"off"')
    (one.router.folder / "floodgate.yaml").write_text(text)
    status, _, error = one.router.fgctl("reload")
    assert status == 1 and "`bgp.next-hop-resolution` differs from what runs: that change needs a restart" in error
    assert json.loads(one.router.ctl("-j", "routes"))[0]["paths"][0]["best"]
