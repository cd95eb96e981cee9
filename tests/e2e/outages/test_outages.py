# SPDX-License-Identifier: BSD-3-Clause
"""Three outages that valid rules made, told again: a controller announces the rule over BGP, and the traffic of a
network comes in. Without the validator the damage happens; with it none does, and the reason reads as a person would
say it."""
import random

import pytest
from frames import tcp4, udp4
from router import Config, Peer, end, wait_for

HOSTS = [f"203.0.113.{n}" for n in range(1, 60)]
CLIENTS = [f"198.51.100.{n}" for n in range(1, 200)]


def day(seed, count=2000):
    """The traffic of an ISP's evening: mostly HTTPS, some QUIC and DNS, and the BGP sessions of the routers behind."""
    draw = random.Random(seed)
    frames = [tcp4("A", sport=40000, dport=179, src="192.0.2.9", dst="203.0.113.250") for _ in range(20)]
    for _ in range(count):
        ends = {"src": draw.choice(CLIENTS), "dst": draw.choice(HOSTS)}
        port = draw.randrange(1024, 65535)
        frames.append(draw.choices([tcp4("A", sport=port, dport=443, **ends), udp4(port, 443, 1200, **ends),
                                    udp4(53, port, 80, **ends), tcp4("A", sport=port, dport=80, **ends)],
                                   [60, 20, 10, 10])[0])
    return frames


def of_bgp(frames):
    """Packets of the BGP sessions of the routers behind: TCP to port 179."""
    return sum(bytes(frame)[23] == 6 and bytes(frame)[36:38] == b"\x00\xb3" for frame in frames)


def replay(start, frames, rule, vetted):
    """The controller's rule is there before the traffic, as it was on the day. Gives the rule, what was dropped, and
    how many packets of BGP got through."""
    router = start(Config(peers=[Peer()], start="manual", extra=vetted), frames=frames)
    controller = router.inject([rule])
    wait_for("the rule", lambda: router.ask("rules"), 30)
    router.ctl("dataplane", "start")
    wait_for("the traffic", lambda: router.ask("counters")["rx_packets"] == len(frames), 30)
    shown, = router.ask("rules")
    counters = router.ask("counters")
    assert router.peer()["state"] == "Established"
    end(controller)
    router.stop()
    return shown, counters["drops"]["flowspec_discard"], of_bgp(router.out())


# CenturyLink, 30 August 2020: a rule that matched everything took the BGP sessions with it. The wildcard itself: a rule
# without any component is malformed (RFC 8955 4.2), so the widest that there is has a destination of length 0.
CENTURYLINK = "match destination 0.0.0.0/0 then discard"


@pytest.mark.parametrize("rule", [CENTURYLINK, "match protocol =tcp then discard"])
def test_centurylink_2020_without_the_validator_bgp_is_cut(start, rule):
    frames = day(2020)
    shown, dropped, bgp = replay(start, frames, rule, "protect-bgp: false\n")
    assert shown["state"] == "active"
    assert (dropped, bgp) == (len(frames), 0) if rule == CENTURYLINK else (dropped > len(frames) / 2 and bgp == 0)


@pytest.mark.parametrize("rule", [CENTURYLINK, "match protocol =tcp then discard"])
def test_centurylink_2020_with_it_the_rule_is_refused_and_names_a_packet_of_bgp(start, rule):
    frames = day(2020)
    shown, dropped, bgp = replay(start, frames, rule, "")
    assert (shown["state"], dropped, bgp) == ("rejected", 0, of_bgp(frames))
    assert bgp >= 20
    assert shown["reason"].startswith("protected: takes all of 'match protocol =tcp ")
    assert "for example: source " in shown["reason"] and "port 179" in shown["reason"]


# Cloudflare, 3 March 2013: a controller that had profiled an attack announced rules for a packet length that no packet
# has, and the routers spent their memory on them. Here one such rule for each of many networks comes first, and then
# the rule for the attack that is really there: last in RFC order, too, so that no memory that gets free is for it.
LENGTHS = "packet-length 99971-99985"
SENSELESS = [f"match destination 100.64.{n // 250}.{n % 250}/32 {LENGTHS} then discard" for n in range(8000)]
VICTIM = "203.0.113.7"
HONEST = (f"match destination {VICTIM}/32 protocol =udp "
          "source-port =17,=19,=69,=111,=123,=137,=161,=389,=1900,=11211 then discard")
RULES_MIB = 4  # most of the data plane's memory for rules: some thousands


def attack(seed, count=1000):
    """Reflected NTP and memcached at one host."""
    draw = random.Random(seed)
    return [udp4(draw.choice([123, 11211]), draw.randrange(1024, 65535), 400, src=f"198.18.{n // 250}.{n % 250}",
                 dst=VICTIM) for n in range(count)]


def replay_2013(start, config):
    """Gives what `status` said of memory before and after the rules, the honest rule, and all that left the router."""
    frames = day(2013, 1000) + attack(2013)
    router = start(Config(peers=[Peer()], start="manual", rules_memory=RULES_MIB, extra=config), frames=frames)
    before = router.ask("status")["rules_memory"]
    controller = router.inject([*SENSELESS, HONEST])
    wait_for("the rules", lambda: sum(router.ask("status")["rules"].values()) == len(SENSELESS) + 1, 90)
    after = router.ask("status")["rules_memory"]
    router.ctl("dataplane", "start")
    wait_for("the traffic", lambda: router.ask("counters")["rx_packets"] == len(frames), 30)
    honest = router.ask("rule", "show", str(len(SENSELESS) + 1))  # the last to come
    assert f"match {honest['match']} then discard" == HONEST
    said = router.ask("status")["rules"], router.ctl("status"), router.log, router.ask("rule", "check", SENSELESS[0])
    end(controller)
    router.stop()
    return before, after, honest, said, router.out()


def to_victim(frames):
    return sum(bytes(frame)[23] == 17 and bytes(frame)[26:28] == b"\xc6\x12" for frame in frames)


def test_cloudflare_2013_without_the_validator_the_rule_for_the_attack_finds_no_memory(start):
    before, after, honest, (states, status, log, check), out = replay_2013(start, "sense: false\n")
    assert before["limit_bytes"] == RULES_MIB << 20
    assert after["used_bytes"] > 0.9 * after["limit_bytes"]
    assert states["active"] > 1000 and states["never-matches"] == 0
    # the damage: no room for the honest rule, and all of the attack gets through
    assert honest["state"] == "rejected"
    assert honest["reason"] == "memory: no room for the rule in the data plane (dataplane.rules-memory)"
    assert to_victim(out) == 1000
    # and nobody can say that the router kept it to itself
    assert "SENSE        OFF: rules that no packet can match take memory of the data plane\n" in status
    assert " of 4 MiB of the data plane\n" in status
    assert "error   the data plane's memory for rules is full (dataplane.rules-memory): rule " in log
    assert ": sense is OFF: rules that no packet can match go to the data plane" in log
    assert (check["steps"][0]["step"], check["state"]) == ("sense", "active")
    assert check["reason"] == ("senseless: no packet has 'packet-length >=99971&<=99985': an IPv4 packet has 20 to "
                               "65535 octets; it takes memory and time all the same, for `sense` is off")


def test_cloudflare_2013_with_it_none_of_them_takes_memory_and_the_attack_is_stopped(start):
    before, after, honest, (states, status, log, check), out = replay_2013(start, "")
    assert after["used_bytes"] - before["used_bytes"] < 65536
    assert (states["never-matches"], states["active"]) == (len(SENSELESS), 1)
    assert (honest["state"], honest["dropped_packets"]) == ("active", 1000)
    assert (to_victim(out), len(out)) == (0, len(day(2013, 1000)))
    assert "SENSE" not in status and "sense" not in log
    assert check["state"] == "never-matches"
    assert check["reason"] == ("never-matches: no packet has 'packet-length >=99971&<=99985': an IPv4 packet has 20 to "
                               "65535 octets")


# A rule against an attack on one web server that lost its destination: all HTTPS of an ISP.
HTTPS = "match protocol =tcp destination-port =443 then discard"
GUARD = "guard: {max-drop-share: 20, sample: 1, window: 3600}\n"


def test_tcp_443_without_the_validator_most_of_the_traffic_is_gone(start):
    frames = day(443)
    rule, dropped, _ = replay(start, frames, HTTPS, "")
    assert rule["state"] == "active"
    assert dropped > len(frames) / 2


def test_tcp_443_with_it_the_rule_is_held_and_says_what_it_would_have_taken(start):
    frames = day(443)
    router = start(Config(peers=[Peer()], extra=GUARD), frames=frames)
    wait_for("the traffic", lambda: router.ask("counters")["rx_packets"] == len(frames), 30)
    wait_for("samples", lambda: router.ask("status")["vetting"]["samples"] >= 1000, 30)  # of a burst as many as fit
    controller = router.inject([HTTPS])
    rule, = router.wait_rules(1, "held", 30)
    assert rule["reason"].startswith("blast-radius: would take ")
    assert "% of all packets, more than max-drop-share 20 % (" in rule["reason"]
    assert "; tcp 443 (100 %)" in rule["reason"]
    assert router.ask("counters")["drops"]["flowspec_discard"] == 0
    end(controller)
