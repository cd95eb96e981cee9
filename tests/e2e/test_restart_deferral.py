# SPDX-License-Identifier: BSD-3-Clause
"""Our own restart: rules bite at once, and are handed on when our peers have told us everything (RFC 4724 4.1)."""
import json
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, host_rule, message
from router import Config, Peer, wait_for
from routes_raw import THEM, UNICAST, US, Listener, route

SAFIS = (UNICAST, bgp.FLOWSPEC)
FAMILIES = ["ipv4-unicast", "ipv4-flowspec"]
RULE = host_rule("203.0.113.7")


def capabilities(asn, graceful=True, restarting=False, refresh=False):
    families = b"".join(bgp.multiprotocol(IPV4, safi) for safi in SAFIS)
    restart = struct.pack("!H", (0x8000 if restarting else 0) | 120) + b"".join(
        struct.pack("!HBB", IPV4, safi, 0x80) for safi in SAFIS)
    return (families + bgp.capability(65, struct.pack("!I", asn)) + (bgp.capability(64, restart) if graceful else b"")
            + (bgp.capability(2) + bgp.capability(70) if refresh else b""))


def rule(nlri):
    return message(bgp.UPDATE, bgp.update_body(bgp.usual_attributes(THEM) + bgp.mp_reach(IPV4, nlri)))


END = message(bgp.UPDATE, b"\0\0\0\0") + message(bgp.UPDATE, bgp.update_body(bgp.mp_unreach(IPV4, b"")))


NEARBY, JUDGED = "127.0.5", "127.0.6"  # addresses of ranges


class Range(Peer):
    def yaml(self):
        conf = {"name": self.name, "asn": self.asn, "validation": self.validation, **self.options}
        return "    - " + json.dumps(conf)


@pytest.fixture
def network(start):
    speakers = []

    def run(deferral_s):
        options = {"families": FAMILIES, "announce": "all"}
        peers = [Peer(name, f"127.0.0.{number}", asn, options=options)
                 for number, (name, asn) in enumerate([("external", THEM), ("keeper", US), ("plain", US)], 2)]
        config = Config(peers=[*peers, *(Range(name, None, THEM, validation=validation,
                                               options={"range": f"{net}.0/24", **options})
                                         for name, net, validation in (("sensors", NEARBY, "none"),
                                                                       ("judged", JUDGED, "rfc9117")))])
        yaml = config.yaml
        config.yaml = lambda: yaml().replace("bgp:\n", f"bgp:\n  restart-deferral: {deferral_s}\n")
        router = start(config)

        def connect(name, **caps):
            address, asn = ((name, THEM) if name.startswith((NEARBY, JUDGED))
                            else next((peer.address, peer.asn) for peer in peers if peer.name == name))
            speaker = Listener(router.config.bgp_port, source=address, seconds=30)
            speakers.append(speaker)
            speaker.establish(asn=asn, router_id=address.replace("127.0", "192.0"),
                              capabilities=capabilities(asn, **caps))
            wait_for("the session", lambda: any(peer["address"] == address and peer["state"] == "Established"
                                                for peer in router.ask("peers")))
            return speaker
        connect.router = router
        return connect
    yield run
    for speaker in speakers:
        speaker.socket.close()


def own(router, listener, address):
    """A rule of the operator's, which is told at once: what could have been told before it would be there, too."""
    router.ctl("rule", "add", f"match destination {address}/32 protocol udp then discard")
    listener.until(lambda: host_rule(address) in listener.known)


def waits(router, name):
    return set(router.peer(name)["deferred"])


def sent(router, name):
    peer = router.peer(name)
    return peer["routes"]["ipv4-unicast"]["sent"], sum(peer["rules_sent"].values())


def told_nothing(router, listener, name):
    """Of what was learned; a rule of the operator's is what it knows then."""
    wait_for("rules in force", lambda: [r for r in router.ask("rules") if r["source"]["kind"] == "bgp"
                                        and r["state"] == "active"])
    wait_for("routes", lambda: router.ask("routes", "198.18.0.0/16"))
    own(router, listener, "203.0.113.99")
    assert set(listener.known) == {host_rule("203.0.113.99")} and not listener.ended
    assert waits(router, name) == set(FAMILIES) and sent(router, name) == (0, 1)


# conforms: RFC 4724 proves 4-1 4.1-5 4.1-7
def test_what_is_learned_is_in_force_at_once_and_handed_on_when_all_peers_have_said_theirs(network):
    connect = network(3600)
    router = connect.router
    plain = connect("plain", graceful=False)
    plain.until(lambda: len(plain.ended) == 2)  # it has kept nothing and nobody is telling: nothing waits
    keeper = connect("keeper")
    keeper.send(END)
    external = connect("external")
    external.send(rule(RULE) + route("198.18.0.0/16"))
    told_nothing(router, keeper, "keeper")
    assert "ipv4-unicast, ipv4-flowspec" in next(line for line in router.ctl("peer", "keeper").splitlines()
                                                 if line.startswith("  not told yet"))
    assert "not told everything yet" in router.ctl("peers")
    plain.routes(RULE, "198.18.0.0/16", host_rule("203.0.113.99"))  # what it was released from stays so
    external.send(rule(host_rule("203.0.113.8")) + END)
    keeper.until(lambda: len(keeper.ended) == 2)
    everything = {RULE + host_rule("203.0.113.8"), "198.18.0.0/16", host_rule("203.0.113.99")}  # both in one message
    assert set(keeper.known) == everything, "the End-of-RIB is behind all of it"
    assert not waits(router, "keeper") and len(keeper.ended) == 2
    assert "every peer has announced everything since the start" in router.log
    external.send(rule(host_rule("203.0.113.9")))
    keeper.until(lambda: host_rule("203.0.113.9") in keeper.known)
    assert len(keeper.ended) == 2


def test_each_family_has_its_own_end(network):
    connect = network(3600)
    connect("plain", graceful=False)
    keeper = connect("keeper")
    keeper.send(END)
    external = connect("external")
    external.send(rule(RULE) + route("198.18.0.0/16") + message(bgp.UPDATE, b"\0\0\0\0"))
    keeper.until(lambda: (IPV4, UNICAST) in keeper.ended)
    assert set(keeper.known) == {"198.18.0.0/16"} and waits(connect.router, "keeper") == {"ipv4-flowspec"}


# conforms: RFC 4724 proves 4.1-5
def test_one_that_kept_nothing_waits_while_a_peer_is_telling_and_not_for_one_that_has_not_come(network):
    connect = network(3600)
    router, external = connect.router, connect("external")
    external.send(rule(RULE) + route("198.18.0.0/16"))
    plain = connect("plain", graceful=False)
    told_nothing(router, plain, "plain")
    external.send(END)
    plain.until(lambda: len(plain.ended) == 2)  # though `keeper` never came
    assert {RULE, "198.18.0.0/16"} < set(plain.known)


def test_peers_of_a_range_are_waited_for_while_they_are_telling(network):
    connect = network(3600)
    router = connect.router
    connect("plain", graceful=False)
    sensor = connect(f"{NEARBY}.1")
    keeper = connect("keeper")
    keeper.send(END)
    external = connect("external")
    external.send(END)
    sensor.send(rule(RULE) + route("198.18.0.0/16"))
    told_nothing(router, keeper, "keeper")
    late = connect(f"{NEARBY}.2")
    sensor.send(END)
    own(router, keeper, "203.0.113.98")
    assert not keeper.ended
    late.socket.close()
    keeper.until(lambda: len(keeper.ended) == 2)
    assert {RULE, "198.18.0.0/16"} < set(keeper.known)


def test_rules_that_came_with_their_routes_are_judged_before_the_end(network):
    """Ahead of the routes that bear them out: they are in force a moment later, and the End-of-RIB is behind them."""
    connect = network(3600)
    connect("plain", graceful=False)
    connect("external", graceful=False)
    sensor, keeper = connect(f"{JUDGED}.1"), connect("keeper")
    keeper.send(END)
    wait_for("its end", lambda: "peer keeper: ipv4-flowspec complete" in connect.router.log)
    sensor.send(b"".join(rule(host_rule(f"203.0.{i}.7")) for i in range(256)) + route("203.0.0.0/16") + END)
    keeper.until(lambda: len(keeper.ended) == 2)
    assert "203.0.0.0/16" in keeper.known
    assert sum(len(key) for key in keeper.known if isinstance(key, bytes)) == 256 * len(RULE)


def test_a_refresh_asked_for_meanwhile_comes_when_there_is_something_to_say(network):
    connect = network(3600)
    connect("plain", graceful=False)
    keeper = connect("keeper", refresh=True)
    keeper.send(END + b"".join(message(bgp.ROUTE_REFRESH, struct.pack("!HBB", IPV4, 0, safi)) for safi in SAFIS))
    external = connect("external")
    external.send(rule(RULE) + route("198.18.0.0/16"))
    told_nothing(connect.router, keeper, "keeper")
    assert not keeper.refreshes
    external.send(END)
    keeper.until(lambda: sorted(keeper.refreshes) == [1, 1, 2, 2])
    assert {RULE, "198.18.0.0/16"} < set(keeper.known) and len(keeper.ended) == 2


# conforms: RFC 4724 proves 3-1 4.1-5
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
    external.send(rule(RULE) + route("198.18.0.0/16"))
    told_nothing(connect.router, keeper, "keeper")
    external.socket.close()
    keeper.until(lambda: len(keeper.ended) == 2)


# conforms: RFC 4724 proves 4.1-8
def test_the_time_ends_the_waiting(network):
    connect = network(5)
    connect("external").send(rule(RULE) + route("198.18.0.0/16"))  # and no End-of-RIB; `plain` never comes
    wait_for("both", lambda: connect.router.ask("rules") and connect.router.ask("routes"))
    keeper = connect("keeper")
    keeper.until(lambda: len(keeper.ended) == 2)
    assert set(keeper.known) == {RULE, "198.18.0.0/16"}
    assert "is handed on (missing: external, keeper, plain)" in connect.router.log


def test_it_can_be_switched_off(network):
    connect = network(0)
    external, keeper = connect("external"), connect("keeper")
    external.send(rule(RULE) + route("198.18.0.0/16"))
    keeper.until(lambda: len(keeper.ended) == 2)
    keeper.routes(RULE, "198.18.0.0/16")


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
