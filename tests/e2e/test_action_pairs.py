# SPDX-License-Identifier: BSD-3-Clause
"""Every action in every pair of rules that match the same packets, with and without `continue`, IPv4 and IPv6, with and
without tags: what leaves, octet for octet as scapy builds it, what is sampled, and what every rule counts.

Each pair has a destination of its own, so one run of the router plays all of them. What should happen is worked out
by a few lines of Python that know nothing of the router (RFC 8955 7.3 and 7.7, floodgate-rules(5)).
"""
import itertools
import json

import pcapngfile
from frames import Dot1AD, Dot1Q, IP, IPv6, Raw, UDP, frame
from scapy.layers.l2 import Ether

SLOW = "0.001pps"  # one packet, and no other while a test runs
ACTIONS = {"accept": "accept", "discard": "discard", "limit": f"rate-limit {SLOW}", "mark": "mark {dscp}",
           "sample": "sample", "per-source": f"rate-limit {SLOW} per-source /24", "all": f"rate-limit {SLOW} mark "
           "{dscp} sample"}
PAIRS = [(first, go_on, second) for first, second in itertools.product(ACTIONS, ACTIONS) for go_on in (True, False)]


def text(action, number):
    return ACTIONS[action].format(dscp=(10, 46)[number])


def rules_of(family, destination, first, go_on, second):
    one, two = text(first, 0), text(second, 1)
    if go_on:
        one = "continue" if one == "accept" else f"{one} continue"
    bits = 32 if family == 4 else 128
    return [f"match destination {destination}/{bits} protocol =udp then {one}",
            f"match destination {destination}/{bits} then {two}"]


def frames_of(family, destination, dscp=None, sources=(1, 2)):
    """Four frames; with another DSCP as scapy builds them anew."""
    made = []
    for source in sources:
        for tags in ((), (Dot1AD(vlan=9), Dot1Q(vlan=7, prio=3))):
            layer = IP(src=f"192.0.{source}.1", dst=destination, tos=1) if family == 4 else \
                IPv6(src=f"2001:{source}00::1", dst=destination, tc=1)
            if dscp is not None and family == 4:
                layer.tos = dscp << 2 | 1
            elif dscp is not None:
                layer.tc = dscp << 2 | 1
            made.append(frame(*tags, layer, UDP(sport=5, dport=6), Raw(b"pairs")))
    return made


class Model:
    """One pair of rules, as the manual has it."""

    def __init__(self, first, go_on, second):
        self.rules = [(first, go_on), (second, False)]
        self.seen = [set(), set()]
        self.counts = [[0, 0], [0, 0]]

    def admits(self, number, action, source):
        key = {"limit": "any", "all": "any", "per-source": source}.get(action)
        if key is None:
            return True
        fresh = key not in self.seen[number]
        self.seen[number].add(key)
        return fresh

    def judge(self, source):
        """(drop reason or None, DSCP or None, sampled)"""
        dscp, sampled = None, False
        for number, (action, go_on) in enumerate(self.rules):
            self.counts[number][0] += 1
            sampled = sampled or action in ("sample", "all")
            drop = "flowspec_discard" if action == "discard" else None
            if not self.admits(number, action, source):
                drop = "flowspec_rate_limit"
            if drop:
                self.counts[number][1] += 1
                return drop, None, sampled
            if action in ("mark", "all") and dscp is None:
                dscp = (10, 46)[number]
            if not go_on:
                break
        return None, dscp, sampled


def test_every_pair_of_actions(play, tmp_path):
    rules, frames, out, samples, drops, models = [], [], [], [], {}, {}
    for n, (family, pair) in enumerate(itertools.product((4, 6), PAIRS)):
        destination = f"203.0.113.{n}" if family == 4 else f"2001:db8:7::{n:x}"
        rules += rules_of(family, destination, *pair)
        models[family, destination] = model = Model(*pair)
        for i, octets in enumerate(frames_of(family, destination)):
            drop, dscp, sampled = model.judge(i // 2)
            frames.append(octets)
            if sampled:
                samples.append(octets)
            if drop:
                drops[drop] = drops.get(drop, 0) + 1
            else:
                out.append(octets if dscp is None else frames_of(family, destination, dscp)[i])
    run = play(frames, rules, extra="sampling: " + json.dumps({"directory": str(tmp_path)}) + "\n")
    assert [bytes(Ether(octets)) for octets in run.out] == out
    assert run.drops == drops
    assert [sample.data for sample in pcapngfile.read(tmp_path / "samples-0.pcapng")] == samples
    counted = {rule["match"]: (rule["packets"], rule["dropped_packets"]) for rule in run.stats["rules"]}
    for (family, destination), model in models.items():
        match = f"destination {destination}/{32 if family == 4 else 128}"
        assert counted[f"{match} protocol =udp"] == tuple(model.counts[0]), (destination, model.rules)
        assert counted[match] == tuple(model.counts[1]), (destination, model.rules)


def test_a_redirect_that_leads_nowhere_is_as_if_it_were_absent_and_says_so(start):
    from router import Config
    targets = ["redirect 65000:100", "redirect 192.0.2.1:100", "redirect 4200000000L:100", "redirect [2001:db8::1]:100",
               "redirect-ip 192.0.2.9", "redirect-ip 2001:db8::9"]
    rules = [f"match destination 203.0.113.{n}/32 then mark 10 {target}" for n, target in enumerate(targets)]
    frames = [frames_of(4, f"203.0.113.{n}")[0] for n in range(len(targets))]
    router = start(Config(rules=rules, start="manual"), frames=frames, args=["--exit-idle", "300"])
    for rule in router.ask("rules"):
        assert rule["state"] == "active"
        assert rule["reason"].startswith("redirect-unresolved: ")
    router.ctl("dataplane", "start")
    assert router.wait() == 0
    assert router.out() == [frames_of(4, f"203.0.113.{n}", 10)[0] for n in range(len(targets))]
