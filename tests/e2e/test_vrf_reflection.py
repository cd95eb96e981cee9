# SPDX-License-Identifier: BSD-3-Clause
"""A route reflector without VRFs: rules of SAFI 134 pass through it and are not enforced (RFC 4364 4.3.3, RFC 4456)."""
import socket
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import capability, multiprotocol
from router import Config, Peer
from test_distribution import Listener
from vrfs import FLOWSPEC_VPN, IPV4, IPV6, no_rule, rule, target, vpn_rule

US, THEM = 65000, 65001
FAMILIES = ["ipv4-flowspec-vpn", "ipv6-flowspec-vpn"]
ONE, TWO, SIX = "203.0.113.7/32", "203.0.113.8/32", "2001:db8:7::7/128"
RED = "65000:1"
VRF = "vrfs: [{name: red, rt-import: ['%s']}]\n"
EXTRA = ('policies: {narrow: {destinations: [203.0.113.0/24, "2001:db8:7::/48"], max-age: 3600}}\n'
         "protect: [match destination 203.0.113.99/32]\n")


def inner(name, last, **options):
    return Peer(name, f"127.0.0.{last}", US, validation="rfc9117",
                options={"families": FAMILIES, "policy": "narrow", **options})


PEERS = [inner("client", 5, **{"route-reflector-client": True}), inner("other", 6), inner("third", 7),
         Peer("outer", "127.0.0.2", THEM, validation="rfc9117", options={"families": FAMILIES}),
         Peer("trusted", "127.0.0.3", 65003, options={"families": FAMILIES, "announce": "rules"}),
         Peer("plain", "127.0.0.8", US, options={"families": ["ipv4-flowspec"], "route-reflector-client": True})]


@pytest.fixture
def network(start, request):
    """Without VRFs, unless they are the parameter."""
    router = start(Config(peers=PEERS, extra=EXTRA + getattr(request, "param", "")))
    speakers = []

    def connect(name, safis=(FLOWSPEC_VPN,)):
        peer = next(peer for peer in PEERS if peer.name == name)
        speaker = Listener(router.config.bgp_port, source=peer.address, seconds=60)
        speakers.append(speaker)
        families = b"".join(multiprotocol(afi, safi) for afi in (IPV4, IPV6) for safi in safis)
        return speaker.establish(asn=peer.asn, router_id=peer.address.replace("127.0.0", "192.0.2"),
                                 capabilities=families + capability(65, struct.pack("!I", peer.asn)))
    yield connect, router
    for speaker in speakers:
        speaker.socket.close()


def inside(prefix, *targets, pref=100, actions=bgp.DISCARD):
    """A rule as an internal peer brings it."""
    local = bgp.attribute(0x40, 5, struct.pack("!I", pref))
    path = bgp.attribute(0x40, 1, b"\0") + bgp.attribute(0x40, 2, b"") + local
    communities = bgp.attribute(0xC0, 16, b"".join(target(each) for each in targets) + actions)
    reach = struct.pack("!HBBB", IPV6 if ":" in prefix else IPV4, FLOWSPEC_VPN, 0, 0) + vpn_rule(prefix)
    return bgp.message(bgp.UPDATE, bgp.update_body(path + communities + bgp.attribute(0x80, 14, reach)))


def wait_state(router, count, state):
    return router.wait_rules(count, state, 60)


# conforms: RFC 4456 proves 6-1 8-1
@pytest.mark.parametrize("prefix, family", [(ONE, "ipv4"), (SIX, "ipv6")])
def test_reflected_and_taken_back(network, prefix, family):
    connect, router = network
    client, other, plain = connect("client"), connect("other"), connect("plain", (133,))
    client.send(inside(prefix, RED))
    other.rules(vpn_rule(prefix))
    told = other.known[vpn_rule(prefix)]
    assert told[9] == (0x80, socket.inet_aton("192.0.2.5")) and told[10] == (0x80, socket.inet_aton("192.0.2.1"))
    assert told[16][1] == target(RED) + bgp.DISCARD, "what asks for import goes on as it came"
    shown, = router.ask("rules")
    assert (shown["state"], shown["vrf"]) == ("not-imported", "")
    assert shown["reason"] == f"no-vrf: no VRF here has rt-import for {RED}"
    assert router.ask("rules", "--state", "not-imported") == [shown]
    assert router.ask("status")["rules"]["not-imported"] == 1
    peer = router.peer("client")
    assert [peer[key][family] for key in ("rules_received", "rules_active", "rules_rejected", "rules_not_imported")] \
        == [1, 0, 0, 1]
    assert router.peer("other")["rules_sent"][family] == 1
    client.send(no_rule(prefix))
    other.rules()
    assert router.peer("other")["rules_sent"][family] == 0 and not router.ask("rules")
    client.send(inside(prefix, RED))
    other.rules(vpn_rule(prefix))
    client.socket.close()
    other.rules()
    # one without the family hears of none of it: what it is told next is the first that it is told
    router.ctl("rule", "add", "match destination 203.0.113.77/32 protocol udp then discard")
    plain.rules(bgp.host_rule("203.0.113.77"))
    assert plain.updates == 1


@pytest.mark.parametrize("bad, word", [("198.51.100.7/32", "policy:"), ("203.0.113.99/32", "protected:")])
def test_what_the_policy_refuses_is_not_handed_on(network, bad, word):
    connect, router = network
    client, other = connect("client"), connect("other")
    client.send(inside(bad, RED) + inside(ONE, RED))
    other.rules(vpn_rule(ONE))
    refused, = wait_state(router, 1, "rejected")
    assert refused["reason"].startswith(word)
    late = connect("third")  # one that comes later hears no more
    client.send(inside(TWO, RED))
    late.rules(vpn_rule(ONE), vpn_rule(TWO))
    other.rules(vpn_rule(ONE), vpn_rule(TWO))
    assert [router.peer(each)["rules_sent"]["ipv4"] for each in ("other", "third")] == [2, 2]


def test_not_from_one_who_is_no_client_to_another(network):
    connect, router = network
    other, third, client = connect("other"), connect("third"), connect("client")
    other.send(inside(ONE, RED))
    client.rules(vpn_rule(ONE))
    client.send(inside(TWO, RED))
    third.rules(vpn_rule(TWO))
    assert router.peer("third")["rules_sent"]["ipv4"] == 1


def test_from_another_as_only_where_it_is_taken_at_its_word(network):
    connect, router = network
    client, outer, trusted = connect("client"), connect("outer"), connect("trusted")
    outer.send(rule(ONE, RED, asn=THEM))
    told, = wait_state(router, 1, "rejected")
    assert told["reason"].startswith("no-vrf:") and "not handed on" in told["reason"]
    trusted.send(rule(TWO, RED, asn=65003))
    client.rules(vpn_rule(TWO))
    # of two paths for one rule the one that may be handed on, though the other is better
    client.send(inside(ONE, RED, pref=1))
    trusted.rules(vpn_rule(ONE))
    assert trusted.known[vpn_rule(ONE)][2] == (0x40, struct.pack("!BBI", 2, 1, US))
    client.send(no_rule(ONE))
    trusted.rules()


def test_the_best_of_several_paths(network):
    connect, _ = network
    client, other, trusted = connect("client"), connect("other"), connect("trusted")
    sample, key = bgp.DISCARD[:-1] + b"\1", vpn_rule(ONE)
    client.send(inside(ONE, RED, pref=100))
    trusted.rules(key)
    other.send(inside(ONE, RED, pref=200, actions=sample))
    trusted.until(lambda: trusted.known[key][16][1].endswith(sample))
    other.send(no_rule(ONE))
    trusted.until(lambda: trusted.known[key][16][1].endswith(bgp.DISCARD))


def test_the_operators_word_holds_for_it(network):
    connect, router = network
    client, other = connect("client"), connect("other")
    client.send(inside(ONE, RED))
    other.rules(vpn_rule(ONE))
    number = str(router.ask("rules")[0]["id"])
    for off, on, state in (("suspend", "resume", "suspended"), ("dry-run", "promote", "rejected")):
        router.ctl("rule", off, number)
        other.rules()
        assert router.ask("rules")[0]["state"] == state
        router.ctl("rule", on, number)
        other.rules(vpn_rule(ONE))
    router.ctl("kill-switch", "on", "client")
    other.rules()
    router.ctl("kill-switch", "off", "client")
    other.rules(vpn_rule(ONE))
    assert router.ask("rules")[0]["state"] == "not-imported"


@pytest.mark.parametrize("network", [VRF % "65000:9"], indirect=True)
def test_a_reload_that_imports_it_and_does_not_any_more_keeps_it_announced(network):
    connect, router = network
    client, other = connect("client"), connect("other")
    client.send(inside(ONE, RED))
    other.rules(vpn_rule(ONE))
    updates = other.updates
    for imports, state in ((RED, "active"), ("65000:9", "not-imported")):
        router.config.extra = EXTRA + VRF % imports
        router.configure()
        router.ctl("reload")
        told, = wait_state(router, 1, state)
        assert told["vrf"] == ("red" if imports == RED else "")
    client.send(inside(TWO, RED))
    other.rules(vpn_rule(ONE), vpn_rule(TWO))
    assert other.updates == updates + 1, "nothing was said of the first one meanwhile"
