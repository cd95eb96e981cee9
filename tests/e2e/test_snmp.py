# SPDX-License-Identifier: BSD-3-Clause
"""floodgate-snmp under a real snmpd: what managers read, and what they are told by snmptrapd."""
import pytest
from frames import HOST, OTHER, tcp4, udp4
from router import Config, wait_for
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
    assert 7000 < share < 10001 and f"dropped {share / 100:.1f} % of all packets" in entry["reason"]
    assert trap.objects == {"rule": wide["id"], "match": WIDE, "scope": 1, "scope_value": "", "limit": 4000,
                            "peer": "operator", "reason": entry["reason"], "time": entry["time"], "suppressed": 0}
    manager.wait_value("1.10.1.0", 1)
    # two more looks of the subagent, and it has not gone again
    uptime = manager.get("1.1.3.0")
    wait_for("two looks", lambda: manager.get("1.1.3.0") >= uptime + 200)
    assert len(manager.traps()) == 1
