# SPDX-License-Identifier: BSD-3-Clause
"""floodgate-snmp under a real snmpd: what managers read, and what they are told by snmptrapd."""
import json
import os
import signal
import socket
import subprocess

import pytest
from frames import HOST, OTHER, tcp4, udp4
from router import START_S, Config, Peer, end, free_port, program, wait_for
from snmp import Manager

# a quarter of the packets is TCP 443 to HOST, the rest DNS answers to OTHER
TRAFFIC = [tcp4(), *(udp4(sport=53, dst=OTHER) for _ in range(3))] * 100
FOREVER = "net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap,infinite_rx=1"
BREAKER = "guard: {max-drop-share: 40, sample: 1, window: 1, min-samples: 4096, on-breach: warn}\nprotect-bgp: false\n"
WIDE = "match protocol =udp then discard"


@pytest.fixture
def manage():
    """manage(router) -> a Manager whose subagent runs; ended with the test."""
    managers = []

    def start_manager(router, *args, subagent=True, **options):
        managers.append(Manager(router.folder, **options).__enter__())
        if subagent:
            managers[-1].subagent(*args)
        return managers[-1]

    yield start_manager
    for manager in managers:
        manager.__exit__()


def counted(manager):
    """Notifications that snmpd has taken, and those that were left out."""
    return manager.get("1.10.1.0"), manager.get("1.10.2.0")


def test_one_trip_of_the_breaker_is_in_the_log_a_counter_a_trap_and_the_status(start, manage):
    router = start(Config(rules=[f"match destination {HOST}/32 then discard"], wan=FOREVER, extra=BREAKER),
                   frames=TRAFFIC)
    manager = manage(router)
    wait_for("traffic", lambda: router.ask("counters")["rx_packets"] > 1000)
    wide = router.ask("rule", "add", WIDE)
    trap, = manager.wait_traps(1)
    shown, = router.ask("rules", "--state", "suspended")
    assert shown["id"] == wide["id"]
    assert f"rule {wide['id']} (operator) SUSPENDED: breaker: " in router.log
    assert router.ask("status")["vetting"]["breaker_trips"] == 1
    manager.wait_value("1.5.3.0", 1)
    assert "BREAKER" in router.ctl("status")
    entry, = (entry for entry in router.ask("journal", "--step", "breaker") if entry["event"] == "breaker")
    assert trap.kind == "breaker-tripped"
    share = trap.objects.pop("share")
    assert 4000 < share <= 10000 and f"dropped {share / 100:.1f} % of all packets" in entry["reason"]
    assert trap.objects == {"rule": wide["id"], "match": WIDE, "scope": 1, "scope_value": "", "limit": 4000,
                            "peer": "operator", "reason": entry["reason"], "time": entry["time"], "suppressed": 0}
    manager.wait_value("1.10.1.0", 1)
    # two more looks of the subagent, and it has not gone again
    uptime = manager.get("1.1.3.0")
    wait_for("two looks", lambda: manager.get("1.1.3.0") >= uptime + 200)
    assert len(manager.traps()) == 1


@pytest.mark.parametrize(("limit", "scope", "value"), [
    ("max-byte-share: 50", 2, ""), ("max-protocol-share: 60", 3, "17"), ("max-destination-share: 70", 4, OTHER)])
def test_a_trip_names_what_its_share_is_of(start, manage, limit, scope, value):
    router = start(Config(wan=FOREVER, extra=(
        "guard: {max-drop-share: 99, %s, sample: 1, window: 1, min-samples: 4096, on-breach: warn}\n"
        "protect-bgp: false\n" % limit)), frames=TRAFFIC)
    manager = manage(router)
    wait_for("traffic", lambda: router.ask("counters")["rx_packets"] > 1000)
    router.ask("rule", "add", WIDE)
    trap = manager.wait_traps(1, "breaker-tripped")[0].objects
    assert (trap["scope"], trap["scope_value"], trap["limit"]) == (scope, value, 100 * int(limit.split(": ")[1]))
    assert trap["limit"] < trap["share"] <= 10000


def objects_of(router):
    """What managers are to see, from the router's own answers."""
    status = router.ask("status")
    vetting, counters = status["vetting"], status["counters"]
    assert counters == {name: value for name, value in router.ask("counters").items() if name in counters}
    seen = {"1.1.1.0": 1, "1.1.2.0": status["version"], "1.1.8.0": status["ports"], "1.1.9.0": status["workers"],
            "1.2.9.0": sum(status["rules"].values()), "1.3.1.0": status["sessions"]["configured"],
            "1.3.2.0": status["sessions"]["established"], "1.4.7.0": sum(counters["drops"].values()),
            "1.5.3.0": vetting["breaker_trips"], "1.5.6.0": vetting["delayed_changes"]}
    for number, name in enumerate(("active", "rejected", "held", "suspended", "never-matches", "stale", "dry-run",
                                   "not-imported"), 1):
        seen[f"1.2.{number}.0"] = status["rules"][name]
    for number, name in enumerate(("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "punted_packets",
                                   "originated_packets"), 1):
        seen[f"1.4.{number}.0"] = counters[name]
    for reason, count in counters["drops"].items():
        seen["1.6.1.3." + ".".join(str(octet) for octet in reason.encode())] = count
    for number, port in enumerate(router.ask("ports"), 1):
        seen[f"1.7.1.2.{number}"] = port["name"]
        seen[f"1.7.1.8.{number}"] = port["counters"]["rx_packets"]
        seen[f"1.7.1.11.{number}"] = port["counters"]["tx_bytes"]
        seen[f"1.7.1.13.{number}"] = sum(port["counters"]["drops"].values())
    for peer in router.ask("peers"):
        index = ".".join(str(octet) for octet in peer["name"].encode())
        seen[f"1.8.1.3.{index}"] = peer["address"]
        seen[f"1.8.1.4.{index}"] = peer["asn"]
        seen[f"1.8.1.5.{index}"] = 6 if peer["state"] == "Established" else 3
        seen[f"1.8.1.8.{index}"] = peer["established_count"]
        seen[f"1.8.1.12.{index}"] = sum(peer["rules_active"].values())
    for rule in router.ask("rules"):
        seen[f"1.9.1.2.{rule['id']}"] = rule["match"]
        seen[f"1.9.1.3.{rule['id']}"] = " ".join(rule["actions"])
        seen[f"1.9.1.6.{rule['id']}"] = rule["reason"]
        seen[f"1.9.1.7.{rule['id']}"] = rule["source"].get("peer", "configuration")
        seen[f"1.9.1.8.{rule['id']}"] = rule["rank"]
        seen[f"1.9.1.9.{rule['id']}"] = rule["packets"]
        seen[f"1.9.1.12.{rule['id']}"] = rule["dropped_bytes"]
    return seen


def test_managers_see_what_fgctl_shows(start, manage):
    peers = [Peer(), Peer(name="sensor.2", address="127.0.0.9", asn=4200000000)]
    router = start(Config(rules=[WIDE, "match destination 203.0.113.9/32 protocol =tcp then rate-limit 1mbps mark 46",
                                 "match packet-length >70000 then discard"], peers=peers,
                          extra="protect-bgp: false\n"), frames=TRAFFIC)
    session = router.inject([f"match destination 203.0.113.{i}/32 then discard" for i in range(100, 110)])
    router.wait_rules(12)
    manager = manage(router)
    wait_for("the traffic", lambda: router.ask("counters")["rx_packets"] == len(TRAFFIC))
    wait_for("the drops", lambda: router.ask("counters")["drops"]["flowspec_discard"] == 300)

    def same():
        expected, seen = objects_of(router), manager.walk("1")
        return expected.items() <= seen.items()
    wait_for("the same numbers", same)
    end(session)


def test_a_table_of_thousands_of_rules_is_walked_whole(start, manage):
    router = start(Config(peers=[Peer()]))
    session = router.inject([f"match destination 198.18.{i // 250}.{i % 250}/32 then discard" for i in range(4000)])
    router.wait_rules(4000)
    manager = manage(router)
    expected = {f"1.9.1.2.{rule['id']}": rule["match"] for rule in router.ask("rules")}
    wait_for("the whole table", lambda: manager.walk("1.9.1.2") == expected)
    names = list(manager.walk("1.9.1.12"))
    assert names == [f"1.9.1.12.{number}" for number in sorted(int(name.split(".")[-1]) for name in expected)]
    manager.end("floodgate-snmp")
    manager.subagent("--rules", "100")  # those that are evaluated first
    first = {f"1.9.1.2.{rule['id']}": rule["match"] for rule in router.ask("rules", "--limit", "100")}
    assert wait_for("the table", lambda: manager.walk("1.9.1.2")) == first
    assert manager.get("1.2.1.0") == 4000
    end(session)


def test_sessions_and_switches_are_told(start, manage):
    router = start(Config(peers=[Peer()]))
    manager = manage(router)
    session = router.inject(["match destination 203.0.113.9/32 then discard"])
    up, = manager.wait_traps(1, "peer-up")
    assert up.objects == {"peer": "detector", "address": "127.0.0.1", "sessions": 1, "suppressed": 0}
    router.ask("kill-switch", "on")
    router.ask("kill-switch", "on", "detector")
    router.ask("kill-switch", "off")
    whole, one, off = manager.wait_traps(3, "kill-switch")
    assert (whole.objects["switch"], whole.objects["peer"]) == (1, "")
    assert whole.objects["by"].startswith("uid ")
    assert (one.objects["switch"], one.objects["peer"]) == (1, "detector")
    assert (off.objects["switch"], off.objects["peer"]) == (2, "")
    manager.wait_value("1.1.5.0", 2)
    assert manager.get("1.1.7.0") == 1
    end(session)
    down, = manager.wait_traps(1, "peer-down")
    assert down.objects["peer"] == "detector" and down.objects["reason"] != ""
    assert [trap.kind for trap in manager.traps()] == ["peer-up", *["kill-switch"] * 3, "peer-down"]


def test_a_held_rule_is_told(start, manage):
    router = start(Config(extra="guard: {max-drop-share: 40, sample: 1, min-samples: 100, window: 3600}\n"
                                "protect-bgp: false\n"), frames=TRAFFIC)
    manager = manage(router)
    wait_for("the samples", lambda: router.ask("status")["vetting"]["samples"] == len(TRAFFIC))
    rule = router.ask("rule", "add", WIDE)
    assert rule["state"] == "held"
    trap, = manager.wait_traps(1)
    assert (trap.kind, trap.objects["rule"], trap.objects["match"]) == ("rule-held", rule["id"], WIDE)
    assert rule["reason"].startswith(trap.objects["reason"].removesuffix("..."))


def test_what_happens_while_snmpd_is_away_is_told_once_when_it_is_back(start, manage):
    router = start(Config())
    manager = manage(router)
    manager.end("snmpd")
    wait_for("that it is gone", lambda: "has gone; attaching again" in manager.log)
    router.ask("kill-switch", "on")
    router.ask("kill-switch", "off")
    manager.start_snmpd()
    traps = manager.wait_traps(2)
    assert [trap.objects["switch"] for trap in traps] == [1, 2]
    manager.wait_value("1.10.1.0", 2)
    assert manager.get("1.1.6.0") == 2
    assert manager.log.count("has gone") == 1 and manager.log.count("attached to snmpd") == 2
    router.ask("kill-switch", "on")
    assert [trap.objects["switch"] for trap in manager.wait_traps(3)] == [1, 2, 1]


def test_more_than_there_is_room_for_waits_in_the_journal_and_none_is_lost(start, manage):
    router = start(Config())
    manager = manage(router, "--burst", "10000", sink="tcp")
    manager.end("snmpd")
    wait_for("that it is gone", lambda: "has gone; attaching again" in manager.log)
    asks = "".join(json.dumps({"command": "kill-switch", "args": {"action": action}}) + "\n"
                   for action in ["on", "off"] * 200)
    with socket.socket(socket.AF_UNIX) as api:
        api.connect(os.path.relpath(router.folder / "api.sock"))
        api.sendall(asks.encode())
        answers = api.makefile()
        assert all(json.loads(answers.readline())["result"]["changed"] for _ in range(400))
    manager.start_snmpd()
    manager.wait_value("1.10.1.0", 400)
    assert manager.walk("1.10") == {"1.10.1.0": 400, "1.10.2.0": 0, "1.10.3.0": 0, "1.10.4.0": 0}
    assert [trap.objects["switch"] for trap in manager.wait_traps(400)] == [1, 2] * 200


def test_a_router_that_goes_and_comes_is_told_and_seen(start, manage):
    router = start(Config(rules=[WIDE], extra="journal: {file: journal}\nprotect-bgp: false\n"))
    manager = manage(router)
    assert manager.get("1.2.1.0") == 1
    # it stands still for a moment, in which something is decided and the router is started anew
    subagent = manager.running["floodgate-snmp"]
    subagent.send_signal(signal.SIGSTOP)
    router.ask("kill-switch", "on")
    assert router.stop() == 0
    router.spawn()
    router.wait_ready()
    subagent.send_signal(signal.SIGCONT)
    started, = manager.wait_traps(1, "router-up")
    assert started.objects["reason"] == "the router was started anew"
    switch, = manager.wait_traps(1, "kill-switch")
    assert switch.objects["switch"] == 1
    assert router.stop() == 0
    down, = manager.wait_traps(1, "router-down")
    assert down.objects["reason"] != ""
    assert manager.walk("1").keys() == {"1.1.1.0", "1.10.1.0", "1.10.2.0", "1.10.3.0", "1.10.4.0"}
    assert manager.get("1.1.1.0") == 2 and manager.get("1.2.1.0") is None
    router.spawn()
    router.wait_ready()
    assert len(manager.wait_traps(2, "router-up")) == 2
    manager.wait_value("1.1.5.0", 3)
    assert len(manager.traps("kill-switch")) == 1  # what the journal was told again is no news
    silent = [line for line in manager.log.splitlines() if "no answer from the router" in line]
    assert silent and len(set(silent)) == len(silent)  # a reason is told once, however long it lasts


def test_a_burst_is_cut_and_counted(start, manage):
    router = start(Config())
    manager = manage(router, "--burst", "3", "--rate", "1")
    for _ in range(10):
        router.ask("kill-switch", "on")
        router.ask("kill-switch", "off")
    wait_for("all of them", lambda: sum(counted(manager)) == 20)
    sent, suppressed = counted(manager)
    assert sent >= 3 and suppressed > 0
    assert len(manager.wait_traps(sent)) == sent
    assert "more than 3 notifications kill-switch at once" in manager.log


def test_what_happened_before_the_start_is_told_with_a_state_file_only(start, manage):
    router = start(Config())
    manager = manage(router, subagent=False)
    manager.subagent("--state", "positions")
    router.ask("kill-switch", "on")
    manager.wait_traps(1)
    assert manager.end("floodgate-snmp") == 0
    router.ask("kill-switch", "off")
    manager.subagent("--state", "positions")
    assert [trap.objects["switch"] for trap in manager.wait_traps(2)] == [1, 2]
    manager.wait_value("1.10.1.0", 1)
    manager.end("floodgate-snmp")
    router.ask("kill-switch", "on")
    manager.subagent()
    assert "3 events in the router's journal are from before and are not sent; with --state FILE they would be" \
        in manager.log
    router.ask("kill-switch", "off")
    assert [trap.objects["switch"] for trap in manager.wait_traps(3)] == [1, 2, 2]


def test_troubles_are_told_once_and_end(start, manage):
    router = start(Config())
    manager = Manager(router.folder, agentx=f"tcp:127.0.0.1:{free_port()}")
    manager.start("floodgate-snmp", program("floodgate-snmp"), "-s", "nowhere.sock", "--agentx", manager.agentx)
    wait_for("both lines", lambda: "no snmpd takes subagents at tcp:127.0.0.1:" in manager.log
             and "no answer from the router at nowhere.sock: No such file" in manager.log)
    (router.folder / "nowhere.sock").symlink_to("api.sock")
    with manager:
        wait_for("both", lambda: "attached to snmpd" in manager.log and "connected to floodgate" in manager.log)
        manager.wait_value("1.1.1.0", 1)
        assert manager.end("floodgate-snmp") == 0
    assert manager.log.count("no snmpd takes subagents") == 1 and manager.log.count("No such file") == 1, manager.log


def test_a_second_subagent_of_the_same_root_stands_by(start, manage):
    router = start(Config())
    manager = manage(router)
    manager.start("second", program("floodgate-snmp"), "-s", "api.sock", "--agentx", manager.agentx)
    wait_for("the refusal", lambda: "snmpd refuses our objects (AgentX error 263; " in manager.said("second"))
    wait_for("the router's answer", lambda: "connected to" in manager.said("second"))
    router.ask("kill-switch", "on")
    manager.wait_traps(1)
    assert manager.end("floodgate-snmp") == 0
    wait_for("its turn", lambda: "snmpd takes our objects now" in manager.said("second"))
    manager.wait_value("1.1.6.0", 1)
    router.ask("kill-switch", "off")
    wait_for("its word", lambda: manager.traps()[-1].objects["switch"] == 2)
    assert manager.said("second").count("refuses") == 1
    assert manager.end("second") == 0


def test_another_root(start, manage):
    router = start(Config())
    manager = manage(router, subagent=False)
    manager.root = "1.3.6.1.4.1.32473.7"
    manager.subagent("--oid", "1.3.6.1.4.1.32473.7")
    assert manager.get("1.1.2.0") == router.ask("status")["version"]
    router.ask("kill-switch", "on")
    assert manager.wait_traps(1)[0].objects["switch"] == 1


def run(*args):
    done = subprocess.run([program("floodgate-snmp"), *args], text=True, capture_output=True, timeout=START_S,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def test_help_version_and_wrong_words():
    status, out, err = run("--help")
    assert (status, err) == (0, "") and "--agentx ADDRESS" in out
    assert run("--version") == (0, "floodgate-snmp 0.1.0\n", "")
    assert run("--oid", "enterprises.1")[::2] == (
        1, "floodgate-snmp: --oid wants numbers with dots between them, 3 to 28, such as "
           "1.3.6.1.4.1.8072.9999.9999.9469, not 'enterprises.1'\n")
    for words, wrong in (("--agentx", "--agentx needs a value"), ("--nothing", "--nothing is no option"),
                         ("x", "'x' is no option")):
        assert run(words)[::2] == (1, f"floodgate-snmp: {wrong}; `floodgate-snmp --help` lists the options\n")
