# SPDX-License-Identifier: BSD-3-Clause
"""Unicast routes and the rules that rest on them: RFC 9117."""
import socket
import struct

import pytest

from bgp_raw import (IPV4, IPV6, UPDATE, Speaker, attribute, announce, capability, host_rule, message, mp_reach,
                     mp_unreach, multiprotocol, update_body)
from router import Config, Peer, Router, wait_for

UNICAST, VPN = 1, 128
FAMILIES = ["ipv4-unicast", "ipv6-unicast", "ipv4-flowspec", "ipv6-flowspec"]
WAIT_S = 30


def capabilities(asn):
    return (multiprotocol(IPV4) + multiprotocol(IPV6) + multiprotocol(IPV4, UNICAST) + multiprotocol(IPV6, UNICAST)
            + capability(65, struct.pack("!I", asn)))


def nlri(prefix):
    address, length = prefix.split("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return bytes([int(length)]) + socket.inet_pton(family, address)[:(int(length) + 7) // 8]


def path(*ases):
    return attribute(0x40, 2, struct.pack("!BB", 2, len(ases)) + b"".join(struct.pack("!I", a) for a in ases))


def route(prefix, *ases, extra=b""):
    """An UPDATE that announces one unicast prefix."""
    attributes = attribute(0x40, 1, b"\0") + path(*ases) + extra
    if ":" in prefix:
        hop = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
        reach = struct.pack("!HBB", IPV6, UNICAST, 16) + hop + b"\0" + nlri(prefix)
        return message(UPDATE, update_body(attributes + attribute(0x80, 14, reach)))
    return message(UPDATE, update_body(attributes + attribute(0x40, 3, bytes([192, 0, 2, 9])), nlri=nlri(prefix)))


def no_route(prefix):
    if ":" in prefix:
        return message(UPDATE, update_body(mp_unreach(IPV6, nlri(prefix), UNICAST)))
    return message(UPDATE, update_body(b"", withdrawn=nlri(prefix)))


@pytest.fixture
def two(start):
    """Two external peers with every family and the validation that is the default."""
    peers = [Peer(name, f"127.0.0.{number}", 65000 + number, validation="rfc9117", options={"families": FAMILIES})
             for number, name in enumerate(["customer", "transit"], 2)]
    router = start(Config(peers=peers))
    speakers = [Speaker(router.config.bgp_port, peer.address) for peer in peers]
    for number, speaker in enumerate(speakers, 2):
        speaker.establish(asn=65000 + number, router_id=f"192.0.2.{number}", capabilities=capabilities(65000 + number))
    yield router, *speakers
    for speaker in speakers:
        speaker.socket.close()


def wait_state(router, state):
    def there():
        rules = router.ask("rules")
        return rules[0] if rules and rules[0]["state"] == state else None
    return wait_for(f"the rule {state}", there, WAIT_S)


def wait_route(router, prefix, best):
    def there():
        routes = [r for r in router.ask("routes", prefix) if r["prefix"] == prefix]
        peer = routes[0]["paths"][0]["peer"] if routes else None
        return routes if peer == best else None
    return wait_for(f"{prefix} from {best}", there, WAIT_S) if best else wait_for(
        f"no {prefix}", lambda: not [r for r in router.ask("routes", prefix) if r["prefix"] == prefix], WAIT_S)


# conforms: RFC 9117 proves 4.1-2 4.1-6
# conforms: RFC 8955 proves 6-4
def test_a_rule_follows_the_routes_it_rests_on(two):
    router, customer, transit = two
    customer.send(announce(IPV4, host_rule("203.0.113.7"), asn=65002))
    rule = wait_state(router, "rejected")
    assert rule["reason"] == "infeasible: no unicast route covers 203.0.113.7/32 (RFC 9117 4.1 b)"
    customer.send(route("203.0.113.0/24", 65002))
    assert wait_state(router, "active")["reason"] == ""
    transit.send(route("203.0.113.0/25", 65003))  # a better match, and another's
    assert "203.0.113.0/25" in wait_state(router, "rejected")["reason"]
    transit.send(no_route("203.0.113.0/25"))
    wait_state(router, "active")
    customer.send(no_route("203.0.113.0/24"))
    wait_state(router, "rejected")


# conforms: RFC 9117 proves 4.1-4
def test_a_more_specific_route_of_another_neighbour_makes_a_rule_infeasible(two):
    router, customer, transit = two
    customer.send(route("2001:db8:7::/48", 65002))
    wait_route(router, "2001:db8:7::/48", "customer")
    customer.send(announce(IPV6, bytes.fromhex("09 01 30 00 20010db80007"), asn=65002))
    wait_state(router, "active")
    transit.send(route("2001:db8:7:1::/64", 65003))
    assert "4.1 c" in wait_state(router, "rejected")["reason"]
    transit.socket.close()  # its routes go with its session
    wait_state(router, "active")


def test_a_feasible_path_is_preferred_to_one_that_is_not(two):
    router, customer, transit = two
    customer.send(route("203.0.113.0/24", 65002, 65010))
    wait_route(router, "203.0.113.0/24", "customer")
    transit.send(announce(IPV4, host_rule("203.0.113.7"), asn=65003))  # a shorter AS path, but not its network
    wait_state(router, "rejected")
    body = attribute(0x40, 1, b"\0") + path(65002, 65010) + attribute(0xC0, 16, bytes.fromhex("8006000000000000"))
    customer.send(message(UPDATE, update_body(body + mp_reach(IPV4, host_rule("203.0.113.7")))))
    assert wait_state(router, "active")["source"]["peer"] == "customer"


def test_routes_are_shown_with_all_paths_and_the_reason(two):
    router, customer, transit = two
    customer.send(route("203.0.0.0/16", 65002))
    customer.send(route("203.0.113.0/24", 65002, 65010))
    wait_route(router, "203.0.113.0/24", "customer")
    transit.send(route("203.0.113.0/24", 65003))
    shown = wait_route(router, "203.0.113.0/24", "transit")[0]
    assert shown["family"] == "ipv4-unicast"
    best, other = shown["paths"]
    assert best["best"] and best["peer"] == "transit" and best["as_path"] == "65003" and best["lost_by"] == ""
    assert best["next_hop"] == "192.0.2.9" and best["origin"] == "igp"
    assert not other["best"] and other["peer"] == "customer" and other["lost_by"] == "as-path"
    # an address: the routes that cover it; a shorter prefix: what is within it, too
    assert [r["prefix"] for r in router.ask("routes", "203.0.113.7")] == ["203.0.0.0/16", "203.0.113.0/24"]
    assert [r["prefix"] for r in router.ask("routes", "203.0.113.0/24")] == ["203.0.0.0/16", "203.0.113.0/24"]
    assert [r["prefix"] for r in router.ask("routes", "203.0.0.0/16")] == ["203.0.0.0/16", "203.0.113.0/24"]
    assert len(router.ask("routes")) == 2
    assert "as-path" in router.ctl("routes", "203.0.113.0/24")
    assert router.fgctl("routes", "203.0.113.0/33")[0] == 1


def test_from_routes_allows_rules_within_what_the_peer_itself_announces(start):
    customer = Peer("customer", "127.0.0.2", 65002, validation="none", options={"families": FAMILIES, "policy": "own"})
    transit = Peer("transit", "127.0.0.3", 65003, validation="none", options={"families": FAMILIES})
    router = start(Config(peers=[customer, transit], extra="policies: {own: {destinations: from-routes}}"))
    speakers = [Speaker(router.config.bgp_port, peer.address) for peer in (customer, transit)]
    for number, speaker in enumerate(speakers, 2):
        speaker.establish(asn=65000 + number, router_id=f"192.0.2.{number}", capabilities=capabilities(65000 + number))
    try:
        speakers[1].send(route("203.0.113.0/24", 65003))  # another's route allows nothing
        wait_route(router, "203.0.113.0/24", "transit")
        speakers[0].send(announce(IPV4, host_rule("203.0.113.7"), asn=65002))
        assert "from-routes" in wait_state(router, "rejected")["reason"]
        speakers[0].send(route("203.0.113.0/24", 65002, 65010, 65011))  # not the best path, but its own
        wait_state(router, "active")
        speakers[0].send(no_route("203.0.113.0/24"))
        wait_state(router, "rejected")
    finally:
        for speaker in speakers:
            speaker.socket.close()


@pytest.fixture
def bounded(start):
    options = {"families": FAMILIES, "max-prefix": {"ipv4-unicast": 4, "ipv6-unicast": 2}, "max-prefix-warning": 50,
               "import": {"prefixes": ["198.18.0.0/15", "2001:db8::/32"], "not-communities": ["65002:1"]}}
    peer = Peer("bounded", "127.0.0.2", 65002, options=options)
    router = start(Config(peers=[peer]))

    def connect():
        speaker = Speaker(router.config.bgp_port, peer.address, seconds=30)
        return speaker.establish(asn=65002, router_id="192.0.2.2", capabilities=capabilities(65002))
    return router, connect


def shown(router):
    return {r["prefix"] for r in router.ask("routes")}


# conforms: RFC 4271 proves 6.7-2 refuses 6.7-2
def test_one_route_more_than_max_prefix_ends_the_session(bounded):
    router, connect = bounded
    with connect() as speaker:
        for third in range(4):
            speaker.send(route(f"198.18.{third}.0/24", 65002))
        speaker.send(route("2001:db8::/48", 65002))
        wait_for("all routes", lambda: len(shown(router)) == 5, WAIT_S)
        assert "2 routes of ipv4-unicast, its max-prefix is 4" in router.log
        speaker.send(route("198.18.3.0/24", 65002, 65010))  # known: not one more
        speaker.send(no_route("198.18.0.0/24") + route("198.18.4.0/24", 65002))
        wait_for("the other", lambda: "198.18.4.0/24" in shown(router), WAIT_S)
        many = b"".join(nlri(f"198.19.{third}.0/24") for third in range(200))
        body = attribute(0x40, 1, b"\0") + path(65002) + attribute(0x40, 3, bytes([192, 0, 2, 9]))
        speaker.send(message(UPDATE, update_body(body, nlri=many)))
        assert speaker.notification() == (6, 1), "RFC 4486: Maximum Number of Prefixes Reached"
    wait_for("no routes", lambda: not shown(router), WAIT_S)
    assert router.peer("bounded")["admin_down"]
    router.ctl("peer", "bounded", "up")
    with connect() as speaker:
        for third in range(3):
            speaker.send(route(f"2001:db8:{third}::/48", 65002))
        assert speaker.notification() == (6, 1)


def test_the_import_filter_looks_at_routes(bounded):
    router, connect = bounded
    with connect() as speaker:
        speaker.send(route("198.18.0.0/14", 65002))  # not within
        speaker.send(route("2001:db9::/32", 65002))
        speaker.send(route("198.18.1.0/24", 65002, extra=attribute(0xC0, 8, struct.pack("!HH", 65002, 1))))
        speaker.send(route("198.18.2.0/24", 65002))
        speaker.send(route("198.18.3.0/24", 65002))
        wait_for("two routes", lambda: shown(router) == {"198.18.2.0/24", "198.18.3.0/24"}, WAIT_S)
        peer = router.peer("bounded")
        assert peer["rules_filtered"] == 3
        assert peer["routes"] == {"ipv4-unicast": {"received": 4, "accepted": 2, "rejected": 2, "sent": 0},
                                  "ipv6-unicast": {"received": 1, "accepted": 0, "rejected": 1, "sent": 0}}
        assert "4 routes received, 2 accepted, 2 rejected, 0 sent" in router.ctl("peer", "bounded")
        # what is filtered now is withdrawn where it was there before
        speaker.send(route("198.18.2.0/24", 65002, extra=attribute(0xC0, 8, struct.pack("!HH", 65002, 1))))
        wait_for("one route", lambda: shown(router) == {"198.18.3.0/24"}, WAIT_S)


# conforms: RFC 4271 proves 5.1.4-3
@pytest.mark.parametrize("remove", [False, True], ids=["kept", "removed"])
def test_med_decides_unless_it_is_removed(start, remove):
    peers = [Peer(f"exit{number}", f"127.0.0.{number}", 65002,
                  options={"families": FAMILIES, "remove-med": remove}) for number in (2, 3)]
    router = start(Config(peers=peers))
    speakers = [Speaker(router.config.bgp_port, peer.address) for peer in peers]
    for number, speaker in enumerate(speakers, 2):
        speaker.establish(asn=65002, router_id=f"192.0.2.{number}", capabilities=capabilities(65002))
        metric = attribute(0x80, 4, struct.pack("!I", {2: 50, 3: 10}[number]))
        speaker.send(route("203.0.113.0/24", 65002, extra=metric))
        reach = mp_reach(IPV4, host_rule("203.0.113.7"))
        speaker.send(message(UPDATE, update_body(attribute(0x40, 1, b"\0") + path(65002) + metric + attribute(
            0xC0, 16, bytes.fromhex("8006000000000000")) + reach)))
    shown = wait_for("both paths", lambda: [r for r in router.ask("routes") if len(r["paths"]) == 2], WAIT_S)[0]
    wait_for("both rules", lambda: [router.peer(p.name)["rules_received"]["ipv4"] for p in peers] == [1, 1], WAIT_S)
    rule, = router.ask("rules")
    best, other = shown["paths"]
    if remove:
        assert (best["peer"], best["med"], other["med"], other["lost_by"]) == ("exit2", None, None, "router-id")
    else:
        assert (best["peer"], best["med"], other["med"], other["lost_by"]) == ("exit3", 10, 50, "med")
    assert rule["source"]["peer"] == best["peer"]
    for speaker in speakers:
        speaker.socket.close()


def test_attributes_that_fill_the_memory_end_the_session(bounded):
    """A few thousand routes with 64 kB of attributes each are more than their number lets expect."""
    router, _ = bounded
    router.config.peers[0].options = {"families": FAMILIES}
    router.configure()
    router.ctl("reload")
    with Speaker(router.config.bgp_port, "127.0.0.2", seconds=60) as speaker:
        speaker.establish(asn=65002, router_id="192.0.2.2", capabilities=capabilities(65002) + capability(6))
        try:
            for number in range(6000):
                unknown = attribute(0xC0, 99, struct.pack("!I", number) + 60000 * b"x")
                speaker.send(route(f"198.18.{number // 256}.{number % 256}/32", 65002, extra=unknown))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has been told by then
        wait_for("the end", lambda: router.peer("bounded")["admin_down"], WAIT_S)
    assert "take more memory than those of any table" in router.log
    assert "Out of Resources" in router.peer("bounded")["last_down"]
    wait_for("no routes", lambda: not shown(router), WAIT_S)
