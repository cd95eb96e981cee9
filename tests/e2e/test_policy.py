# SPDX-License-Identifier: BSD-3-Clause
"""Validation at work: rules that make no sense, and what is said of them."""
import pytest
from frames import HOST, udp4
from router import Config

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
