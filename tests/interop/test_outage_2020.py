# SPDX-License-Identifier: BSD-3-Clause
"""CenturyLink, 30 August 2020, with live sessions: two BIRDs speak BGP to each other through the router, and one of
them is also the controller that announces the rule which takes everything. What the pcap of tests/e2e/outages counts in
packets is here what an operator saw: the session between the routers behind is down, until the rule is gone."""
import json
import re

import pytest
from lab import LEFT, RIGHT, UP, Bird, Lab, settle, why_not

RULE_ON = "route flow4 { dst 0.0.0.0/0; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };\n"
CARRIED = ["192.0.2.1/32", "192.0.2.2/32"]
SETTINGS = f"""
bgp:
  listen: [{{address: {UP}}}]
  peers:
    - {{name: controller, address: {LEFT}, asn: 65001, passive: true, families: [ipv4-flowspec], validation: none}}
"""
BETWEEN = """multihop; connect delay time 1; connect retry time 1; error wait time 1, 1;
    include "hold.conf";"""
BIRD_LEFT = f"""
router id 192.0.2.23;
log stderr all;
flow4 table flow4tab;
protocol device {{ }}
protocol static nets {{
    ipv4;
    include "nets.conf";
}}
protocol static rules {{
    flow4 {{ table flow4tab; }};
    include "rules.conf";
}}
protocol bgp floodgate {{
    local {LEFT} as 65001; neighbor {UP} as 65000; connect delay time 1; connect retry time 1;
    flow4 {{ table flow4tab; import none; export all; }};
}}
protocol bgp between {{
    local {LEFT} as 65001; neighbor {RIGHT} as 65002; {BETWEEN}
    ipv4 {{ import none; export all; }};
}}
"""
BIRD_RIGHT = f"""
router id 192.0.2.24;
log stderr all;
protocol device {{ }}
protocol bgp between {{
    local {RIGHT} as 65002; neighbor {LEFT} as 65001; passive yes; {BETWEEN}
    ipv4 {{ import all; export none; }};
}}
"""


class Day:
    """Two BIRDs on both sides of the router, and one day in 2020."""

    def __init__(self, lab, hold_s):
        self.lab, folder = lab, lab.folder
        self.left_folder = folder / "left"
        for side in ("left", "right"):
            (folder / side).mkdir()
            (folder / side / "hold.conf").write_text(f"hold time {hold_s};\n")
        self.write(CARRIED[:1], "")
        self.left = Bird(self.lab.left, self.left_folder, BIRD_LEFT)
        self.right = Bird(self.lab.right, folder / "right", BIRD_RIGHT)
        try:
            settle(lambda: self.carried() == CARRIED[:1] and self.controller() == ("Established", 1), 120)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *(bird.ask("show", "protocols", "all") + bird.log.read_text()
                                                          for bird in (self.left, self.right))])) from None

    def write(self, nets, rules):
        (self.left_folder / "nets.conf").write_text("".join(f"route {net} blackhole;\n" for net in nets))
        (self.left_folder / "rules.conf").write_text(rules)

    def announce(self, nets, rules):
        self.write(nets, rules)
        assert "Reconfig" in self.left.ask("configure")

    def carried(self):
        """What the right side has of the left one: nothing, once their session is down."""
        return sorted(re.findall(r"^(192\.0\.2\.\d+/32)", self.right.ask("show", "route"), re.M))

    def controller(self):
        peer, = self.lab.router.ask("peers")
        return peer["state"], peer["established_count"]

    def rule(self, state):
        """Waits for the one rule to be in this state."""
        def there():
            rules = self.lab.router.ask("rules")
            return len(rules) == 1 and rules[0]["state"] == state
        settle(there, 60)
        return self.lab.router.ask("rules")[0]


@pytest.fixture
def day(tmp_path):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made = []

    def begin(vetting, hold_s):
        made.append(Lab(tmp_path, SETTINGS + vetting))
        return Day(made[0], hold_s)
    yield begin
    for each in made:
        each.close()


def test_without_the_validator_the_session_through_the_router_is_cut(day):
    day = day("protect-bgp: false\n", 9)
    day.announce(CARRIED[:1], RULE_ON)
    day.rule("active")
    settle(lambda: day.carried() == [], 120)  # the hold time is over
    assert day.lab.router.ask("counters")["drops"]["flowspec_discard"] > 0
    # what the day was saved by here: the router's own sessions come before Flowspec, so the rule can be taken back
    assert day.controller() == ("Established", 1)
    day.announce(CARRIED, "")
    settle(lambda: day.lab.router.ask("rules") == [], 60)
    settle(lambda: day.carried() == CARRIED, 120)


def test_with_it_the_rule_is_refused_and_the_session_carries_on(day):
    day = day("", 240)
    before = day.right.ask("show", "protocols", "between")
    day.announce(CARRIED[:1], RULE_ON)
    rule = day.rule("rejected")
    assert rule["reason"].startswith("protected: takes all of 'match protocol =tcp "), json.dumps(rule)
    day.announce(CARRIED, RULE_ON)
    settle(lambda: day.carried() == CARRIED, 120)
    assert day.lab.router.ask("counters")["drops"]["flowspec_discard"] == 0
    # the very session of before: BIRD gives the time of its last change
    assert day.right.ask("show", "protocols", "between") == before
