# SPDX-License-Identifier: BSD-3-Clause
"""Validation at work: rules that make no sense, rules that would cut what is protected, and what is said of them."""
import pytest
from frames import HOST, tcp4, udp4
from router import Config, Peer, end, wait_for

SENSELESS = [
    ("match packet-length 99971-99985 then discard", "packet-length >=99971&<=99985"),  # Cloudflare, 3 March 2013
    (f"match destination {HOST}/32 protocol =1 destination-port =53 then discard", "protocol =icmp"),
    (f"match destination {HOST}/32 destination-port >2000&<1000 then discard", "destination-port >2000&<1000"),
    (f"match destination {HOST}/32 protocol =udp tcp-flags syn then discard", "tcp-flags syn"),
]


@pytest.mark.parametrize(("rule", "named"), SENSELESS)
def test_a_rule_that_no_packet_can_match_never_gets_to_the_data_plane(start, rule, named):
    router = start(Config(rules=[rule]), frames=[udp4()])
    shown, = router.ask("rules")
    assert shown["state"] == "never-matches"
    assert shown["reason"].startswith("never-matches: ")
    assert named in shown["reason"]
    assert router.ask("rule", "show", str(shown["id"]))["in_force"] is False
    checked = router.ask("rule", "check", rule)
    assert checked["state"] == "never-matches"
    assert checked["steps"][0] == {"step": "sense", "state": "never-matches", "reason": shown["reason"]}


PROTECT = """\
protect:
  - match protocol tcp port 179
  - {match: match destination 203.0.113.0/24, unless-longer-than: 28}
"""


@pytest.mark.parametrize(("rule", "meets"), [
    ("match protocol =tcp then discard", "'match protocol =tcp port =179' (line "),
    (f"match destination {HOST}/32 then rate-limit 1mbps", "'match protocol =tcp port =179' (line "),
    ("match destination 203.0.112.0/20 protocol =udp then discard", "'match destination 203.0.113.0/24' (line "),
    ("match family ipv6 tcp-flags syn then discard", "'match protocol =tcp port =179' (line "),
])
def test_a_rule_that_meets_protected_traffic_is_rejected_and_names_a_packet(start, rule, meets):
    router = start(Config(extra=PROTECT))
    shown = router.ask("rule", "add", rule)
    assert shown["state"] == "rejected"
    assert shown["reason"].startswith(f"protected: meets {meets}")
    packet = shown["reason"].split(", for example: ")[1]
    router.ctl("explain", "--in", "wan", packet)  # in words that explain reads
    steps = {step["step"]: step["state"] for step in router.ask("rule", "check", rule)["steps"]}
    assert steps["protect"] == "rejected"


def test_rules_that_touch_nothing_protected_are_enforced(start):
    rules = [f"match destination {HOST}/32 protocol =udp then discard", "match protocol =tcp then accept",
             f"match destination {HOST}/32 protocol =tcp destination-port =80 source-port >1023 then discard"]
    router = start(Config(rules=rules, extra=PROTECT))
    assert [rule["state"] for rule in router.ask("rules")] == ["active"] * 3


def test_nobody_cuts_bgp_with_a_wide_rule_unless_told(start):
    wide, narrow = "match protocol =tcp then discard", "match destination 203.0.113.0/24 then discard"
    router = start(Config(peers=[Peer()]), frames=[tcp4()])
    controller = router.inject([wide, narrow])
    wait_for("both rules", lambda: len(router.ask("rules")) == 2)
    shown = {rule["match"]: rule for rule in router.ask("rules")}
    assert shown["destination 203.0.113.0/24"]["state"] == "active"
    assert shown["protocol =tcp"]["state"] == "rejected"
    assert "(protect-bgp)" in shown["protocol =tcp"]["reason"]
    assert router.ask("rule", "check", wide)["reason"] == shown["protocol =tcp"]["reason"]
    router.config.extra = "protect-bgp: false\n"
    router.configure()
    router.ctl("reload")
    assert [rule["state"] for rule in router.ask("rules")] == ["active"] * 2
    end(controller)


def test_a_reload_takes_senseless_rules_out_when_sense_is_on_again(start):
    sane, senseless = "match destination 203.0.113.7/32 then discard", "match packet-length 99971-99985 then discard"
    router = start(Config(rules=[sane, senseless], extra="sense: false\n"), frames=[tcp4()])
    shown = router.rules()
    assert [shown[rule]["state"] for rule in shown] == ["active"] * 2
    assert shown["packet-length >=99971&<=99985"]["reason"].startswith("senseless: no packet has ")
    assert router.ask("status")["vetting"]["sense"] is False
    assert "rule 2 (configuration): active, senseless: no packet has " in router.log
    for extra, state in (("", "never-matches"), ("sense: false\n", "active")):
        router.config.extra = extra
        router.configure()
        router.ctl("reload")
        assert router.rules()["packet-length >=99971&<=99985"]["state"] == state
        assert router.rules()["destination 203.0.113.7/32"]["state"] == "active"
        assert router.ask("status")["vetting"]["sense"] is (extra == "")


def test_a_reload_judges_rules_again_when_what_is_protected_changed(start):
    router = start(Config(rules=["match protocol =tcp then discard"]))
    rule, = router.ask("rules")
    assert rule["state"] == "active"
    for extra, state in ((PROTECT, "rejected"), ("", "active")):
        router.config.extra = extra
        router.configure()
        router.ctl("reload")
        assert router.ask("rule", "show", str(rule["id"]))["state"] == state


POLICY = """\
policies:
  customer: {destinations: [203.0.113.0/24], min-length: {ipv4: 28}, actions: [discard, rate-limit], max-rules: %d}
"""
ANNOUNCED = {
    "match destination 203.0.113.1/32 then discard": "",
    "match destination 203.0.113.0/24 then discard": "policy: destination 203.0.113.0/24 is shorter than min-length",
    "match destination 198.51.100.1/32 then discard": "policy: destination 198.51.100.1/32 is not within",
    "match destination 203.0.113.2/32 then sample": "policy: sample is not among the actions",
}


def test_a_peer_announces_what_its_policy_allows_and_no_more(start):
    router = start(Config(peers=[Peer(options={"policy": "customer"})], extra=POLICY % 4))
    controller = router.inject(list(ANNOUNCED))
    wait_for("the rules", lambda: len(router.ask("rules")) == len(ANNOUNCED))
    for rule in router.ask("rules"):
        reason = ANNOUNCED[f"match {rule['match']} then {rule['actions'][0]}"]
        assert rule["state"] == ("rejected" if reason else "active")
        assert rule["reason"].startswith(reason)
    # the operator is no peer
    assert router.ask("rule", "add", "match destination 198.51.100.2/32 then discard")["state"] == "active"
    end(controller)


# conforms: RFC 4271 proves 3-1
# conforms: RFC 4271 proves 3-1
# conforms: RFC 4271 proves 3-1
def test_a_reload_judges_a_peers_rules_by_its_new_policy_and_keeps_the_session(start):
    rules = [f"match destination 203.0.113.{n}/32 then discard" for n in range(5)]
    router = start(Config(peers=[Peer(options={"policy": "customer"})], extra=POLICY % 3))
    controller = router.inject(rules)
    router.wait_rules(3)
    waiting = router.ask("rules", "--state", "rejected")
    assert [rule["reason"].split(":")[0] for rule in waiting] == ["max-rules"] * 2
    router.config.extra = POLICY % 5
    router.configure()
    router.ctl("reload")
    assert [rule["state"] for rule in router.ask("rules")] == ["active"] * 5
    assert router.peer()["state"] == "Established"
    end(controller)
