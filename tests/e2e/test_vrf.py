# SPDX-License-Identifier: BSD-3-Clause
"""Rules of SAFI 134 and routes of SAFI 128 in VRFs that have the same prefixes (RFC 8955 8, RFC 4364)."""
import socket

import pytest
from routed import GATEWAY, GATEWAY2
from router import Peer
from vrfs import TARGETS, VICTIM, VICTIM6, VRFS, Lab, forwarded, frame, neighbors, no_route, no_rule, route, rule

BEHIND, BEHIND6 = "10.20.0.9", "2001:db8:ffff::9"


@pytest.fixture
def lab(tmp_path):
    labs = []

    def make(*args, **options):
        labs.append(Lab(tmp_path, *args, **options))
        return labs[-1]

    yield make
    for each in labs:
        each.end()


def passes(*vrfs, dst=VICTIM):
    return {vrf: [forwarded(dst)] if vrf in vrfs else [] for vrf in VRFS}


# conforms: RFC 8955 proves 8-2
@pytest.mark.parametrize("dst, prefix", [(VICTIM, "203.0.113.7/32"), (VICTIM6, "2001:db8:7::7/128")])
def test_a_vpn_rule_bites_in_the_vrf_that_imports_it_alone(lab, dst, prefix):
    here = lab({vrf: [frame(dst)] for vrf in VRFS})
    here.speak().send(rule(prefix, TARGETS["red"]))
    told = here.wait_rule(state="active")
    assert (told["vrf"], told["rd"], told["route_targets"]) == ("red", "65000:1", ["65000:1"])
    assert "vrf red: rd 65000:1 destination" in here.router.ctl("rules")
    assert here.forward() == (passes("default", "blue", dst=dst), {"flowspec_discard": 1})
    assert here.stats["rules"][0]["dropped_packets"] == 1


def test_a_rule_of_safi_133_is_for_the_default_vrf(lab):
    here = lab({vrf: [frame()] for vrf in VRFS}, rules=[f"match destination {VICTIM}/32 then discard"])
    assert here.wait_rule(state="active")["vrf"] == "default"
    assert here.forward() == (passes("red", "blue"), {"flowspec_discard": 1})


def test_two_targets_two_vrfs_one_count(lab):
    here = lab({vrf: [frame()] for vrf in VRFS})
    here.speak().send(rule("203.0.113.7/32", "65000:9", *TARGETS.values()))
    assert here.wait_rule(state="active")["vrf"] == "red,blue"
    assert here.forward() == (passes("default"), {"flowspec_discard": 2})
    assert here.stats["rules"][0]["dropped_packets"] == 2


def test_other_targets_move_the_rule_and_a_withdrawal_lifts_it(lab):
    here = lab({vrf: [frame()] for vrf in VRFS})
    peer = here.speak()
    peer.send(rule("203.0.113.7/32", TARGETS["red"]) + rule("203.0.113.8/32", TARGETS["red"]))
    here.wait_rule(1, state="active")
    peer.send(rule("203.0.113.7/32", TARGETS["blue"]) + no_rule("203.0.113.8/32"))
    here.wait_rule(vrf="blue")
    assert len(here.router.ask("rules")) == 1
    assert here.forward() == (passes("default", "red"), {"flowspec_discard": 1})


def test_the_same_match_of_two_distinguishers(lab):
    here = lab({vrf: [frame()] for vrf in VRFS})
    peer = here.speak()
    peer.send(rule("203.0.113.7/32", TARGETS["red"], number=1, actions=b"")
              + rule("203.0.113.7/32", *TARGETS.values(), number=2))
    here.wait_rule(1, state="active")
    assert [each["rd"] for each in here.router.ask("rules")] == ["65000:1", "65000:2"]
    # in red the lower distinguisher is asked first, and accepts
    assert here.forward() == (passes("default", "red"), {"flowspec_discard": 1})


# conforms: RFC 8955 refuses 8-2
def test_no_vrf_imports_it(lab):
    here = lab({"red": [frame()]})
    here.speak().send(rule("203.0.113.7/32", "65000:77") + rule("203.0.113.8/32"))
    assert here.wait_rule(state="not-imported")["reason"] == "no-vrf: no VRF here has rt-import for 65000:77"
    told = here.wait_rule(1, state="not-imported")
    assert told["reason"].startswith("no-vrf:") and told["vrf"] == "" and told["route_targets"] == []
    assert here.forward() == (passes("red"), {})


def test_rules_of_the_router_itself_name_a_vrf_by_their_distinguisher(lab):
    here = lab({vrf: [frame()] for vrf in VRFS}, rules=[f"match rd 65000:2 destination {VICTIM}/32 then discard"])
    assert here.wait_rule(state="active")["vrf"] == "blue"
    here.router.ctl("rule", "check", f"match rd 65000:1 destination {VICTIM}/32 then discard")
    checked = here.router.ask("rule", "check", f"match rd 65000:7 destination {VICTIM}/32 then discard")
    assert checked["reason"] == "no-vrf: no VRF here has rt-import for 65000:7"
    assert here.forward() == (passes("default", "red"), {"flowspec_discard": 1})


def test_reload_imports_again(lab):
    here = lab({"red": [frame(), frame(BEHIND)], "blue": [frame(), frame(BEHIND)]})
    peer = here.speak()
    peer.send(rule("203.0.113.7/32", TARGETS["red"]) + route("10.20.0.0/16", "203.0.113.254", TARGETS["red"]))
    here.wait_rule(vrf="red")
    here.route_there("10.20.0.0/16")
    here.reload({"red": "65000:5", "blue": ["65000:5", "65000:1"]})
    here.wait_rule(vrf="blue")
    out, drops = here.forward()
    assert out == {"default": [], "red": [forwarded()], "blue": [forwarded(BEHIND, GATEWAY)]}
    assert drops == {"flowspec_discard": 1, "no_route": 1}


# conforms: RFC 8955 proves 8-3 refuses 8-3
def test_a_vpn_rule_is_judged_by_the_routes_of_its_vrf(lab):
    here = lab({"red": [frame()]}, validation="rfc9117")
    peer = here.speak()
    peer.send(rule("203.0.113.7/32", TARGETS["red"]))
    told = here.wait_rule(state="rejected")
    assert told["reason"].startswith("infeasible: in VRF red: no unicast route covers 203.0.113.7/32")
    # a route of another VRF does not bear it out, one of its own does
    peer.send(route("203.0.113.0/24", "203.0.113.254", TARGETS["blue"], number=2))
    here.route_there("203.0.113.0/24")
    peer.send(route("203.0.112.0/23", "203.0.113.254", TARGETS["red"]))
    here.wait_rule(state="active", vrf="red")
    peer.send(no_route("203.0.112.0/23"))
    here.wait_rule(state="rejected", vrf="")
    assert here.forward() == (passes("red"), {})


# conforms: RFC 8955 proves 8-3
def test_a_rule_of_a_remote_pe_is_accepted(lab):
    inner = Peer("inner", "127.0.0.2", 65000, options={"families": ["ipv4-flowspec-vpn"]}, validation="rfc9117")
    here = lab({"red": [frame()]}, validation="rfc9117", peers=[inner])
    here.speak(65000, "127.0.0.2", "192.0.2.102").send(rule("203.0.113.7/32", TARGETS["red"], asn=65009))
    assert here.wait_rule(state="active")["vrf"] == "red"
    assert here.forward() == (passes(), {"flowspec_discard": 1})


def test_feasible_in_one_vrf_and_not_in_the_other(lab):
    other = Peer("other", "127.0.0.2", 65002, options={"families": ["ipv4-vpn"]}, validation="rfc9117")
    here = lab({vrf: [frame()] for vrf in VRFS}, validation="rfc9117", peers=[other])
    here.speak().send(route("203.0.113.0/24", "203.0.113.254", TARGETS["red"])
                      + rule("203.0.113.7/32", *TARGETS.values()))
    here.wait_rule(vrf="red")
    theirs = here.speak(65002, "127.0.0.2", "192.0.2.102")
    theirs.send(route("203.0.113.0/24", "203.0.113.254", TARGETS["blue"], number=2, asn=65002))
    here.route_there("203.0.113.0/24")
    here.wait_rule(vrf="red", state="active")
    # another neighbour's more specific route ends it in red, too
    theirs.send(route("203.0.113.7/32", "203.0.113.254", TARGETS["red"], number=3, asn=65002))
    told = here.wait_rule(vrf="", state="rejected")
    assert "in VRF red" in told["reason"], told
    out, drops = here.forward()
    assert out == {**passes("default", "blue"), "red": [forwarded(mac=GATEWAY)]} and drops == {}


def test_labelled_routes_lead_in_the_vrfs_that_import_them(lab):
    here = lab({vrf: [frame(BEHIND), frame(BEHIND6)] for vrf in VRFS})
    here.speak().send(route("10.20.0.0/16", "203.0.113.254", TARGETS["red"])
                      + route("2001:db8:ffff::/48", "2001:db8:7::fe", TARGETS["blue"], number=2))
    here.route_there("2001:db8:ffff::/48")
    out, drops = here.forward()
    assert out == {"default": [], "red": [forwarded(BEHIND, GATEWAY)], "blue": [forwarded(BEHIND6, GATEWAY)]}
    assert drops == {"no_route": 4}


def test_a_peer_whose_routes_are_not_installed(lab):
    other = Peer("other", "127.0.0.2", 65002, options={"families": ["ipv4-vpn"], "install-routes": False})
    here = lab({"red": [frame(BEHIND)]}, peers=[other])
    theirs = here.speak(65002, "127.0.0.2", "192.0.2.102")
    theirs.send(route("10.20.0.0/16", "203.0.113.254", TARGETS["red"], asn=65002))
    here.route_there("10.20.0.0/16")
    out, drops = here.forward()
    assert (out["red"], drops) == ([], {"no_route": 1})


def test_of_two_distinguishers_the_better_path_and_then_the_other(lab):
    other = Peer("inner", "127.0.0.2", 65000, options={"families": ["ipv4-vpn"]})
    here = lab({"red": [frame(BEHIND)]}, peers=[other])
    outer, inner = here.speak(), here.speak(65000, "127.0.0.2", "192.0.2.102")
    outer.send(route("10.20.0.0/16", "203.0.113.254", TARGETS["red"], number=1))
    inner.send(route("10.20.0.0/16", "203.0.113.7", TARGETS["red"], number=2, pref=200))
    def hop():
        return [each["paths"][0]["next_hop"] for each in here.router.ask("routes") if each["paths"]]
    here.route_there("10.20.0.0/16")
    assert set(hop()) <= {"203.0.113.254", "203.0.113.7"}
    inner.send(no_route("10.20.0.0/16", 2) + route("10.21.0.0/16", "203.0.113.7", "65000:77", number=2, pref=1))
    here.route_there("10.21.0.0/16")
    out, drops = here.forward()
    assert (out["red"], drops) == ([forwarded(BEHIND, GATEWAY)], {})


def to_address(address):
    return bytes.fromhex("010c") + socket.inet_aton(address) + b"\0\0"


def test_redirect_to_an_address_is_looked_up_in_each_vrf(lab):
    others = [{**each, "mac": GATEWAY2} if each["port"] == "lan-blue" and each["mac"] == GATEWAY else each
              for each in neighbors()]
    here = lab({vrf: [frame()] for vrf in VRFS}, neighbors=others)
    here.speak().send(rule("203.0.113.7/32", *TARGETS.values(), actions=to_address("203.0.113.254")))
    assert here.wait_rule(state="active")["reason"] == ""
    out, drops = here.forward()
    assert out == {"default": [forwarded()], "red": [forwarded(mac=GATEWAY)], "blue": [forwarded(mac=GATEWAY2)]}
    assert drops == {}


def test_an_address_that_one_vrf_alone_reaches(lab):
    routes = [{"prefix": "192.0.2.0/24", "via": "203.0.113.254", "vrf": "blue"}]
    here = lab({vrf: [frame()] for vrf in VRFS}, routes=routes)
    here.speak().send(rule("203.0.113.7/32", *TARGETS.values(), actions=to_address("192.0.2.9")))
    assert here.wait_rule(state="active")["reason"] == (
        "redirect-unresolved: no route to 192.0.2.9 in VRF red, so packets go on there as without redirect-ip")
    out, drops = here.forward()
    assert out == {"default": [forwarded()], "red": [forwarded()], "blue": [forwarded(mac=GATEWAY)]} and drops == {}


def test_explain_knows_vrfs(lab):
    here = lab({"red": [frame()]})
    here.speak().send(rule("203.0.113.7/32", TARGETS["red"]))
    here.wait_rule(state="active")
    words = f"source 198.51.100.2 destination {VICTIM} protocol udp source-port 1 destination-port 2"
    verdicts = {vrf: here.router.ask("explain", "--in", f"up-{vrf}", words)["verdict"]["verdict"] for vrf in VRFS}
    assert verdicts == {"default": "forward", "red": "drop", "blue": "forward"}
