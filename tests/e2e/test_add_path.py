# SPDX-License-Identifier: BSD-3-Clause
"""Several paths of one prefix or rule: RFC 7911."""
import struct

import bgp_raw as bgp
import pytest
from bgp_raw import IPV4, IPV6, attribute, host_rule, message
from router import Config, Peer, wait_for
from routes_raw import AFI_SAFI, FAMILIES, HOP, MED, THEM, UNICAST, US, Listener, capabilities, nlri, octets, path

RECEIVE, SEND, BOTH = 1, 2, 3
WAIT_S = 30


def add_path(what, families=AFI_SAFI):
    return bgp.capability(69, b"".join(struct.pack("!HBB", *family, what) for family in families))


def told(prefix, path_id, ases=(THEM,), extra=b""):
    attributes = attribute(0x40, 1, b"\0") + path(*ases)
    body = struct.pack("!I", path_id) + nlri(prefix)
    if ":" in prefix:
        reach = struct.pack("!HBB", IPV6, UNICAST, 16) + octets("2001:db8::9") + b"\0" + body
        return message(bgp.UPDATE, bgp.update_body(attributes + extra + attribute(0x80, 14, reach)))
    return message(bgp.UPDATE, bgp.update_body(attributes + attribute(0x40, 3, octets(HOP)) + extra, nlri=body))


def gone(prefix, path_id):
    return message(bgp.UPDATE, bgp.update_body(b"", withdrawn=struct.pack("!I", path_id) + nlri(prefix)))


def rule(nlri_octets, path_id, communities=bgp.DISCARD):
    return message(bgp.UPDATE, bgp.update_body(bgp.usual_attributes(THEM, communities) + bgp.mp_reach(
        IPV4, struct.pack("!I", path_id) + nlri_octets)))


@pytest.fixture
def network(start):
    def peer(name, number, asn, **options):
        return Peer(name, f"127.0.0.{number}", asn, options={"families": FAMILIES, "announce": "all", **options})
    peers = [peer("many", 2, THEM, **{"add-path": "receive"}), peer("other", 3, 65003),
             peer("all", 4, US, **{"add-path": "both"}), peer("best", 5, US),
             peer("client", 6, US, **{"add-path": "send", "route-reflector-client": True})]
    router = start(Config(peers=peers))
    speakers = []

    def connect(name, more=b""):
        entry = next(peer for peer in peers if peer.name == name)
        speaker = Listener(router.config.bgp_port, source=entry.address, seconds=30)
        speakers.append(speaker)
        return speaker.establish(asn=entry.asn, router_id=entry.address.replace("127.0.0", "192.0.2"),
                                 capabilities=capabilities(entry.asn, more))
    yield connect, router
    for speaker in speakers:
        speaker.socket.close()


def paths(router, prefix):
    routes = router.ask("routes", prefix)
    return [(entry["peer"], entry.get("path_id", 0)) for entry in routes[0]["paths"]] if routes else []


def lengths(listener):
    """Of each prefix: how many ASes each path has; path ids are the router's own to choose."""
    found = {}
    for (prefix, _), attributes in listener.known.items():
        found.setdefault(prefix, []).append(attributes[2][1][1] if attributes[2][1] else 0)
    return {prefix: sorted(ases) for prefix, ases in found.items()}


# conforms: RFC 7911 proves 3-1 5-1 5-2 5-3 refuses 5-1
def test_paths_are_kept_apart_by_their_id(network):
    connect, router = network
    many = connect("many", add_path(BOTH))
    many.send(told("198.18.0.0/16", 7, (THEM, 65010)) + told("198.18.0.0/16", 0) + told("2001:db8:7::/48", 9)
              + told("2001:db8:7::/48", 8))
    wait_for("all paths", lambda: len(paths(router, "2001:db8:7::/48")) == 2, WAIT_S)
    assert paths(router, "198.18.0.0/16") == [("many", 0), ("many", 7)]
    assert paths(router, "2001:db8:7::/48") == [("many", 8), ("many", 9)], "of equal ones the lower id"
    assert router.peer("many")["routes"]["ipv4-unicast"]["accepted"] == 2
    many.send(told("198.18.0.0/16", 7))  # replaced
    many.send(gone("198.18.0.0/16", 3))  # never seen: ignored
    many.send(gone("198.18.0.0/16", 0) + told("198.19.0.0/16", 1))
    wait_for("the mark", lambda: paths(router, "198.19.0.0/16"), WAIT_S)
    assert paths(router, "198.18.0.0/16") == [("many", 7)]
    assert router.ask("routes", "198.18.0.0/16")[0]["paths"][0]["as_path"] == "65001"
    assert "add-path-receive" in router.peer("many")["capabilities_sent"]
    assert {"add-path-receive", "add-path-send"} <= set(router.peer("many")["capabilities_received"])
    many.socket.close()
    wait_for("nothing", lambda: not router.ask("routes"), WAIT_S)


# conforms: RFC 7911 proves 4-1
@pytest.mark.parametrize("offer", [b"", add_path(RECEIVE), add_path(0), add_path(4), bgp.capability(69, b"\0\1\1"),
                                   add_path(SEND, [(IPV6, UNICAST)])],
                         ids=["none", "receive", "0", "4", "cut", "another-family"])
def test_without_an_agreement_nlri_are_as_ever(network, offer):
    connect, router = network
    many = connect("many", offer)
    attributes = attribute(0x40, 1, b"\0") + path(THEM) + attribute(0x40, 3, octets(HOP))
    many.send(message(bgp.UPDATE, bgp.update_body(attributes, nlri=nlri("198.18.0.0/16"))))
    wait_for("the route", lambda: paths(router, "198.18.0.0/16") == [("many", 0)], WAIT_S)


def test_an_id_that_is_cut_off_ends_the_session(network):
    connect, router = network
    many = connect("many", add_path(SEND))
    attributes = attribute(0x40, 1, b"\0") + path(THEM) + attribute(0x40, 3, octets(HOP))
    many.send(message(bgp.UPDATE, bgp.update_body(attributes, nlri=b"\0\0\0\1\x10\xc6\x12\0\0\0")))
    assert many.notification() == (3, 10), "RFC 7606 5.3: Invalid Network Field"
    assert router.peer("many")["established_count"] == 1


def test_rules_have_paths_too(network):
    connect, router = network
    many, best, every = connect("many", add_path(BOTH)), connect("best"), connect("all", add_path(BOTH))
    every.add_path = True
    discard, limit = bgp.DISCARD, bytes.fromhex("800600004abebc20")  # 6250000 octets/s
    many.send(rule(host_rule("203.0.113.7"), 5, limit) + rule(host_rule("203.0.113.7"), 3, discard))
    wait_for("the lower id", lambda: [r["actions"] for r in router.ask("rules")] == [["discard"]], WAIT_S)
    best.routes(host_rule("203.0.113.7"))
    every.routes(struct.pack("!I", 1) + host_rule("203.0.113.7"))  # one path of a rule, the best, with an id
    assert every.known[struct.pack("!I", 1) + host_rule("203.0.113.7")][16][1] == discard
    many.send(message(bgp.UPDATE, bgp.update_body(bgp.mp_unreach(
        IPV4, struct.pack("!I", 3) + host_rule("203.0.113.7")))))
    wait_for("the other", lambda: [r["actions"] for r in router.ask("rules")] == [["rate-limit 50mbps"]], WAIT_S)
    every.until(lambda: [a[16][1] for a in every.known.values()] == [limit])
    many.send(message(bgp.UPDATE, bgp.update_body(bgp.mp_unreach(
        IPV4, struct.pack("!I", 5) + host_rule("203.0.113.7")))))
    every.routes()
    wait_for("no rule", lambda: not router.ask("rules"), WAIT_S)


# conforms: RFC 7911 proves 2-1 2-2 3-1 5-2 5-3 5-4
def test_every_path_is_sent_to_whom_that_is_agreed_with(network):
    connect, router = network
    every, best, many, other = connect("all", add_path(RECEIVE)), connect("best"), connect("many", add_path(SEND)), \
        connect("other")
    every.add_path = True
    many.send(told("198.18.0.0/16", 7, (THEM, 65010)) + told("198.18.0.0/16", 8) + told("2001:db8:7::/48", 1))
    attributes = attribute(0x40, 1, b"\0") + path(65003, 65010, 65011) + attribute(0x40, 3, octets("192.0.2.3"))
    other.send(message(bgp.UPDATE, bgp.update_body(attributes, nlri=nlri("198.18.0.0/16"))))
    every.until(lambda: lengths(every) == {"198.18.0.0/16": [1, 2, 3], "2001:db8:7::/48": [1]})
    best.routes("198.18.0.0/16", "2001:db8:7::/48")
    assert best.known["198.18.0.0/16"][2][1][1] == 1
    assert len(set(every.known)) == 4 and all(path_id != 0 for _, path_id in every.known)
    ids = {attributes[2][1][1]: path_id for (prefix, path_id), attributes in every.known.items() if "198" in prefix}
    many.send(told("198.18.0.0/16", 7, (THEM, 65010), MED))
    every.until(lambda: 4 in every.known["198.18.0.0/16", ids[2]])  # the same path: the id stays
    many.send(gone("198.18.0.0/16", 8))
    every.until(lambda: lengths(every) == {"198.18.0.0/16": [2, 3], "2001:db8:7::/48": [1]})
    best.until(lambda: best.known["198.18.0.0/16"][2][1][1] == 2)
    many.socket.close()
    every.until(lambda: lengths(every) == {"198.18.0.0/16": [3]})
    assert router.peer("all")["routes"]["ipv4-unicast"]["sent"] == 1
    # an internal peer's own paths do not come back to it; a client's go to the other internal peers
    client = connect("client", add_path(RECEIVE))
    client.add_path = True
    client.until(lambda: lengths(client) == {"198.18.0.0/16": [3]})
    own = attribute(0x40, 1, b"\0") + path() + attribute(0x40, 5, struct.pack("!I", 90))
    client.send(message(bgp.UPDATE, bgp.update_body(own + attribute(0x40, 3, octets(HOP)), nlri=nlri("198.20.0.0/16"))))
    every.until(lambda: "198.20.0.0/16" in {prefix for prefix, _ in every.known})
    assert set(lengths(client)) == {"198.18.0.0/16"}
