# SPDX-License-Identifier: BSD-3-Clause
"""Our own restart: who kept what we announced is told that it has everything when we do (RFC 4724 4.1)."""
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, host_rule, message
from router import Config, Peer
from routes_raw import THEM, UNICAST, US, Listener, route

SAFIS = (UNICAST, bgp.FLOWSPEC)
FAMILIES = ["ipv4-unicast", "ipv4-flowspec"]
RULE = host_rule("203.0.113.7")


def capabilities(asn, graceful=True, restarting=False):
    families = b"".join(bgp.multiprotocol(IPV4, safi) for safi in SAFIS)
    restart = struct.pack("!H", (0x8000 if restarting else 0) | 120) + b"".join(
        struct.pack("!HBB", IPV4, safi, 0x80) for safi in SAFIS)
    return families + bgp.capability(65, struct.pack("!I", asn)) + (bgp.capability(64, restart) if graceful else b"")


def rule(nlri):
    return message(bgp.UPDATE, bgp.update_body(bgp.usual_attributes(THEM) + bgp.mp_reach(IPV4, nlri)))


END = message(bgp.UPDATE, b"\0\0\0\0") + message(bgp.UPDATE, bgp.update_body(bgp.mp_unreach(IPV4, b"")))


@pytest.fixture
def network(start):
    speakers = []

    def run(deferral_s):
        peers = [Peer(name, f"127.0.0.{number}", asn, options={"families": FAMILIES, "announce": "all"})
                 for number, (name, asn) in enumerate([("external", THEM), ("keeper", US), ("plain", US)], 2)]
        config = Config(peers=peers)
        yaml = config.yaml
        config.yaml = lambda: yaml().replace("bgp:\n", f"bgp:\n  restart-deferral: {deferral_s}\n")
        router = start(config)

        def connect(name, **options):
            peer = next(peer for peer in peers if peer.name == name)
            speaker = Listener(router.config.bgp_port, source=peer.address, seconds=30)
            speakers.append(speaker)
            return speaker.establish(asn=peer.asn, router_id=peer.address.replace("127.0.0", "192.0.2"),
                                     capabilities=capabilities(peer.asn, **options))
        connect.router = router
        return connect
    yield run
    for speaker in speakers:
        speaker.socket.close()


def test_the_end_comes_when_all_peers_have_said_theirs(network):
    connect = network(3600)
    keeper, plain = connect("keeper"), connect("plain", graceful=False)
    plain.until(lambda: len(plain.ended) == 2)  # it has kept nothing: nothing waits
    keeper.send(END)
    external = connect("external")
    external.send(rule(RULE) + route("198.18.0.0/16"))
    keeper.routes(RULE, "198.18.0.0/16")  # what is known is announced at once
    assert not keeper.ended
    external.send(rule(host_rule("203.0.113.8")) + END)
    keeper.until(lambda: len(keeper.ended) == 2)
    assert set(keeper.known) == {RULE, host_rule("203.0.113.8"), "198.18.0.0/16"}


def test_a_peer_that_has_restarted_too_is_not_waited_for(network):
    connect = network(3600)
    keeper, _ = connect("keeper"), connect("plain", graceful=False)
    keeper.send(END)
    connect("external", restarting=True)
    keeper.until(lambda: len(keeper.ended) == 2)


def test_one_that_goes_is_not_waited_for_any_more(network):
    connect = network(3600)
    keeper, _ = connect("keeper"), connect("plain", graceful=False)
    keeper.send(END)
    external = connect("external")
    external.send(route("198.18.0.0/16"))
    keeper.routes("198.18.0.0/16")
    assert not keeper.ended
    external.socket.close()
    keeper.until(lambda: len(keeper.ended) == 2)


def test_the_time_ends_the_waiting(network):
    connect = network(1)
    keeper = connect("keeper")  # the others never come
    keeper.until(lambda: len(keeper.ended) == 2)


def test_it_can_be_switched_off(network):
    connect = network(0)
    keeper = connect("keeper")
    keeper.until(lambda: len(keeper.ended) == 2)


@pytest.mark.parametrize("how", ["taken down", "out of the configuration"])
def test_one_that_never_came_and_is_not_to_come_is_not_waited_for(network, how):
    connect = network(3600)
    keeper, plain = connect("keeper"), connect("plain", graceful=False)
    keeper.send(END)
    assert not keeper.ended
    if how == "taken down":
        connect.router.ctl("peer", "external", "down")
    else:
        connect.router.config.peers.remove(next(p for p in connect.router.config.peers if p.name == "external"))
        connect.router.configure()
        connect.router.ctl("reload")
    keeper.until(lambda: len(keeper.ended) == 2)
