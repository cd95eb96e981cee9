# SPDX-License-Identifier: BSD-3-Clause
"""Rules handed on: to whom, in which form, and taken back (RFC 4271 5 and 9.2, 1997, 2918, 4456, 4486, 8955 4)."""
import socket
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, Speaker, host_rule
from router import Config, Peer, wait_for
from routes_raw import read_attributes

US, THEM = 65000, 65001
RULE, OTHER = host_rule("203.0.113.7"), host_rule("203.0.113.8")
TEXT = "match destination 203.0.113.9/32 protocol udp then discard"
TEXT_NLRI = host_rule("203.0.113.9")
NO_EXPORT, NO_ADVERTISE = 0xFFFFFF01, 0xFFFFFF02


def split_rules(octets):
    rules = set()
    while octets:
        size = 1 + octets[0] if octets[0] < 0xF0 else 2 + (struct.unpack("!H", octets[:2])[0] & 0xFFF)
        rules.add(octets[:size])
        octets = octets[size:]
    return rules


class Listener(Speaker):
    """Keeps what it is told."""

    def establish(self, **options):
        self.known, self.ended, self.updates, self.refreshes = {}, 0, 0, []
        return super().establish(**options)

    def take(self):
        """One message; its kind."""
        kind, body = self.receive()
        if kind == bgp.ROUTE_REFRESH:
            self.refreshes.append(body[2])
        if kind != bgp.UPDATE:
            return kind
        attributes = read_attributes(body[4:])
        if list(attributes) == [15] and len(attributes[15][1]) == 3:
            self.ended += 1
            return kind
        self.updates += 1
        for rule in split_rules(attributes[15][1][3:]) if 15 in attributes else ():
            del self.known[rule]
        if 14 in attributes:
            assert list(attributes) == [14] + sorted(set(attributes) - {14}), "RFC 7606 5.1: MP_REACH_NLRI first"
            assert attributes[14][1][3:5] == b"\0\0", "RFC 8955 4: no next hop"
            for rule in split_rules(attributes[14][1][5:]):
                self.known[rule] = attributes
        return kind

    def until(self, condition):
        while not condition():
            assert self.take() is not None, "the router closed the session"

    def rules(self, *rules):
        self.until(lambda: set(self.known) == set(rules))


@pytest.fixture
def network(start):
    """connect(name) gives an established speaker behind one of these peers."""
    peers = [Peer("external", "127.0.0.2", THEM), Peer("silent", "127.0.0.3", 65003),
             Peer("customer", "127.0.0.4", 65004, options={"announce": "rules"}),
             Peer("inside", "127.0.0.5", US), Peer("second", "127.0.0.6", US),
             Peer("client", "127.0.0.7", US, options={"route-reflector-client": True}),
             Peer("picky", "127.0.0.8", US, options={"export": {"prefixes": ["203.0.113.8/32"]}}),
             Peer("limited", "127.0.0.9", 65009, options={"max-prefix": 4, "import": {"not-communities": ["65009:1"]}})]
    router = start(Config(peers=peers))
    speakers = []

    def connect(name, **options):
        peer = next(peer for peer in peers if peer.name == name)
        speaker = Listener(router.config.bgp_port, source=peer.address, seconds=30)
        speakers.append(speaker)
        return speaker.establish(asn=peer.asn, router_id=peer.address.replace("127.0.0", "192.0.2"), **options)
    yield connect, router
    for speaker in speakers:
        speaker.socket.close()


def told(attributes, rule=RULE):
    """An UPDATE that announces `rule` with more attributes than the usual ones."""
    return bgp.message(bgp.UPDATE, bgp.update_body(bgp.usual_attributes(THEM) + attributes + bgp.mp_reach(IPV4, rule)))


def communities(*values):
    return bgp.attribute(0xC0, 8, b"".join(struct.pack("!I", value) for value in values))


# conforms: RFC 4271 proves 5-3 5-5 5.1.1-1 5.1.2-1 5.1.5-1 9.1.1-1 9.1.3-1 9.2-2
def test_learned_outside_told_inside_and_taken_back(network):
    connect, _ = network
    inside, external = connect("inside"), connect("external")
    inside.until(lambda: inside.ended == 2)  # both families are complete, and empty
    external.send(told(communities(65001 << 16 | 5) + bgp.attribute(0xC0, 99, b"new")))
    inside.rules(RULE)
    attributes = inside.known[RULE]
    assert attributes[1] == (0x40, b"\0")
    assert attributes[2] == (0x40, struct.pack("!BBI", 2, 1, THEM)), "RFC 4271 5.1.2: nothing put in front inside"
    assert attributes[5] == (0x40, struct.pack("!I", 100))
    assert attributes[8] == (0xC0, struct.pack("!I", 65001 << 16 | 5))
    assert attributes[16] == (0xC0, bgp.DISCARD)
    assert attributes[99] == (0xE0, b"new"), "RFC 4271 5: passed on, with the Partial bit"
    assert set(attributes) == {14, 1, 2, 5, 8, 16, 99}
    external.send(bgp.withdraw(IPV4, RULE))
    inside.rules()
    external.send(told(b""))
    inside.rules(RULE)
    external.socket.close()
    inside.rules()


# conforms: RFC 4271 proves 5.1.2-2 5.1.4-2 5.1.5-3 9.4-1
def test_to_another_as_only_when_configured(network):
    connect, router = network
    silent, customer, external = connect("silent"), connect("customer"), connect("external")
    external.send(told(bgp.attribute(0x80, 4, struct.pack("!I", 7))))
    customer.rules(RULE)
    attributes = customer.known[RULE]
    assert attributes[2] == (0x40, struct.pack("!BBII", 2, 2, US, THEM))
    assert set(attributes) == {14, 1, 2, 16}, "no LOCAL_PREF, and a MED goes no further (RFC 4271 5.1.4, 5.1.5)"
    silent.until(lambda: silent.ended == 2)
    assert silent.updates == 0 and router.peer("silent")["rules_sent"] == {"ipv4": 0, "ipv6": 0}
    assert router.peer("customer")["rules_sent"] == {"ipv4": 1, "ipv6": 0}
    assert router.peer("external")["rules_sent"] == {"ipv4": 0, "ipv6": 0}


def test_two_octet_peers_get_as4_path(network):
    connect, _ = network
    customer = connect("customer", capabilities=bgp.multiprotocol(IPV4))
    external = connect("external")
    path = bgp.attribute(0x40, 2, struct.pack("!BBII", 2, 2, THEM, 4200000000))
    external.send(bgp.message(bgp.UPDATE, bgp.update_body(bgp.attribute(0x40, 1, b"\0") + path
                                                          + bgp.mp_reach(IPV4, RULE))))
    customer.rules(RULE)
    assert customer.known[RULE][2] == (0x40, struct.pack("!BBHHH", 2, 3, US, THEM, 23456))
    assert customer.known[RULE][17] == (0xC0, struct.pack("!BBIII", 2, 3, US, THEM, 4200000000))


def test_communities_keep_rules_where_they_belong(network):
    connect, _ = network
    inside, customer, external = connect("inside"), connect("customer"), connect("external")
    external.send(told(communities(NO_ADVERTISE)))
    external.send(told(communities(NO_EXPORT), OTHER))
    inside.rules(OTHER)
    external.send(told(b""))
    customer.rules(RULE)
    external.send(told(communities(NO_EXPORT)))  # what was told is taken back
    customer.rules()


# conforms: RFC 4271 proves 9.2-1
# conforms: RFC 4456 proves 6-1 6-2 8-1 8-2 8-4
def test_inside_to_inside_by_reflection_only(network):
    connect, _ = network
    second, client, inside = connect("second"), connect("client"), connect("inside")
    inside.send(bgp.announce(IPV4, RULE, asn=THEM))
    client.rules(RULE)
    assert client.known[RULE][9] == (0x80, socket.inet_aton("192.0.2.5")), "RFC 4456 8: who brought it in"
    assert client.known[RULE][10] == (0x80, socket.inet_aton("192.0.2.1"))
    client.send(bgp.message(bgp.UPDATE, bgp.update_body(
        bgp.usual_attributes(THEM) + bgp.attribute(0x80, 9, socket.inet_aton("192.0.2.77"))
        + bgp.attribute(0x80, 10, socket.inet_aton("192.0.2.88")) + bgp.mp_reach(IPV4, OTHER))))
    second.rules(OTHER)  # and never RULE: that came from one who is no client, either
    assert second.known[OTHER][9] == (0x80, socket.inet_aton("192.0.2.77"))
    assert second.known[OTHER][10] == (0x80, socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.88"))
    inside.rules(OTHER)


# conforms: RFC 4271 proves 5.1.2-1 9.2-2
def test_own_rules_filters_and_the_operators_word(network):
    connect, router = network
    inside, picky, external = connect("inside"), connect("picky"), connect("external")
    router.ctl("rule", "add", TEXT)
    inside.rules(TEXT_NLRI)
    assert inside.known[TEXT_NLRI][2] == (0x40, b""), "RFC 4271 5.1.2: from here to inside, empty"
    external.send(bgp.announce(IPV4, RULE, OTHER))
    inside.rules(RULE, OTHER, TEXT_NLRI)
    picky.rules(OTHER)
    ids = {bytes.fromhex(each["nlri"]): str(each["id"]) for each in router.ask("rules")}
    router.ctl("rule", "suspend", ids[RULE])  # what is not enforced here is not asked of others
    inside.rules(OTHER, TEXT_NLRI)
    router.ctl("rule", "resume", ids[RULE])
    inside.rules(RULE, OTHER, TEXT_NLRI)
    router.ctl("rule", "del", ids[TEXT_NLRI])
    inside.rules(RULE, OTHER)


def test_a_better_path_and_a_worse_one(network):
    """What a peer announced itself comes back to it only from others."""
    connect, router = network
    external, customer = connect("external"), connect("customer")
    customer.send(bgp.announce(IPV4, RULE, asn=65004))
    wait_for("the rule", lambda: router.ask("rules"), 30)
    external.send(told(b"", OTHER))
    customer.rules(OTHER)
    assert router.peer("customer")["rules_sent"]["ipv4"] == 1


def test_refresh_and_a_late_peer(network):
    connect, router = network
    external = connect("external")
    external.send(bgp.announce(IPV4, RULE, OTHER))
    router.wait_rules(2, seconds=30)
    inside = connect("inside")
    inside.until(lambda: inside.ended == 2)
    assert set(inside.known) == {RULE, OTHER} and inside.updates == 1, "both in one message, before End-of-RIB"
    inside.send(bgp.message(bgp.ROUTE_REFRESH, struct.pack("!HBB", IPV4, 0, bgp.FLOWSPEC)))
    inside.until(lambda: inside.updates == 2)
    assert set(inside.known) == {RULE, OTHER}


def test_refreshes_do_not_overlap(network):
    """RFC 7313 4: a second BoRR before the EoRR would have the peer forget what it was sent between the two."""
    connect, router = network
    external = connect("external")
    external.send(bgp.announce(IPV4, RULE, OTHER))
    router.wait_rules(2, seconds=30)
    inside = connect("inside", capabilities=bgp.multiprotocol(IPV4) + bytes([2, 0, 70, 0]))
    inside.rules(RULE, OTHER)
    ask = bgp.message(bgp.ROUTE_REFRESH, struct.pack("!HBB", IPV4, 0, bgp.FLOWSPEC))
    inside.send(20 * ask)
    inside.until(lambda: 2 in inside.refreshes)
    external.send(bgp.announce(IPV4, host_rule("203.0.113.1")))
    inside.rules(RULE, OTHER, host_rule("203.0.113.1"))
    if inside.refreshes[-1] == 1:
        inside.until(lambda: inside.refreshes[-1] == 2)
    assert inside.refreshes == [1, 2] * (len(inside.refreshes) // 2)


# conforms: RFC 4271 proves 6.7-2 refuses 6.7-2
def test_import_filter_and_max_prefix(network):
    connect, router = network
    limited = connect("limited")
    limited.send(bgp.message(bgp.UPDATE, bgp.update_body(bgp.usual_attributes(65009) + communities(65009 << 16 | 1)
                                                         + bgp.mp_reach(IPV4, OTHER))))
    for last in range(4):
        limited.send(bgp.announce(IPV4, host_rule(f"203.0.113.{last}"), asn=65009))
    router.wait_rules(4, seconds=30)
    assert router.peer("limited")["rules_filtered"] == 1
    assert "3 rules of ipv4-flowspec, its max-prefix is 4" in router.log
    limited.send(bgp.announce(IPV4, host_rule("203.0.113.3"), asn=65009))  # known: not one more
    limited.send(bgp.announce(IPV4, host_rule("203.0.113.4"), asn=65009))
    assert limited.notification() == (6, 1), "RFC 4486: Maximum Number of Prefixes Reached"
    router.wait_rules(0, seconds=30)
    assert router.peer("limited")["admin_down"]
    router.ctl("peer", "limited", "up")
    again = connect("limited")
    again.send(bgp.announce(IPV4, host_rule("203.0.113.4"), asn=65009))
    router.wait_rules(1, seconds=30)


def test_a_change_that_waits_is_not_handed_on_and_the_kill_switch_does_not_wait(start):
    """max-changes: the 200 rules before it take minutes, so the other actions of RULE are not judged in this test."""
    peers = [Peer("external", "127.0.0.2", THEM, options={"policy": "slow"}), Peer("inside", "127.0.0.5", US),
             Peer("second", "127.0.0.6", US)]
    router = start(Config(peers=peers, extra="policies: {slow: {max-changes: 1}}\n"))
    external, inside, second = (Listener(router.config.bgp_port, source=peer.address, seconds=30) for peer in peers)
    with external, inside, second:
        external.establish(asn=THEM, router_id="192.0.2.2")
        inside.establish(asn=US, router_id="192.0.2.5")
        external.send(bgp.announce(IPV4, RULE))
        inside.rules(RULE)
        external.send(bgp.announce(IPV4, *(host_rule(f"198.18.0.{i}") for i in range(200))))
        external.send(bgp.announce(IPV4, RULE, communities=bytes.fromhex("800900000000000a")))
        wait_for("the change", lambda: any("max-changes" in (rule["reason"] or "") for rule in router.ask("rules")
                                           if rule["nlri"] == RULE.hex()), 30)
        known = len(inside.known)
        inside.until(lambda: len(inside.known) > known)  # what came later is here
        assert inside.known[RULE][16] == (0xC0, bgp.DISCARD)
        second.establish(asn=US, router_id="192.0.2.6")
        second.until(lambda: second.ended == 2)
        assert second.known and RULE not in second.known
        router.ask("kill-switch", "on", "external")
        inside.rules()


def test_a_changed_export_filter_takes_effect_at_once(network):
    connect, router = network
    picky, external = connect("picky"), connect("external")
    external.send(bgp.announce(IPV4, RULE, OTHER))
    picky.rules(OTHER)
    next(peer for peer in router.config.peers if peer.name == "picky").options["export"] = {
        "prefixes": ["203.0.113.7/32"]}
    router.configure()
    router.ctl("reload")
    picky.rules(RULE)


def test_a_peer_that_does_not_read_holds_up_nobody(start):
    """10,000 rules for two peers, of which one sleeps: the other has them all, and the sleeper gets the rest later."""
    rules = [f"match destination 198.18.{i // 200}.{i % 200}/32 protocol udp source-port {port} then discard"
             for i in range(2500) for port in (19, 53, 123, 389)]
    router = start(Config(peers=[Peer("external", "127.0.0.1", THEM), Peer("sleeper", "127.0.0.5", US),
                                 Peer("awake", "127.0.0.6", US)]))
    with Listener(router.config.bgp_port, source="127.0.0.5", seconds=60) as sleeper, \
            Listener(router.config.bgp_port, source="127.0.0.6", seconds=60) as awake:
        sleeper.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sleeper.establish(asn=US, router_id="192.0.2.5")
        awake.establish(asn=US, router_id="192.0.2.6")
        injector = router.inject(rules)
        awake.until(lambda: len(awake.known) == len(rules))
        # 23 octets an NLRI and 46 beside them in a message of 4096: packed as full as it can be
        assert awake.updates < 3 * len(rules) * 23 // 4000
        sleeper.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sleeper.until(lambda: len(sleeper.known) == len(rules))
        injector.terminate()
        injector.communicate(timeout=30)
        awake.until(lambda: not awake.known)
        sleeper.until(lambda: not sleeper.known)
        assert router.peer("awake")["established_count"] == router.peer("sleeper")["established_count"] == 1
