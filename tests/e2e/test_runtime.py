# SPDX-License-Identifier: BSD-3-Clause
"""Rules that come and go while traffic flows: fgctl rule, dataplane, reload, and the counters meanwhile."""
import signal
import time

import pytest
from frames import FAR, HOST, OTHER, OUTSIDE, udp4
from router import Config, Peer, balanced, end, wait_for

MATCH = f"destination {HOST}/32 protocol =udp"
RULE = f"match {MATCH} then discard"


def flowing(start, rules=(), **options):
    """A router through which one packet to HOST and one to OTHER run round and round."""
    config = Config(rules=list(rules), wan="net_pcap0,rx_pcap=in.pcap,infinite_rx=1", lan="net_null0,no-rx=1",
                    **options)
    router = start(config, frames=[udp4(), udp4(dst=OTHER)])
    wait_for("traffic", lambda: router.ask("counters")["rx_packets"] > 100)
    return router


def discards(router):
    return router.ask("counters")["drops"]["flowspec_discard"]


def bites(router):
    """Whether packets are being discarded now: of some that come in from now on."""
    before = router.ask("counters")
    wait_for("packets", lambda: router.ask("counters")["rx_packets"] > before["rx_packets"] + 500)
    return discards(router) > before["drops"]["flowspec_discard"]


def settled(router):
    router.ctl("dataplane", "stop")
    counters = router.ask("counters")
    assert balanced(counters), counters
    return counters


def test_a_rule_added_bites_and_deleted_stops(start):
    router = flowing(start)
    assert not bites(router)
    router.ctl("rule", "add", RULE)
    rule, = router.ask("rules")
    assert (rule["match"], rule["state"], rule["source"]["kind"]) == (MATCH, "active", "api")
    wait_for("the rule to bite", lambda: bites(router), 30)
    router.ctl("rule", "del", str(rule["id"]))
    wait_for("the rule to stop", lambda: not bites(router), 30)
    assert router.ask("rules") == []
    settled(router)


def test_a_suspended_rule_keeps_its_counters_and_comes_back(start):
    router = flowing(start, [RULE])
    rule, = router.ask("rules")
    wait_for("the rule to bite", lambda: bites(router), 30)
    router.ctl("rule", "suspend", str(rule["id"]))
    wait_for("the rule to stop", lambda: not bites(router), 30)
    suspended, = router.ask("rules")
    assert suspended["state"] == "suspended" and suspended["packets"] > 0
    router.ctl("rule", "resume", str(rule["id"]))
    wait_for("the rule to bite again", lambda: bites(router), 30)
    resumed, = router.ask("rules")
    assert (resumed["id"], resumed["state"]) == (rule["id"], "active")
    assert resumed["packets"] > suspended["packets"]
    settled(router)


def test_rules_and_totals_agree_when_polling_rests(start):
    router = flowing(start, [RULE])
    wait_for("the rule to bite", lambda: bites(router), 30)
    counters = settled(router)
    rule, = router.ask("rules")
    assert rule["dropped_packets"] == rule["packets"] == counters["drops"]["flowspec_discard"]
    assert rule["bytes"] == rule["packets"] * len(udp4())
    assert counters["rx_packets"] in (2 * rule["packets"], 2 * rule["packets"] - 1, 2 * rule["packets"] + 1)
    before = router.ask("counters")
    time.sleep(0.1)
    assert router.ask("counters") == before
    router.ctl("dataplane", "start")
    wait_for("traffic again", lambda: router.ask("counters")["rx_packets"] > before["rx_packets"])


def test_a_rule_announced_by_bgp_bites_and_withdrawn_stops_within_100_ms(start):
    router = flowing(start, peers=[Peer()])
    controller = router.inject([RULE])
    rule, = router.wait_rules(1)
    assert rule["source"] == {"kind": "bgp", "peer": "detector"}
    wait_for("the rule to bite", lambda: bites(router), 30)
    end(controller)  # the session closes and takes its rule along
    router.wait_rules(0, seconds=1)
    wait_for("the rule to stop", lambda: not bites(router), 30)
    settled(router)


def test_a_hundred_rules_come_and_go_under_traffic(start):
    router = flowing(start)
    for _ in range(3):
        for i in range(30):
            router.ctl("rule", "add", f"match destination {HOST}/32 source 192.0.2.{i}/32 then discard")
        for rule in router.ask("rules"):
            router.ctl("rule", "del", str(rule["id"]))
    assert router.ask("rules") == []
    settled(router)


@pytest.mark.parametrize("command", [["rule", "show", "999"], ["rule", "del", "999"], ["rule", "suspend", "999"],
                                     ["rule", "add", "match destination 300.0.0.0/8"], ["rule", "add", "nonsense"],
                                     ["peer", "nobody", "down"], ["rules", "--state", "nonsense"],
                                     ["rules", "--peer", "nobody"]])
def test_fgctl_says_why_it_refuses(start, command):
    router = start()
    status, out, err = router.fgctl(*command)
    assert status == 1 and not out
    assert err.count("\n") == 1


def test_a_router_that_is_not_there(start):
    router = start()
    router.stop()
    status, out, err = router.fgctl("status")
    assert status == 2 and not out
    assert err.count("\n") == 1 and "api.sock" in err


def test_a_rule_of_the_configuration_is_not_deleted_by_hand(start):
    router = start(Config(rules=[RULE]))
    rule, = router.ask("rules")
    status, _, err = router.fgctl("rule", "del", str(rule["id"]))
    assert status == 1 and err
    assert len(router.ask("rules")) == 1


def test_rule_check_installs_nothing(start):
    router = start()
    assert "accept" in router.ctl("rule", "check", RULE) or "active" in router.ctl("rule", "check", RULE)
    assert router.ask("rules") == []


@pytest.mark.parametrize("how", ["signal", "fgctl"])
def test_reload_takes_the_new_rules_and_keeps_the_old_counters(start, how):
    kept = f"match destination {HOST}/32 source {OUTSIDE}/32 then discard"
    router = start(Config(rules=[kept, f"match source {FAR}/32 then discard"]), frames=[udp4()])
    wait_for("a packet", lambda: router.ask("counters")["rx_packets"] == 1)
    router.config.rules = [kept, RULE]
    router.configure()
    if how == "signal":
        router.process.send_signal(signal.SIGHUP)
    else:
        router.ctl("reload")
    wait_for("the new rules", lambda: set(router.rules()) == {kept[6:-13], MATCH})
    assert router.rules()[kept[6:-13]]["packets"] == 1


def test_a_reload_with_an_error_changes_nothing(start):
    router = start(Config(rules=[RULE]))
    before = router.ask("rules")
    (router.folder / "floodgate.yaml").write_text(router.config.yaml() + "nonsense: 1\n")
    status, _, err = router.fgctl("reload")
    assert status == 1 and "nonsense" in err
    assert router.ask("rules") == before
    router.process.send_signal(signal.SIGHUP)
    wait_for("a line in the log", lambda: "nonsense" in router.log)
    assert router.ask("rules") == before


def test_filters_of_the_rule_list(start):
    router = start(Config(rules=[RULE, "match destination 2001:db8:7::7/128 then discard",
                                 "match source 192.0.2.1/32 then accept"]))
    assert [rule["family"] for rule in router.ask("rules")] == ["ipv4", "ipv4", "ipv6"]
    assert len(router.ask("rules", "--family", "ipv6")) == 1
    assert len(router.ask("rules", "--limit", "2")) == 2
    assert router.ask("rules", "--state", "held") == []


def test_the_kernel_of_the_json_promise(start):
    router = start(Config(rules=[f"match destination {HOST}/32 protocol udp source-port 123 then discard"]))
    rule, = router.ask("rules")
    assert set(rule) >= {"id", "family", "rank", "match", "actions", "nlri", "vrf", "source", "state", "reason",
                         "packets", "bytes", "dropped_packets", "dropped_bytes", "last_hit"}
    assert rule["nlri"] == "0c0120cb00710703811106817b"
    assert rule["source"]["kind"] == "config"
    assert rule["vrf"] == "default"
    assert router.ask("rule", "show", str(rule["id"]))["match"] == rule["match"]
