# SPDX-License-Identifier: BSD-3-Clause
"""Graceful restart (RFC 4724) with daemons that are killed: their rules stay in force as `stale`, and are then either
announced again or gone. Passwords (RFC 2385), TTL security (RFC 5082) and 10,000 rules with the same daemons."""
import signal
import subprocess
from pathlib import Path

import pytest
from daemons import DETECTOR, Bird, ExaBgp, GoBgp
from router import Config, Peer, free_port, program, wait_for

ADDRESS = "127.0.0.21"
RULES = [
    {"family": "ipv4", "destination": "203.0.113.7/32", "protocol": "udp", "source_port": 123},
    {"family": "ipv6", "destination": "2001:db8:7::7/128", "protocol": "tcp", "destination_port": 443},
]
EXTRA = {"family": "ipv4", "destination": "203.0.113.8/32", "protocol": "udp", "source_port": 53}
WAIT_S = 120
MANY = 10000
MANY_WAIT_S = 180


@pytest.fixture
def connect(tmp_path, start):
    """connect(Daemon, {keys of the peer}, **options of the daemon) -> (daemon, router) with a session."""
    running = []

    def run(kind, keys=None, **options):
        router = start(Config(peers=[Peer("controller", ADDRESS, options=keys or {})]))
        daemon = kind(tmp_path / "daemon", ADDRESS, 65001, router.config.bgp_port, 65000, **options)
        running.append(daemon)
        daemon.start()
        wait_for("the session", lambda: router.peer("controller")["state"] == "Established", WAIT_S)
        return daemon, router

    yield run
    for daemon in running:
        daemon.stop(signal.SIGKILL)


def states(router):
    return [rule["state"] for rule in router.ask("rules")]


def announced(daemon, router, rules):
    for rule in rules:
        daemon.announce(rule)
    wait_for("the rules", lambda: states(router) == ["active"] * len(rules), WAIT_S)


@pytest.mark.parametrize("kind", [ExaBgp, GoBgp, Bird], ids=["exabgp", "gobgpd", "bird"])
def test_rules_of_a_killed_peer_stay_and_are_refreshed_or_purged(connect, kind):
    daemon, router = connect(kind, graceful=True)
    announced(daemon, router, [*RULES, EXTRA])
    ids = [rule["id"] for rule in router.ask("rules")]
    daemon.stop(signal.SIGKILL)
    wait_for("stale rules", lambda: states(router) == ["stale"] * 3, WAIT_S)
    assert all(rule["reason"].startswith("graceful-restart: ") for rule in router.ask("rules"))
    peer = router.peer("controller")
    assert peer["state"] != "Established" and peer["stale"]["families"] == ["ipv4-flowspec", "ipv6-flowspec"]
    if kind is Bird:  # has its rules from the start: they are refreshed before its End-of-RIB
        daemon.start(again=True, rules=RULES[:1])
    else:
        daemon.start(again=True)
        daemon.announce(RULES[0])
    wait_for("one rule to stay", lambda: states(router) == ["active"], WAIT_S)
    assert kind is not Bird or router.ask("rules")[0]["id"] in ids
    assert router.peer("controller")["stale"] is None


def test_rules_of_a_peer_that_does_not_come_back_go(connect):
    daemon, router = connect(GoBgp, graceful=3)
    announced(daemon, router, RULES)
    daemon.stop(signal.SIGKILL)
    wait_for("the rules to go", lambda: states(router) == [], WAIT_S)
    assert "what is stale of it goes" in router.log


def test_long_lived_stale_rules_stay_on(connect):
    daemon, router = connect(GoBgp, {"long-lived-stale-time": 3600}, graceful=1, long_lived=1000)
    announced(daemon, router, RULES)
    daemon.stop(signal.SIGKILL)
    wait_for("long-lived stale rules", lambda: [rule["reason"].split(":")[0] for rule in router.ask("rules")] ==
             ["long-lived-stale"] * 2, WAIT_S)
    assert states(router) == ["stale"] * 2


# conforms: RFC 4271 proves E-3
@pytest.mark.parametrize("kind", [ExaBgp, GoBgp, Bird], ids=["exabgp", "gobgpd", "bird"])
def test_a_password(connect, kind):
    daemon, router = connect(kind, {"password": "s3cret"}, password="s3cret")
    announced(daemon, router, RULES)


def md5_failures():
    """Segments whose signature was wrong, on this machine so far."""
    names, values = [line.split() for line in Path("/proc/net/netstat").read_text().splitlines()
                     if line.startswith("TcpExt:")]
    return int(values[names.index("TCPMD5Failure")])


def test_without_the_password_there_is_no_session(tmp_path, start):
    before = md5_failures()
    router = start(Config(peers=[Peer("controller", ADDRESS, options={"password": "s3cret"})]))
    daemon = Bird(tmp_path / "daemon", ADDRESS, 65001, router.config.bgp_port, 65000, password="other")
    daemon.start()
    try:
        # the system drops what is not signed right: bird's attempt times out, as it says itself
        wait_for("the kernel to drop what bird sends", lambda: md5_failures() > before, WAIT_S)
        assert router.peer("controller")["established_count"] == 0
        assert router.peer("controller")["messages_in"] == 0
    finally:
        daemon.stop(signal.SIGKILL)


@pytest.mark.parametrize("kind", [GoBgp, Bird], ids=["gobgpd", "bird"])
def test_ttl_security(connect, kind):
    daemon, router = connect(kind, {"ttl-security": True}, ttl_security=True)
    announced(daemon, router, RULES)


def tell(kind, daemon):
    """A rule for each of MANY addresses, in a way that takes seconds; the process that does it, or None."""
    addresses = [f"203.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(MANY)]
    if kind is Bird:
        daemon.say_all([("ipv4", f"dst {address}/32; proto = 17; sport = 123;", "(generic, 0x80060000, 0x0)")
                        for address in addresses])
    elif kind is ExaBgp:
        daemon.announce_many(addresses)
    else:
        rules = daemon.folder / "rules"
        rules.write_text("".join(f"match destination {address}/32 protocol udp source-port 123 then discard\n"
                                 for address in addresses))
        return subprocess.Popen([program("fginject"), "--connect", f"{ADDRESS}:{daemon.detector_port}", "--bind",
                                 DETECTOR[0], "--local-as", str(DETECTOR[1]), "--hold", "--wait", "60", str(rules)])
    return None


@pytest.mark.parametrize("kind", [ExaBgp, GoBgp, Bird], ids=["exabgp", "gobgpd", "bird"])
def test_ten_thousand_rules_without_a_flap(connect, kind, monkeypatch):
    monkeypatch.setattr(GoBgp, "detector_port", free_port())
    daemon, router = connect(kind)
    injector = tell(kind, daemon)
    wait_for("all rules", lambda: router.ask("status")["rules"]["active"] == MANY, MANY_WAIT_S)
    router.ctl("peer", "controller", "refresh")
    if kind is Bird:  # says where its answer ends
        wait_for("the refresh", lambda: router.peer("controller")["refreshes_ended"] >= 1, WAIT_S)
    peer = router.peer("controller")
    assert (peer["state"], peer["established_count"], peer["bad_nlri"]) == ("Established", 1, 0)
    assert router.ask("status")["rules"]["active"] == MANY
    if injector is not None:
        injector.kill()
        injector.wait()
        wait_for("the withdrawals", lambda: router.peer("controller")["rules_received"]["ipv4"] == 0, MANY_WAIT_S)
        assert router.peer("controller")["established_count"] == 1
