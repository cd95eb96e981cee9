# SPDX-License-Identifier: BSD-3-Clause
"""A rule of a VRF is tried on that VRF's traffic, and what rules drop is watched in each VRF by itself."""
import pytest
from router import wait_for
from vrfs import TARGETS, VICTIM, VRFS, Lab, frame, ports, rule

GUARD = "guard: {max-drop-share: %d, on-breach: %s, sample: 1, min-samples: 100, window: %d}\n"


@pytest.fixture
def lab(tmp_path):
    labs = []

    def make(*args, **options):
        labs.append(Lab(tmp_path, *args, **options))
        return labs[-1]

    yield make
    for each in labs:
        each.end()


def test_a_rule_is_tried_on_the_traffic_of_its_vrf(lab):
    here = lab({"default": [frame(dst="203.0.113.254")] * 300, "red": [frame()] * 150},
               settings=GUARD % (50, "hold", 3600))
    here.router.ctl("dataplane", "start")
    wait_for("the samples", lambda: here.router.ask("status")["vetting"]["samples"] == 450, 60)
    peer = here.speak()
    peer.send(rule(f"{VICTIM}/32", TARGETS["red"]))
    reason = here.wait_rule(state="held")["reason"]
    assert reason.startswith("blast-radius: would take 100.0 % of all packets of its VRFs, "
                             "more than max-drop-share 50 % (150 of 150 packets sampled")
    assert here.router.ask("rule", "check", f"match destination {VICTIM}/32 then discard")["state"] == "active"
    # in blue there is no traffic to say anything of; the import of another VRF makes other traffic its own
    peer.send(rule(f"{VICTIM}/32", TARGETS["blue"], number=2))
    assert here.wait_rule(1, state="active")["vrf"] == "blue"
    here.reload({"red": [TARGETS["red"], TARGETS["blue"]], "blue": TARGETS["blue"]})
    assert here.wait_rule(1, state="held")["reason"].startswith("blast-radius: would take 100.0 % ")


def test_the_breaker_watches_each_vrf_by_itself(lab):
    endless = [{**port, "device": port["device"] + (",infinite_rx=1" if port["name"].startswith("up") else "")}
               for port in ports()]
    here = lab({vrf: [frame()] * 32 for vrf in VRFS}, ports=endless, settings=GUARD % (60, "warn", 1))
    here.router.ctl("dataplane", "start")
    here.speak().send(rule(f"{VICTIM}/32", TARGETS["red"]))
    reason = here.wait_rule(state="suspended")["reason"]  # a third of all traffic, but all of red's
    assert reason.startswith("breaker: rules dropped 100.0 % of all packets in VRF red for 1 s, "
                             "more than max-drop-share 60 %")
