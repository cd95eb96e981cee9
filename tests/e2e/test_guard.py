# SPDX-License-Identifier: BSD-3-Clause
"""What watches over rules: the blast radius before, the circuit breaker after, the operator's switches, the journal."""
import json

import pytest
from frames import HOST, OTHER, tcp4, udp4
from router import Config, Peer, end, wait_for

# a quarter of the packets is TCP 443 to HOST, the rest DNS answers to OTHER
TRAFFIC = [tcp4(), *(udp4(sport=53, dst=OTHER) for _ in range(3))] * 100
FOREVER = "net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap,infinite_rx=1"
GUARD = "guard: {max-drop-share: %s, on-breach: %s, sample: 1, min-samples: 100, window: %d}\n"
WIDE, NARROW = "match protocol =udp then discard", f"match destination {HOST}/32 then discard"


def guarded(start, share=40, breach="hold", window=3600, extra="", **options):
    """A router that has seen TRAFFIC once."""
    router = start(Config(extra=GUARD % (share, breach, window) + "protect-bgp: false\n" + extra, **options),
                   frames=TRAFFIC)
    wait_for("the traffic", lambda: router.ask("counters")["rx_packets"] == len(TRAFFIC), 30)
    wait_for("the samples", lambda: router.ask("status")["vetting"]["samples"] == len(TRAFFIC), 30)
    return router


def test_a_rule_that_would_take_too_much_is_held_and_says_what_until_somebody_approves(start):
    router = guarded(start)
    assert router.ask("rule", "add", NARROW)["state"] == "active"
    held = router.ask("rule", "add", WIDE)
    assert held["state"] == "held"
    assert not held["in_force"]
    assert (f"warning rule {held['id']} (operator) is held until `fgctl rule approve {held['id']}`, or lapses: "
            "blast-radius: would take 75.0 % ") in router.log
    assert held["reason"] == (
        "blast-radius: would take 75.0 % of all packets, more than max-drop-share 40 % (300 of 400 packets sampled in "
        f"the last 3600 s); it takes packets to {OTHER} (100 %); udp 2000 (100 %)")
    steps = {step["step"]: step["state"] for step in router.ask("rule", "check", WIDE)["steps"]}
    assert steps["blast-radius"] == "held"
    approved = router.ask("rule", "approve", str(held["id"]))
    assert (approved["state"], approved["in_force"], approved["reason"]) == ("active", True, "")
    status, _, why = router.fgctl("rule", "approve", str(held["id"]))
    assert status == 1 and "not held" in why
    entries = router.ask("journal", "--rule", str(held["id"]))
    assert [(entry["event"], entry["state"], entry["step"]) for entry in entries] == [
        ("verdict", "held", "blast-radius"), ("verdict", "active", ""), ("approve", "active", "operator")]
    assert entries[-1]["by"].startswith("uid ")
    table = [line.split() for line in router.ctl("journal", "--rule", str(held["id"])).splitlines()]
    assert table[0] == ["TIME", "PEER", "RULE", "EVENT", "STEP", "BY", "STATE", "RULE", "AND", "REASON"]
    assert table[1][3:5] == ["verdict", "blast-radius"]


@pytest.mark.parametrize(("breach", "state"), [("reject", "rejected"), ("warn", "active")])
def test_the_guard_rejects_or_warns_as_configured(start, breach, state):
    router = guarded(start, breach=breach)
    rule = router.ask("rule", "add", WIDE)
    assert rule["state"] == state
    assert rule["reason"].startswith("blast-radius: would take 75.0 %")


@pytest.mark.parametrize(("limit", "reason"), [
    ("max-protocol-share: 90", "would take 100.0 % of all tcp packets, more than max-protocol-share 90 %"),
    ("max-destination-share: 90", f"would take 100.0 % of all packets to {HOST}, more than max-destination-share 90 %"),
    ("max-byte-share: 10", "of all octets, more than max-byte-share 10 %"),
])
def test_a_scope_has_a_limit_of_its_own(start, limit, reason):
    router = start(Config(extra="guard: {max-drop-share: 50, sample: 1, window: 3600, %s}\n" % limit), frames=TRAFFIC)
    wait_for("the samples", lambda: router.ask("status")["vetting"]["samples"] == len(TRAFFIC), 30)
    rule = router.ask("rule", "add", NARROW)
    assert rule["state"] == "held"
    assert reason in rule["reason"]


def test_a_held_rule_that_nobody_approves_lapses(start):
    router = start(Config(extra="guard: {max-drop-share: 40, sample: 1, window: 3600, hold-time: 1}\n"
                                "protect-bgp: false\n"), frames=TRAFFIC)
    wait_for("the samples", lambda: router.ask("status")["vetting"]["samples"] == len(TRAFFIC), 30)
    rule = router.ask("rule", "add", WIDE)
    shown = wait_for("the lapse", lambda: next(iter(router.ask("rules", "--state", "rejected")), None), 30)
    assert (shown["id"], shown["reason"].split(":")[0]) == (rule["id"], "lapsed")
    assert router.ask("rule", "approve", str(rule["id"]))["state"] == "active"


def test_the_breaker_suspends_the_newest_and_widest_rule_until_it_is_resumed(start):
    old = f"match destination {HOST}/32 then discard"  # a quarter: within the limit
    router = start(Config(rules=[old], wan=FOREVER, extra=(
        "guard: {max-drop-share: 40, sample: 1, window: 1, min-samples: 4096, on-breach: warn}\nprotect-bgp: false\n")),
        frames=TRAFFIC)
    wait_for("traffic", lambda: router.ask("counters")["rx_packets"] > 1000, 30)
    wide = router.ask("rule", "add", WIDE)
    assert wide["state"] == "active"
    shown, = wait_for("the breaker", lambda: router.ask("rules", "--state", "suspended"), 60)
    assert shown["id"] == wide["id"]
    assert shown["reason"].startswith("breaker: rules dropped ")
    assert [rule["match"] for rule in router.ask("rules", "--state", "active")] == [f"destination {HOST}/32"]
    assert router.ask("status")["vetting"]["breaker_trips"] == 1
    assert f"rule {wide['id']} (operator) SUSPENDED: breaker: " in router.log
    assert "BREAKER" in router.ctl("status")
    entry, = router.ask("journal", "--step", "breaker")[-1:]
    assert (entry["event"], entry["by"], entry["rule"]) == ("breaker", "router", wide["id"])
    assert router.ask("rule", "resume", str(wide["id"]))["state"] == "active"


@pytest.mark.parametrize(("limits", "rule", "reason"), [
    ("max-byte-share: 60", WIDE, "% of all octets for 1 s, more than max-byte-share 60 %"),
    ("max-protocol-share: 90", NARROW, "100.0 % of protocol 6 for 1 s, more than max-protocol-share 90 %"),
    ("max-destination-share: 90", WIDE, f"100.0 % to {OTHER} for 1 s, more than max-destination-share 90 %"),
])
def test_the_breaker_has_the_scopes_of_the_guard(start, limits, rule, reason):
    """What is let through with a warning is caught by its effect, in octets, in one protocol, to one destination."""
    router = start(Config(wan=FOREVER, extra=(
        "guard: {max-drop-share: 100, sample: 1, window: 1, min-samples: 100, on-breach: warn, %s}\n"
        "protect-bgp: false\n" % limits)), frames=TRAFFIC)
    wait_for("traffic", lambda: router.ask("status")["vetting"]["samples"] > 1000, 30)
    added = router.ask("rule", "add", rule)
    assert (added["state"], added["reason"].split(":")[0]) == ("active", "blast-radius")
    shown, = wait_for("the breaker", lambda: router.ask("rules", "--state", "suspended"), 60)
    assert shown["id"] == added["id"]
    assert shown["reason"].startswith("breaker: rules dropped ") and reason in shown["reason"]
    assert router.ask("status")["vetting"]["breaker_trips"] == 1
    passed = router.ask("counters")["tx_packets"]
    wait_for("its packets to pass again", lambda: router.ask("counters")["tx_packets"] > passed + 1000, 30)


def drops(router):
    return router.ask("counters")["drops"]["flowspec_discard"]


def test_the_kill_switch_stops_every_rule_and_the_traffic_goes_on(start):
    router = start(Config(rules=[WIDE], wan=FOREVER, extra="protect-bgp: false\n"), frames=TRAFFIC)
    wait_for("drops", lambda: drops(router) > 0, 30)
    assert router.ask("kill-switch", "on") == {"kill_switch": "on", "peer": None, "changed": True}
    assert router.ask("kill-switch", "on")["changed"] is False
    assert "KILL-SWITCH" in router.ctl("status")
    rule, = router.ask("rules", "--state", "suspended")
    assert rule["reason"].startswith("kill-switch: ") and router.ask("rules", "--state", "active") == []
    assert router.ask("status")["rules"]["active"] == 0
    told = router.ask("explain", "--in", "wan", f"src 198.51.100.1 dst {OTHER} proto udp sport 53 dport 2000")
    assert told["matches"] == [] and told["verdict"]["verdict"] == "forward"
    assert [(asleep["state"], asleep["reason"]) for asleep in told["not_enforced"]] == [("suspended", rule["reason"])]
    status, _, why = router.fgctl("rule", "resume", str(rule["id"]))
    assert status == 1 and "kill-switch off" in why
    before, sent = drops(router), router.ask("counters")["tx_packets"]
    wait_for("packets pass", lambda: router.ask("counters")["tx_packets"] > sent + 10000, 30)
    after = drops(router)
    assert after - before < 1000  # of the burst under way
    router.ask("kill-switch", "off")
    wait_for("drops again", lambda: drops(router) > after + 1000, 30)
    assert [rule["state"] for rule in router.ask("rules")] == ["active"]
    assert [entry["state"] for entry in router.ask("journal", "--step", "operator")] == ["on", "off"]


def test_the_kill_switch_of_a_peer_leaves_other_rules_alone(start):
    router = start(Config(rules=[NARROW], peers=[Peer()]))
    controller = router.inject([f"match destination {OTHER}/32 then discard"])
    router.wait_rules(2)
    router.ask("kill-switch", "on", "detector")
    states = {rule["match"]: rule["state"] for rule in router.ask("rules")}
    assert states == {f"destination {HOST}/32": "active", f"destination {OTHER}/32": "suspended"}
    assert router.peer()["state"] == "Established"
    assert router.ask("status")["vetting"]["kill_switch_peers"] == ["detector"]
    router.ask("kill-switch", "off", "detector")
    router.wait_rules(2)
    status, _, why = router.fgctl("kill-switch", "on", "nobody")
    assert (status, why) == (1, "fgctl: there is no peer nobody\n")
    end(controller)


def test_a_reload_that_changes_a_peer_keeps_the_operators_word_on_it(start):
    peer = Peer()
    router = start(Config(peers=[peer, Peer(name="idle", address="127.0.0.9", asn=65009)]))
    router.ask("kill-switch", "on", "detector")
    router.ctl("peer", "idle", "down")
    peer.options["hold-time"] = 120
    router.config.peers[1].options["hold-time"] = 120
    router.configure()
    assert "2 peers changed" in router.ctl("reload")
    assert router.ask("status")["vetting"]["kill_switch_peers"] == ["detector"]
    assert router.peer("idle")["admin_down"] is True
    controller = router.inject([f"match destination {OTHER}/32 then discard"])
    rule, = router.wait_rules(1, "suspended", seconds=30)
    assert rule["reason"].startswith("kill-switch: ")
    router.ask("kill-switch", "off", "detector")
    router.wait_rules(1, seconds=30)
    end(controller)


def test_a_rule_in_dry_run_is_counted_and_not_enforced_until_it_is_promoted(start):
    router = start(Config(peers=[Peer(options={"policy": "trial"})], start="manual", wan=FOREVER,
                          extra="policies: {trial: {dry-run: true}}\n"), frames=TRAFFIC)
    controller = router.inject([NARROW])
    rule, = router.wait_rules(1, "dry-run")
    router.ctl("dataplane", "start")
    wait_for("hits", lambda: router.ask("rules")[0]["packets"] > 100, 30)
    assert drops(router) == 0
    assert router.ask("rules")[0]["dropped_packets"] == 0
    router.ask("rule", "promote", str(rule["id"]))
    router.wait_rules(1, "active")
    wait_for("drops", lambda: drops(router) > 100, 30)
    assert router.ask("rule", "dry-run", str(rule["id"]))["state"] == "dry-run"
    end(controller)


def test_changes_beyond_the_peers_rate_are_delayed_and_not_lost(start):
    router = start(Config(peers=[Peer(options={"policy": "slow"})], extra="policies: {slow: {max-changes: 2}}\n"))
    controller = router.inject([f"match destination 203.0.113.{n}/32 then discard" for n in range(5)])
    waiting = wait_for("a rule that waits", lambda: router.ask("rules", "--state", "held"), 30)
    assert waiting[0]["reason"].startswith("max-changes: waits its turn")
    router.wait_rules(5, seconds=30)
    end(controller)


def test_a_rule_that_no_packet_matches_is_dropped_after_its_time(start):
    router = start(Config(peers=[Peer(options={"policy": "aging"})], extra="policies: {aging: {idle-age: 1}}\n"))
    controller = router.inject([NARROW])
    rule, = router.wait_rules(1, "rejected", seconds=30)
    assert rule["reason"].startswith("idle-age: ")
    end(controller)


def test_the_journal_survives_a_restart_and_skips_a_torn_line(start, tmp_path):
    journal = tmp_path / "verdicts"
    config = Config(extra="journal: {file: verdicts}\n", rules=["match packet-length 99971 then discard", NARROW])
    router = start(config)
    router.stop()
    lines = journal.read_text().splitlines()
    assert len(lines) == 2
    journal.write_text("\n".join(lines) + "\n" + lines[0][: len(lines[0]) // 2])  # a crash in the middle of a write
    router = start(config)
    entries = router.ask("journal")
    assert [entry["state"] for entry in entries] == ["never-matches", "active"] * 2
    assert {entry["peer"] for entry in entries} == {"configuration"}
    assert "1 torn line skipped" in router.log
    assert len(router.ask("journal", "--step", "sense")) == 2
    assert len(router.ask("journal", "--limit", "1")) == 1
    assert json.loads(router.ctl("-j", "journal", "--peer", "nobody")) == []


def test_what_was_decided_survives_a_restart(start):
    config = Config(extra="journal: {file: verdicts}\n", rules=[NARROW, f"match destination {OTHER}/32 then discard"],
                    peers=[Peer()])
    router = start(config)
    rules = {rule["match"]: rule["id"] for rule in router.ask("rules")}
    router.ask("rule", "suspend", str(rules[f"destination {HOST}/32"]))
    router.ask("kill-switch", "on", "detector")
    router.ask("kill-switch", "on")
    router.stop()
    router = start(config)
    assert "the kill-switch was ON and still is" in router.log
    vetting = router.ask("status")["vetting"]
    assert (vetting["kill_switch"], vetting["kill_switch_peers"]) == ("on", ["detector"])
    router.ask("kill-switch", "off")
    states = {rule["match"]: rule["state"] for rule in router.ask("rules")}
    assert states == {f"destination {HOST}/32": "suspended", f"destination {OTHER}/32": "active"}
    suspended, = router.ask("rules", "--state", "suspended")
    router.ask("rule", "resume", str(suspended["id"]))
    router.ask("kill-switch", "off", "detector")
    router.stop()
    router = start(config)
    assert [rule["state"] for rule in router.ask("rules")] == ["active"] * 2
    assert router.ask("status")["vetting"]["kill_switch_peers"] == []


def test_a_reload_of_other_limits_measures_the_rules_again(start):
    router = guarded(start, share=100)
    rule = router.ask("rule", "add", WIDE)
    assert rule["state"] == "active"
    for share, state in ((40, "held"), (100, "active")):
        router.config.extra = GUARD % (share, "hold", 3600) + "protect-bgp: false\n"
        router.configure()
        router.ctl("reload")
        assert router.ask("rule", "show", str(rule["id"]))["state"] == state
