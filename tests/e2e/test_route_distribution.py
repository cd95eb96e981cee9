# SPDX-License-Identifier: BSD-3-Clause
"""Unicast and VPN routes handed on: to whom, in which form, and taken back (RFC 4271 5 and 9, 4456, 4364, 2918)."""
import socket
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, attribute, message
from router import Config, Peer, wait_for
from routes_raw import (FAMILIES, HOP, HOP6, MED, NO_ADVERTISE, NO_EXPORT, PREF, THEM, UNICAST, US, VPN, Listener,
                        capabilities, communities, no_route, octets, path, route, vpn_nlri)

def peers():
    def peer(name, number, asn, **options):
        return Peer(name, f"127.0.0.{number}", asn, options={"families": FAMILIES, **options})
    return [peer("external", 2, THEM), peer("silent", 3, 65003), peer("customer", 4, 65004, announce="all"),
            peer("inside", 5, US, announce="all"), peer("rules", 6, US),
            peer("client", 7, US, announce="all", **{"route-reflector-client": True}),
            peer("picky", 8, US, announce="all",
                 export={"prefixes": ["198.18.0.0/16"], "not-communities": ["65001:9"]}),
            peer("kept", 9, 65009, announce="all", **{"next-hop": "unchanged"}),
            peer("self", 10, US, announce="all", **{"next-hop": "self"})]


@pytest.fixture
def network(start):
    """connect(name) gives an established speaker behind one of the peers."""
    entries, speakers = peers(), []
    config = Config(peers=entries)
    router = start(config)

    def connect(name, more=b"", **options):
        peer = next(peer for peer in entries if peer.name == name)
        speaker = Listener(router.config.bgp_port, source=peer.address, seconds=30)
        speakers.append(speaker)
        return speaker.establish(asn=peer.asn, router_id=peer.address.replace("127.0.0", "192.0.2"),
                                 capabilities=capabilities(peer.asn, more), **options)
    yield connect, router
    for speaker in speakers:
        speaker.socket.close()


# conforms: RFC 4271 proves 5-3 5-5 5.1.2-1 5.1.3-1 5.1.5-1 9.1.3-1 9.2-2
def test_inside_a_route_keeps_its_next_hop_and_everything_else(network):
    connect, _ = network
    inside, external = connect("inside"), connect("external")
    inside.until(lambda: len(inside.ended) == 4)
    extra = MED + communities(65001 << 16 | 5) + attribute(0xC0, 99, b"new")
    external.send(route("198.18.0.0/16", extra=extra) + route("2001:db8:7::/48", extra=extra))
    inside.routes("198.18.0.0/16", "2001:db8:7::/48")
    for prefix, hop in (("198.18.0.0/16", HOP), ("2001:db8:7::/48", HOP6)):
        told = inside.known[prefix]
        assert told["hop"] == octets(hop)
        assert told[2] == (0x40, struct.pack("!BBI", 2, 1, THEM)), "RFC 4271 5.1.2: nothing put in front inside"
        assert told[4] == (0x80, struct.pack("!I", 7)) and told[5] == (0x40, struct.pack("!I", 100))
        assert told[8][1] == struct.pack("!I", 65001 << 16 | 5)
        assert told[99] == (0xE0, b"new"), "RFC 4271 5: passed on, with the Partial bit"
    external.send(no_route("198.18.0.0/16") + no_route("2001:db8:7::/48"))
    inside.routes()
    external.send(route("198.18.0.0/16"))
    inside.routes("198.18.0.0/16")
    external.socket.close()
    inside.routes()


# conforms: RFC 4271 proves 5.1.2-2 5.1.3-1 5.1.3-2 5.1.4-2 5.1.5-3
def test_another_as_is_told_of_ourselves_as_the_next_hop(network):
    connect, router = network
    customer, external, silent, kept = connect("customer"), connect("external"), connect("silent"), connect("kept")
    external.send(route("198.18.0.0/16", extra=MED) + route("198.19.0.0/16", extra=communities(NO_EXPORT))
                  + route("198.51.100.0/24", extra=communities(NO_ADVERTISE)) + route("203.0.113.0/24"))
    customer.routes("198.18.0.0/16", "203.0.113.0/24")
    assert router.peer("customer")["routes"]["ipv4-unicast"] == {"received": 0, "accepted": 0, "rejected": 0, "sent": 2}
    assert router.peer("external")["routes"]["ipv4-unicast"] == {"received": 4, "accepted": 4, "rejected": 0, "sent": 0}
    told = customer.known["198.18.0.0/16"]
    assert set(told) - {"hop"} == {1, 2, 3}, "no LOCAL_PREF, and a MED goes no further (RFC 4271 5.1.4, 5.1.5)"
    assert told[2] == (0x40, struct.pack("!BBII", 2, 2, US, THEM)) and told["hop"] == octets("127.0.0.1")
    kept.routes("198.18.0.0/16", "203.0.113.0/24")
    assert kept.known["198.18.0.0/16"]["hop"] == octets(HOP)
    external.until(lambda: len(external.ended) == 4)
    silent.until(lambda: len(silent.ended) == 4)
    assert silent.updates == 0 and external.updates == 0
    inside = connect("inside")
    inside.until(lambda: len(inside.ended) == 4)
    assert set(inside.known) == {"198.18.0.0/16", "198.19.0.0/16", "203.0.113.0/24"}
    own = connect("self")
    own.until(lambda: len(own.ended) == 4)
    assert own.known["198.18.0.0/16"]["hop"] == octets("127.0.0.1")
    rules = connect("rules")
    rules.until(lambda: len(rules.ended) == 4)
    assert not rules.known
    assert router.ask("routes", "198.51.100.0/24"), "it is here, if for nobody else"


# conforms: RFC 4271 proves 9.2-1
# conforms: RFC 4456 proves 6-1 6-2 8-1 8-4 10-1
def test_reflection(network):
    connect, _ = network
    inside, picky, client = connect("inside"), connect("picky"), connect("client")
    inside.send(route("198.18.0.0/16", ases=(), extra=PREF))
    client.routes("198.18.0.0/16")
    told = client.known["198.18.0.0/16"]
    assert told["hop"] == octets(HOP) and told[5][1] == struct.pack("!I", 150)
    assert told[9] == (0x80, octets("192.0.2.5")) and told[10] == (0x80, octets("192.0.2.1"))
    client.send(route("198.18.7.0/24", ases=(), extra=PREF))
    inside.routes("198.18.7.0/24")
    picky.routes("198.18.7.0/24")
    assert not client.known.keys() - {"198.18.0.0/16"}, "not back to where it came from"
    # and not to its originator, whose router it went through
    client.send(route("198.18.8.0/24", ases=(), extra=PREF + attribute(0x80, 9, octets("192.0.2.5"))
                      + attribute(0x80, 10, octets("10.0.0.1"))))
    picky.routes("198.18.7.0/24", "198.18.8.0/24")
    assert picky.known["198.18.8.0/24"][10][1] == octets("192.0.2.1") + octets("10.0.0.1")
    client.send(no_route("198.18.7.0/24") + route("198.18.9.0/24", ases=(), extra=PREF))
    inside.routes("198.18.9.0/24")


# conforms: RFC 4271 proves 5.1.3-3 5.1.3-4 6.3-10 refuses 5.1.3-4 6.3-10
def test_nobody_is_told_to_send_to_itself(network):
    connect, router = network
    inside, external = connect("inside"), connect("external")
    external.send(route("198.18.0.0/16", hop="127.0.0.5"))  # the next hop is the peer that is told
    external.send(route("198.19.0.0/16", hop="127.0.0.1"))  # ourselves
    external.send(route("198.20.0.0/16"))
    inside.routes("198.20.0.0/16")
    assert not router.ask("routes", "198.19.0.0/16")
    assert "routes with our own address 127.0.0.1 as the next hop: ignored" in router.log
    assert router.peer("external")["established_count"] == 1 and router.peer("external")["bad_attributes"] == 1


def test_the_export_filter_looks_at_routes(network):
    connect, router = network
    picky, external = connect("picky"), connect("external")
    external.send(route("198.18.1.0/24") + route("198.19.1.0/24") + route("198.16.0.0/14")
                  + route("198.18.2.0/24", extra=communities(THEM << 16 | 9)) + route("2001:db8:7::/48"))
    picky.routes("198.18.1.0/24")
    external.send(route("198.18.1.0/24", extra=communities(THEM << 16 | 9)) + route("198.18.3.0/24"))
    picky.routes("198.18.3.0/24")
    next(peer for peer in router.config.peers if peer.name == "picky").options["export"] = {
        "prefixes": ["198.19.0.0/16", "2001:db8::/32"]}
    router.configure()
    router.ctl("reload")
    picky.routes("198.19.1.0/24", "2001:db8:7::/48")
    assert router.peer("picky")["established_count"] == 1
    next(peer for peer in router.config.peers if peer.name == "picky").options["announce"] = "rules"
    router.configure()
    router.ctl("reload")
    picky.routes()


def test_a_peer_is_told_routes_from_the_reload_on_that_says_so(network):
    connect, router = network
    rules, external = connect("rules"), connect("external")
    external.send(route("198.18.0.0/16"))
    rules.until(lambda: len(rules.ended) == 4)
    wait_for("the route", lambda: router.ask("routes"), 30)
    next(peer for peer in router.config.peers if peer.name == "rules").options["announce"] = "all"
    router.configure()
    router.ctl("reload")
    rules.routes("198.18.0.0/16")
    external.send(route("198.19.0.0/16") + no_route("198.18.0.0/16"))
    rules.routes("198.19.0.0/16")
    assert router.peer("rules")["established_count"] == 1 and len(rules.ended) == 4, "RFC 4724 2: each End-of-RIB once"


def test_the_best_path_is_told_and_the_next_best_after_it(network):
    connect, _ = network
    inside, external, silent = connect("inside"), connect("external"), connect("silent")
    external.send(route("198.18.0.0/16", ases=(THEM, 65010)))
    inside.routes("198.18.0.0/16")
    silent.send(route("198.18.0.0/16", ases=(65003,), hop="192.0.2.3"))
    inside.until(lambda: inside.known["198.18.0.0/16"]["hop"] == octets("192.0.2.3"))
    silent.socket.close()
    inside.until(lambda: inside.known["198.18.0.0/16"]["hop"] == octets(HOP))
    assert inside.updates == 3


# conforms: RFC 4271 proves 9.2-3
def test_what_looks_the_same_from_outside_is_not_told_again(network):
    """Another AS sees neither our MED nor LOCAL_PREF nor the next hop, and so nothing of most changes."""
    connect, router = network
    customer, inside, own = connect("customer"), connect("inside"), connect("self")
    customer.until(lambda: len(customer.ended) == 4)

    def both(extra=b"", hop=HOP):
        reach = bgp.mp_reach(IPV4, bgp.host_rule("203.0.113.7"))
        rule = attribute(0x40, 1, b"\0") + path(THEM) + attribute(0xC0, 16, bgp.DISCARD) + extra + reach
        return route("198.18.0.0/16", extra=extra, hop=hop) + message(bgp.UPDATE, bgp.update_body(rule))

    def best(source, pref):
        def there():
            found = router.ask("routes", "198.18.0.0/16")
            return found and (found[0]["paths"][0]["peer"], found[0]["paths"][0]["local_pref"]) == (source, pref)
        wait_for("the change", there, 30)

    def local_pref(value):
        return attribute(0x40, 5, struct.pack("!I", value))
    inside.send(both(local_pref(150)))
    customer.until(lambda: len(customer.known) == 2)
    assert customer.updates == 2
    inside.send(both(local_pref(160) + MED, hop="192.0.2.77"))  # other attributes
    best("inside", 160)
    own.send(both(local_pref(170)))  # another path
    best("self", 170)
    own.socket.close()
    best("inside", 160)
    inside.send(route("198.19.0.0/16", extra=PREF))
    customer.until(lambda: "198.19.0.0/16" in customer.known)
    assert customer.updates == 3, "RFC 4271 9.2"
    inside.send(both(local_pref(160) + communities(THEM << 16 | 5)))
    customer.until(lambda: all(8 in customer.known[key] for key in customer.known if key != "198.19.0.0/16"))
    assert customer.updates == 5
    # asked for, it is said as it is
    customer.send(message(bgp.ROUTE_REFRESH, struct.pack("!HBB", IPV4, 0, UNICAST)))
    customer.until(lambda: customer.updates >= 7)


def numbered(count, start=0):
    return [f"198.{18 + i // 65536}.{i // 256 % 256}.{i % 256}/32" for i in range(start, start + count)]


def parts(prefixes, count=700):
    return [prefixes[i:i + count] for i in range(0, len(prefixes), count)]


@pytest.mark.parametrize("extended", [False, True], ids=["4096", "65535"])
def test_updates_are_packed_to_the_negotiated_size(network, extended):
    """Two attribute sets that alternate: as many messages as the two would need by themselves, whatever their order."""
    connect, router = network
    external = connect("external")
    ours = numbered(12000)
    for part in parts(ours, 40):
        external.send(route(*part[0::2]) + route(*part[1::2], extra=MED))
    wait_for("all routes", lambda: router.ask("routes", ours[-1]), 30)
    inside = connect("inside", more=bgp.capability(6) if extended else b"")
    inside.until(lambda: (IPV4, UNICAST) in inside.ended)
    assert len(inside.known) == len(ours)
    room = (65535 if extended else 4096) - 19 - 4
    attributes = {MED: 4 + 9 + 7 + 7 + 7, b"": 4 + 9 + 7 + 7}  # ORIGIN, AS_PATH, NEXT_HOP, LOCAL_PREF, MED
    assert inside.updates == sum(-(-6000 // ((room - size) // 5)) for size in attributes.values())
    assert inside.largest <= room + 23 and (extended or inside.largest > 4096 - 5)
    before = inside.updates
    external.send(b"".join(no_route(*part) for part in parts(ours)))
    inside.routes()
    assert router.peer("inside")["established_count"] == 1 and inside.updates > before


def test_route_refresh_says_everything_again(network):
    connect, _ = network
    external, inside = connect("external"), connect("inside", more=bgp.capability(70))
    external.send(route("198.18.0.0/16", "198.19.0.0/16"))
    inside.routes("198.18.0.0/16", "198.19.0.0/16")
    inside.known.clear()
    inside.send(10 * message(bgp.ROUTE_REFRESH, struct.pack("!HBB", IPV4, 0, UNICAST)))
    inside.until(lambda: 2 in inside.refreshes)
    assert set(inside.known) == {"198.18.0.0/16", "198.19.0.0/16"}
    if inside.refreshes[-1] == 1:
        inside.until(lambda: inside.refreshes[-1] == 2)
    assert inside.refreshes == [1, 2] * (len(inside.refreshes) // 2)
    # a peer that is told no routes is told that it has them all
    silent = connect("silent", more=bgp.capability(70))
    silent.send(message(bgp.ROUTE_REFRESH, struct.pack("!HBB", IPV4, 0, UNICAST)))
    silent.until(lambda: silent.refreshes == [1, 2])


def test_vpn_routes_are_handed_on_with_their_label_where_their_next_hop_stays(network):
    connect, router = network
    inside, customer, client, kept, own = (connect(name) for name in ("inside", "customer", "client", "kept", "self"))

    def vpn(*entries):
        reach = struct.pack("!HBB", IPV4, VPN, 12) + 8 * b"\0" + octets(HOP) + b"\0" + b"".join(entries)
        attributes = attribute(0x40, 1, b"\0") + path() + PREF + attribute(0x80, 14, reach)
        return message(bgp.UPDATE, bgp.update_body(attributes))
    client.send(vpn(vpn_nlri("10.0.0.0/8"), vpn_nlri("10.1.0.0/16", 200), vpn_nlri("10.0.0.0/8", 300, 8 * "01")))
    one, two, three = ((88 + length, bytes.fromhex(rd) + octets(address)[:length // 8]) for address, length, rd in (
        ("10.0.0.0", 8, "00000000fde80001"), ("10.1.0.0", 16, "00000000fde80001"), ("10.0.0.0", 8, 8 * "01")))
    inside.routes(one, two, three)
    assert inside.known[one]["hop"] == 8 * b"\0" + octets(HOP)
    assert [inside.known[key]["label"] for key in (one, two, three)] == [
        struct.pack("!I", label << 4 | 1)[1:] for label in (100, 200, 300)]
    assert inside.updates == 1  # labels are no attributes: one message has room for many
    client.send(vpn(vpn_nlri("10.1.0.0/16", 201)))  # the same route with another label
    inside.until(lambda: inside.known[two]["label"] == struct.pack("!I", 201 << 4 | 1)[1:])
    gone = struct.pack("!HB", IPV4, VPN) + vpn_nlri("10.1.0.0/16", 0x80000)
    client.send(message(bgp.UPDATE, bgp.update_body(attribute(0x80, 15, gone))))
    inside.routes(one, three)
    # to another AS with the next hop whose label it is, or not at all (RFC 4364 10)
    kept.routes(one, three)
    assert kept.known[one]["hop"] == 8 * b"\0" + octets(HOP) and kept.known[one]["label"] == inside.known[one]["label"]
    assert kept.known[one][2] == (0x40, struct.pack("!BBI", 2, 1, US)) and 9 not in kept.known[one]
    for listener, name in ((customer, "customer"), (own, "self")):
        listener.until(lambda: len(listener.ended) == 4)
        assert not listener.known
        assert f"peer {name} is told no routes of ipv4-vpn" in router.log


def test_a_peer_that_does_not_read_holds_up_nobody(network):
    """60,000 routes that change under a peer that sleeps: it gets the newest state, the other one all at once."""
    connect, router = network
    external, awake = connect("external"), connect("inside")
    sleeper = connect("self")
    sleeper.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    ours = numbered(60000)
    external.send(b"".join(route(*part) for part in parts(ours)))
    awake.until(lambda: len(awake.known) == len(ours))
    external.send(b"".join(no_route(*part) for part in parts(ours[:-5000])))
    awake.until(lambda: len(awake.known) == 5000)
    for med in range(20):
        external.send(b"".join(route(*part, extra=attribute(0x80, 4, struct.pack("!I", med)))
                               for part in parts(ours[-5000:])))
    awake.until(lambda: awake.known[ours[-1]].get(4) == (0x80, struct.pack("!I", 19)))
    sleeper.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sleeper.until(lambda: len(sleeper.known) == 5000 and sleeper.known[ours[-1]].get(4)
                  == (0x80, struct.pack("!I", 19)))
    assert router.peer("self")["established_count"] == router.peer("inside")["established_count"] == 1
