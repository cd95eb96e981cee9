# SPDX-License-Identifier: BSD-3-Clause
"""FRR takes the rules that we hand on, hands rules of others to us, and its unicast routes bear rules out or not."""
import signal

import pytest
from frr import Frr
from router import Config, Peer, end, free_port, wait_for

pytestmark = pytest.mark.skipif(not Frr.available(), reason="frr is not installed")

ADDRESS = "127.0.0.26"
ASN = 65002
WAIT_S = 120
RULES = ["match destination 203.0.113.7/32 protocol =udp source-port =123 then discard",
         "match destination 203.0.113.0/24 packet-length >1400 then rate-limit 10mbps",
         "match destination 2001:db8:7::7/128 protocol =tcp destination-port =443 then discard"]
MANY = [f"match destination 198.18.{i // 200}.{i % 200}/32 protocol =udp source-port ={port} then discard"
        for i in range(2000) for port in (19, 53, 123, 389, 1900)]


@pytest.fixture
def connect(tmp_path, start):
    """connect(rules of ours, {keys of the peer}, **options of the daemon) -> (FRR, router) with a session."""
    running = []

    def run(rules=(), keys=None, validation="none", listens_only=False, **options):
        peer = Peer("frr", ADDRESS, ASN, validation=validation, options=keys or {})
        router = start(Config(rules=list(rules), peers=[peer, Peer()]))
        daemon = Frr(tmp_path / "frr", ADDRESS, ASN, router.config.bgp_port, 65000, **options)
        daemon.listens_only = listens_only
        running.append(daemon)
        daemon.start()
        established(daemon, router)
        return daemon, router

    yield run
    for daemon in running:
        daemon.stop(signal.SIGKILL)


def established(daemon, router):
    try:
        wait_for("the session", lambda: router.peer("frr")["state"] == "Established", WAIT_S)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{router.log}\n{daemon.log()}") from None


def knows(daemon, ipv4, ipv6):
    wait_for(f"{ipv4} and {ipv6} rules at FRR", lambda: (daemon.known("ipv4"), daemon.known("ipv6")) == (ipv4, ipv6),
             WAIT_S)


def of_frr(router):
    return [rule for rule in router.ask("rules") if rule["source"].get("peer") == "frr"]


def texts(rules):
    return [f"match {rule['match']} then {' '.join(rule['actions'])}" for rule in rules]


def test_rules_of_ours_arrive_and_go(connect):
    daemon, router = connect(RULES, {"announce": "rules"})
    knows(daemon, 2, 1)
    router.ctl("rule", "add", "match destination 203.0.113.9/32 then discard")
    router.ctl("rule", "add", "match destination 2001:db8:7::9/128 then discard")
    knows(daemon, 3, 2)
    assert "203.0.113.7/32" in daemon.show("show bgp ipv4 flowspec")
    for rule in router.ask("rules"):
        if ".9/32" in rule["match"] or "::9/128" in rule["match"]:
            router.ctl("rule", "del", str(rule["id"]))
    knows(daemon, 2, 1)
    # asked again it is told the same
    before = router.peer("frr")["updates_out"]
    daemon.show("clear bgp ipv4 flowspec 127.0.0.1 soft in")
    wait_for("the refresh", lambda: router.peer("frr")["updates_out"] > before, WAIT_S)
    knows(daemon, 2, 1)
    assert (router.peer("frr")["state"], router.peer("frr")["established_count"]) == ("Established", 1)


def test_rules_that_it_hands_on_come_bear_a_refresh_and_go(connect):
    daemon, router = connect()
    detector = daemon.detect(RULES)
    wait_for("the rules", lambda: len(of_frr(router)) == 3, WAIT_S)
    assert texts(of_frr(router)) == RULES and all(rule["state"] == "active" for rule in of_frr(router))
    ids = [rule["id"] for rule in of_frr(router)]
    router.ctl("peer", "frr", "refresh")
    wait_for("the refresh", lambda: router.peer("frr")["refreshes_ended"] > 0, WAIT_S)
    assert [rule["id"] for rule in of_frr(router)] == ids
    end(detector)  # its rules go with it
    wait_for("the withdrawals", lambda: of_frr(router) == [], WAIT_S)
    assert router.peer("frr")["established_count"] == 1


def up_once(router):
    peer = router.peer("frr")
    assert (peer["state"], peer["established_count"], peer["bad_nlri"]) == ("Established", 1, 0)


def test_it_takes_ten_thousand_rules_without_a_flap(connect):
    # FRR 8.4 offers extended messages, and ends the session at more than 4095 octets of Flowspec in one
    daemon, router = connect(keys={"announce": "rules", "extended-message": False}, listens_only=True)
    injector = router.inject(MANY)
    knows(daemon, len(MANY), 0)
    end(injector)
    knows(daemon, 0, 0)
    up_once(router)


def test_it_hands_on_ten_thousand_rules_without_a_flap(connect):
    # FRR 8.4 fills its own messages beyond their end: two hundred rules of one action do not reach it, but the
    # withdrawal of all of them at once would
    rules = [rule.replace("discard", f"rate-limit {i // 200 + 1}mbps") for i, rule in enumerate(MANY)]
    daemon, router = connect()
    daemon.detect(rules, "--no-extended-message")
    wait_for("the rules", lambda: router.peer("frr")["rules_active"]["ipv4"] == len(MANY), WAIT_S)
    up_once(router)


# conforms: RFC 9117 proves 4.1-6
def test_its_unicast_routes_bear_a_rule_out(connect):
    families = ["ipv4-unicast", "ipv4-flowspec", "ipv6-flowspec"]
    daemon, router = connect(keys={"families": families}, validation="rfc9117")
    daemon.detect(RULES[:1])
    rejected = router.wait_rules(1, "rejected", WAIT_S)[0]
    assert rejected["reason"].startswith("infeasible: no unicast route covers 203.0.113.7/32")
    daemon.set_routes("203.0.113.0/24", "198.51.100.0/24")
    router.wait_rules(1, "active", WAIT_S)
    daemon.set_routes("198.51.100.0/24")
    router.wait_rules(1, "rejected", WAIT_S)
    daemon.set_routes("203.0.112.0/23", "198.51.100.0/24")
    assert router.wait_rules(1, "active", WAIT_S)[0]["id"] == rejected["id"]


def test_rules_of_a_killed_frr_stay_and_are_refreshed_or_purged(connect):
    daemon, router = connect(graceful=120)
    detector = daemon.detect(RULES)
    wait_for("the rules", lambda: len(of_frr(router)) == 3, WAIT_S)
    daemon.stop(signal.SIGKILL)
    end(detector)
    wait_for("stale rules", lambda: [rule["state"] for rule in of_frr(router)] == ["stale"] * 3, WAIT_S)
    peer = router.peer("frr")
    assert peer["stale"]["families"] == ["ipv4-flowspec", "ipv6-flowspec"]
    daemon.start(again=True)
    daemon.detect(RULES[:1])
    wait_for("one rule to stay", lambda: texts(of_frr(router)) == RULES[:1] and of_frr(router)[0]["state"] == "active",
             WAIT_S)
    wait_for("nothing stale", lambda: router.peer("frr")["stale"] is None, WAIT_S)


# conforms: RFC 4271 proves E-3
def test_a_password_and_ttl_security(connect):
    daemon, router = connect(RULES, {"announce": "rules", "password": "s3cret", "ttl-security": True},
                             password="s3cret", ttl_security=True)
    knows(daemon, 2, 1)
    assert router.peer("frr")["password"] and router.peer("frr")["ttl_security"]


def test_the_router_connects(tmp_path, start):
    port = free_port()
    router = start(Config(rules=RULES, peers=[Peer("frr", ADDRESS, ASN, passive=False,
                                                   options={"port": port, "connect-retry": 1, "announce": "rules"})]))
    daemon = Frr(tmp_path / "frr", ADDRESS, ASN, 0, 65000, listen=port)
    daemon.start()
    try:
        established(daemon, router)
        knows(daemon, 2, 1)
    finally:
        daemon.stop(signal.SIGKILL)
