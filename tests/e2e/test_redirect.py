# SPDX-License-Identifier: BSD-3-Clause
"""Redirects on routed ports: to the VRF that imports the target, in its four forms; to an address of either family, the
packet or a copy of it; and what has nowhere to go."""
import pytest
from frames import Dot1Q, Ether
from routed import GATEWAY, GATEWAY2, HOST, LAN, Routed, play
from router import Router, wait_for
from test_routing import SOURCE, TO, UP, VLAN_NEIGHBORS, VLANS, out, v4, v6

TARGETS = ["65000:100", "192.0.2.1:100", "4200000000L:100", "[2001:db8::1]:100"]
TO_HOST, TO_HOST6 = "match destination 203.0.113.7/32", "match destination 2001:db8:7::7/128"


@pytest.fixture
def route(tmp_path):
    return lambda frames, **options: play(tmp_path, frames, **options)


@pytest.mark.parametrize("copy", [False, True])
def test_redirect_ip_of_both_families(route, copy):
    word = " copy" if copy else ""
    run = route([v4(), v6()], rules=[f"{TO_HOST} then redirect-ip 203.0.113.254{word}",
                                     f"{TO_HOST6} then redirect-ip 2001:db8:7::fe{word}"])
    there = [v4(ttl=63, ether=out(GATEWAY)), v6(hlim=63, ether=out(GATEWAY))]
    here = [v4(ttl=63, ether=out()), v6(hlim=63, ether=out())]
    assert run.lan == (here + there if copy else there)
    assert run.stats["originated_packets"] == (2 if copy else 0)
    assert run.drops == {}


def test_a_copy_of_what_comes_in_by_a_sub_port(route):
    run = route([], back=[v4(SOURCE, src=TO, ether=Ether(dst=LAN, src=HOST) / Dot1Q(vlan=100))], ports=VLANS,
                neighbors=VLAN_NEIGHBORS, extra="guard: {max-drop-share: 100, sample: 1}\n",
                rules=[f"match destination {SOURCE}/32 then redirect-ip 192.0.2.7 copy"])
    assert run.up == [v4(SOURCE, 63, TO, Ether(dst=HOST, src=UP))]
    assert run.lan == [v4(SOURCE, 63, TO, out(GATEWAY) / Dot1Q(vlan=200))]
    assert run.stats["originated_packets"] == 1


def test_the_first_redirect_counts_and_a_mark_goes_along(route):
    run = route([v4()], rules=[f"{TO_HOST} protocol =udp then redirect-ip 203.0.113.254 continue",
                               f"{TO_HOST} then mark 46 redirect-ip 203.0.113.253 copy continue",
                               "match protocol =udp then redirect-ip 203.0.113.253"])
    assert run.lan == [v4(ttl=63, tos=46 << 2, ether=out(GATEWAY)), v4(ttl=63, tos=46 << 2, ether=out(GATEWAY2))]


def test_a_later_discard_wins_over_a_redirect_and_its_copy(route):
    run = route([v4()], rules=[f"{TO_HOST} protocol =udp then redirect-ip 203.0.113.254 copy continue",
                               f"{TO_HOST} then discard"])
    assert run.lan == []
    assert run.drops == {"flowspec_discard": 1}


def test_a_copy_whose_ttl_has_run_out_is_dropped_as_one_that_was_made_here(route):
    run = route([v4(ttl=1)], rules=[f"{TO_HOST} then redirect-ip 203.0.113.254 copy"])
    assert run.drops["ttl_expired"] == 2
    assert len(run.up) == 1  # the source is told of the original alone


def test_an_address_without_a_route_is_as_if_it_were_absent(route):
    run = route([v4()], rules=[f"{TO_HOST} then redirect-ip 192.0.2.9"])
    assert run.lan == [v4(ttl=63, ether=out())]
    (rule,) = run.stats["rules"]
    assert rule["state"] == "active"
    assert rule["reason"] == \
        "redirect-unresolved: no route to 192.0.2.9, so packets go on as without redirect-ip"


@pytest.mark.parametrize("target", TARGETS)
def test_redirect_to_the_vrf_that_imports_the_target(route, target):
    """The VRF has no way out, so what comes into it is dropped there: it did not go by the default table."""
    run = route([v4(), v6()], vrfs=[{"name": "other", "rt-import": ["65000:1"]},
                                    {"name": "scrub", "rt-import": ["65000:2", target]}],
                routes=[{"prefix": "203.0.113.0/24", "blackhole": True, "vrf": "scrub"}],
                rules=[f"{TO_HOST} then redirect {target}", f"{TO_HOST6} then redirect {target}"])
    assert run.lan == []
    assert run.drops == {"blackhole": 1, "no_route": 1}
    assert all(rule["reason"] == "" for rule in run.stats["rules"])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_no_vrf_imports(route, target):
    run = route([v4()], vrfs=[{"name": "scrub", "rt-import": ["65000:101"]}],
                rules=[f"{TO_HOST} then redirect {target}"])
    assert run.lan == [v4(ttl=63, ether=out())]
    (rule,) = run.stats["rules"]
    assert rule["reason"] == f"redirect-unresolved: no VRF imports {target}, so packets go on as without redirect"


def test_the_reason_follows_the_routes(tmp_path):
    config = Routed(rules=[f"{TO_HOST} then redirect-ip 192.0.2.9"])
    with Router(tmp_path, config) as router:
        assert router.ask("rules")[0]["reason"].startswith("redirect-unresolved")
        config.routes = [{"prefix": "192.0.2.0/24", "via": "203.0.113.254"}]
        router.configure()
        router.ctl("reload")
        wait_for("the redirect is resolved", lambda: router.ask("rules")[0]["reason"] == "", 30)
        config.routes = []
        router.configure()
        router.ctl("reload")
        wait_for("it is not any more", lambda: router.ask("rules")[0]["reason"] != "", 30)
