# SPDX-License-Identifier: BSD-3-Clause
"""The policies that come with the product do what their comments say: their sections, in a router of ours."""
import re

import pytest
from router import ROOT, Config, Peer


def sections(name, *wanted):
    """Top-level sections of a shipped file, word for word."""
    text = (ROOT / "config" / f"policy-{name}.yaml").read_text()
    return "".join(block for block in re.split(r"(?m)^(?=\w)", text) if block.split(":")[0] in wanted)


def verdict(router, peer, rule):
    answer = router.ask("rule", "check", "--peer", peer, rule)
    return answer["state"], answer["reason"]


OURS = "203.0.113.7/32"
JUDGED = {
    ("customer", "customer"): [
        (f"match destination {OURS} then discard", "rejected", "policy: .*from-routes"),
        ("match protocol tcp then discard", "rejected", "policy: .*from-routes"),
    ],
    ("detector", "detector"): [
        (f"match destination {OURS} then discard", "active", "$"),
        ("match destination 203.0.113.0/24 then discard", "rejected", "policy: .*min-length"),
        ("match destination 198.51.100.7/32 then discard", "rejected", "policy: .*not within"),
        (f"match destination {OURS} then redirect 65000:100", "rejected", "policy: redirect is not"),
        ("match destination 203.0.113.53/32 protocol udp then discard", "rejected", "protected: "),
        (f"match destination {OURS} packet-length 99971 then discard", "never-matches", "never-matches: "),
    ],
    ("route-reflector", "from-detector"): [
        (f"match destination {OURS} then redirect 65000:100", "active", "$"),
        (f"match destination {OURS} then redirect 65000:1", "rejected", "policy: .*65000:1"),
    ],
    ("route-reflector", "from-edge"): [
        ("match destination 198.51.100.0/24 then discard", "rejected", "protected: .*179"),
        ("match destination 198.51.100.0/24 protocol udp then discard", "active", "$"),
        ("match destination 192.0.2.9/32 then discard", "rejected", "protected: "),
    ],
    ("lab", "lab"): [("match protocol udp then discard", "active", "dry-run: ")],
}


@pytest.mark.parametrize(("name", "policy"), JUDGED)
def test_a_shipped_policy_judges_as_its_comments_say(start, name, policy):
    router = start(Config(peers=[Peer(name="peer", options={"policy": policy})],
                          extra=sections(name, "policies", "protect", "guard")))
    for rule, state, reason in JUDGED[name, policy]:
        got = verdict(router, "peer", rule)
        assert got[0] == state and re.match(reason, got[1]), (rule, got)


def test_rule_check_for_a_peer_is_by_its_policy_and_the_operators_is_not(start):
    router = start(Config(peers=[Peer(options={"policy": "small"})],
                          extra="policies: {small: {max-rules: 1, cost-budget: 9, max-rules-per-destination: 1}}\n"))
    rule = f"match destination {OURS} then discard"
    assert verdict(router, "detector", rule) == ("active", "")
    controller = router.inject([rule])
    router.wait_rules(1)
    assert verdict(router, "detector", rule) == ("active", "")  # it is the one that has the place
    state, reason = verdict(router, "detector", "match destination 203.0.113.8/32 then discard")
    assert (state, reason.split(":")[0]) == ("rejected", "max-rules")
    assert router.ask("rule", "check", "match destination 203.0.113.8/32 then discard")["state"] == "active"
    status, _, err = router.fgctl("rule", "check", "--peer", "nobody", rule)
    assert (status, err) == (1, "fgctl: there is no peer nobody\n")
    router.ask("kill-switch", "on", "detector")
    assert verdict(router, "detector", rule) == (
        "active", "kill-switch: none of this peer's rules is enforced until it is off")
    assert "would be active: kill-switch: " in router.ctl("rule", "check", "--peer", "detector", rule)
    controller.terminate()
    controller.wait()


def test_rule_check_for_a_peer_that_is_validated_needs_its_route(start):
    router = start(Config(peers=[Peer(validation="rfc9117", options={"families": ["ipv4-unicast", "ipv4-flowspec"]})]))
    state, reason = verdict(router, "detector", f"match destination {OURS} then discard")
    assert (state, reason.split(":")[0]) == ("rejected", "infeasible")
