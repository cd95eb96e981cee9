# SPDX-License-Identifier: BSD-3-Clause
"""ExaBGP, GoBGP, BIRD and FRR take the unicast routes of both families that we hand on, with our next hop or the one
they came with, and forget them when they are withdrawn; BIRD and GoBGP take several paths of a prefix (RFC 7911)."""
import contextlib
import signal
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, IPV6
from lab import Host, address, why_not
from router import Config, Peer, wait_for
from routes_raw import HOP, HOP6, UNICAST, Listener, no_route, route
from unicast_daemons import RECEIVERS, BirdRoutes, GoBgpRoutes

ASN = 65002
LOOPBACK, NET, NET6 = "127.0.0", "198.51.100", "2001:db8:5"
WITHIN_S = 60
FAMILIES = ["ipv4-unicast", "ipv6-unicast"]
MANY = [f"198.{18 + i // 65536}.{i // 256 % 256}.{i % 256}/32" for i in range(20000)]


@pytest.fixture
def network(tmp_path, start):
    """run(kind) -> (router, daemon, the two external speakers), on loopback or in a namespace"""
    running = []

    def run(kind, add_paths="no", send="", host=None):
        if not kind.available():
            pytest.skip(f"{kind.program} is not installed")
        sources = [Peer(name, f"{NET if host else LOOPBACK}.{number}", 65000 + number, options={"families": FAMILIES})
                   for number, name in ((3, "one"), (4, "two"))]
        receiver = Peer("receiver", f"{NET if host else LOOPBACK}.26", ASN, options={
            "families": FAMILIES, "announce": "all", **({} if host else {"next-hop": "unchanged"}),
            "add-path": {"no": "none", "rx": "send", "on": "both"}[add_paths]})
        config = Config(peers=[*sources, receiver])
        if host:
            config.listen = f"{NET}.1"
            yaml = config.yaml
            config.yaml = lambda: yaml().replace("listen: [", f'listen: [{{address: "{NET6}::1", port: 1790}}, ')
        router = start(config, prefix=host.command() if host else [])
        daemon = kind(tmp_path / "daemon", receiver.address, ASN, router.config.bgp_port, 65000)
        daemon.add_paths, daemon.send = add_paths, send
        if host:
            daemon.router_address, daemon.inside = config.listen, host.command()
        running.append(daemon)
        with host.entered() if host else contextlib.nullcontext():
            speakers = [speak(router, peer) for peer in sources]
        daemon.start()
        return router, daemon, speakers

    yield run
    for daemon in running:
        daemon.stop(signal.SIGKILL)


def speak(router, peer):
    speaker = Listener(router.config.bgp_port, source=peer.address, seconds=30, to=router.config.listen)
    families = bgp.multiprotocol(IPV4, UNICAST) + bgp.multiprotocol(IPV6, UNICAST)
    return speaker.establish(asn=peer.asn, router_id=f"192.0.2.{peer.address.split('.')[-1]}",
                             capabilities=families + bgp.capability(65, struct.pack("!I", peer.asn)))


def comes_to(router, daemon, what, condition):
    try:
        wait_for(what, condition, WITHIN_S)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{daemon.paths('ipv4')[:20]}\n{daemon.paths('ipv6')[:20]}\n{daemon.log()}\n"
                             f"{router.log}") from None


def arrive_change_and_go(router, daemon, speakers, hops):
    one, two = speakers

    def knows(what, **families):
        for family, told in families.items():
            comes_to(router, daemon, f"{what}: {family}", lambda: daemon.paths(family) == [
                (prefix, f"65000 {path}", hops[family]) for prefix, path in told])
    one.send(route("198.18.0.0/16", "198.19.7.0/24", ases=(65003,)))
    one.send(route("2001:db8:18::/48", "2001:db8:19::/64", ases=(65003,)))
    knows("two routes", ipv4=[("198.18.0.0/16", "65003"), ("198.19.7.0/24", "65003")],
          ipv6=[("2001:db8:18::/48", "65003"), ("2001:db8:19::/64", "65003")])
    two.send(route("198.19.7.0/24", ases=(65004,)) + route("198.20.0.0/15", ases=(65004, 65010)))
    two.send(route("2001:db8:19::/64", ases=(65004,)) + route("2001:db8:20::/47", ases=(65004, 65010)))
    one.send(no_route("198.18.0.0/16") + no_route("2001:db8:18::/48"))
    one.send(route("198.19.7.0/24", ases=(65003, 65003)) + route("2001:db8:19::/64", ases=(65003, 65003)))
    knows("the other path", ipv4=[("198.19.7.0/24", "65004"), ("198.20.0.0/15", "65004 65010")],
          ipv6=[("2001:db8:19::/64", "65004"), ("2001:db8:20::/47", "65004 65010")])
    two.socket.close()
    knows("the first again", ipv4=[("198.19.7.0/24", "65003 65003")], ipv6=[("2001:db8:19::/64", "65003 65003")])
    peer = router.peer("receiver")
    assert (peer["state"], peer["established_count"]) == ("Established", 1), daemon.log()
    assert [peer["routes"][family]["sent"] for family in FAMILIES] == [1, 1]
    one.send(no_route("198.19.7.0/24") + no_route("2001:db8:19::/64"))
    knows("nothing", ipv4=[], ipv6=[])


@pytest.mark.parametrize("kind", RECEIVERS, ids=lambda kind: kind.name)
def test_routes_of_ours_arrive_change_and_go(network, kind):
    arrive_change_and_go(*network(kind), {"ipv4": HOP, "ipv6": HOP6})


@pytest.fixture
def host():
    """A namespace with addresses that a daemon takes as next hops; those of a loopback network it may refuse."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    found = Host("routes")
    address(found, "lo", *(f"{NET}.{number}/32" for number in (1, 3, 4, 26)), f"{NET6}::1/128")
    yield found
    found.close()


@pytest.mark.parametrize("kind", RECEIVERS, ids=lambda kind: kind.name)
def test_routes_come_with_ourselves_as_the_next_hop(network, host, kind):
    arrive_change_and_go(*network(kind, host=host), {"ipv4": f"{NET}.1", "ipv6": f"{NET6}::1"})


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
    both = [("198.18.0.0/16", "65000 65003", HOP), ("198.18.0.0/16", "65000 65004 65010", HOP)]
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
    comes_to(router, daemon, "ours", lambda: ("198.19.0.0/16", "65000 65003", HOP) in daemon.paths("ipv4"))
