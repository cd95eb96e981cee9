# SPDX-License-Identifier: BSD-3-Clause
"""Which rule decides: RFC order, the first match, and `continue`."""
from frames import FAR, HOST, OTHER, OUTSIDE, tcp4, udp4, udp6


def test_without_rules_everything_passes_in_order(play):
    frames = [udp4(sport=1024 + i, size=i % 1400) for i in range(500)]
    run = play(frames)
    assert run.out == frames
    assert run.drops == {}
    assert (run.stats["rx_packets"], run.stats["tx_packets"]) == (500, 500)
    assert run.stats["rx_bytes"] == run.stats["tx_bytes"] == sum(map(len, frames))


# conforms: RFC 8955 proves 5.1-2
# conforms: RFC 4271 proves 9.1.4-1
# conforms: RFC 8955 proves 5.1-2
# conforms: RFC 4271 proves 9.1.4-1
# conforms: RFC 8955 proves 5.1-2
# conforms: RFC 4271 proves 9.1.4-1
def test_a_more_specific_accept_shields_from_a_discard(play):
    frames = [udp4(), udp4(src=FAR), udp4(dst=OTHER)]
    run = play(frames, ["match destination 203.0.113.0/24 then discard",
                        f"match destination {HOST}/32 source {FAR}/32 then accept"])
    assert run.out == [frames[1]]
    assert [rule["match"] for rule in run.stats["rules"]] == [
        f"destination {HOST}/32 source {FAR}/32", "destination 203.0.113.0/24"]
    assert [rule["packets"] for rule in run.stats["rules"]] == [1, 2]
    assert [rule["rank"] for rule in run.stats["rules"]] == [0, 1]


# conforms: RFC 8955 proves 5.1-1
# conforms: RFC 8955 proves 5.1-1
# conforms: RFC 8955 proves 5.1-1
def test_the_order_in_the_file_means_nothing(play):
    """A destination that is longer comes first, though written last."""
    run = play([udp4()], ["match destination 203.0.113.0/24 then accept", f"match destination {HOST}/32 then discard"])
    assert run.out == []


# conforms: RFC 8955 proves 5.1-2
# conforms: RFC 8955 proves 5.1-2
# conforms: RFC 8955 proves 5.1-2
def test_the_first_match_ends_the_search(play):
    run = play([udp4()], [f"match destination {HOST}/32 then accept", f"match source {OUTSIDE}/32 then discard"])
    assert len(run.out) == 1
    assert run.rule(f"source {OUTSIDE}/32")["packets"] == 0


# conforms: RFC 8955 proves 7.3-1
# conforms: RFC 8955 proves 7.3-1
# conforms: RFC 8955 proves 7.3-1
def test_continue_lets_later_rules_add_their_actions(play):
    run = play([udp4(), tcp4()], [f"match destination {HOST}/32 then continue",
                                  "match protocol =udp then discard"])
    assert run.out == [tcp4()]
    assert run.rule(f"destination {HOST}/32")["packets"] == 2
    assert run.rule(f"destination {HOST}/32")["dropped_packets"] == 0
    assert run.rule("protocol =udp")["dropped_packets"] == 1


def test_families_do_not_meet(play):
    """A rule without prefixes is of one family: IPv4 unless it says otherwise."""
    run = play([udp4(), udp6()], ["match protocol =udp then discard"])
    assert run.out == [udp6()]


def test_an_ipv6_rule_without_prefixes(play):
    run = play([udp4(), udp6()], ["match family ipv6 protocol =udp then discard"])
    assert run.out == [udp4()]
