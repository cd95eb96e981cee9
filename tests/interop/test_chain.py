# SPDX-License-Identifier: BSD-3-Clause
"""fginject -> A (another AS) -> B (internal, a route reflector) -> C: one announcement bites on all three, and the
withdrawal lifts it on all three."""
import signal
import time

import pytest
from frames import udp4
from router import Config, Peer, Router, end, free_port, wait_for

RULE = "match destination 203.0.113.7/32 protocol udp source-port 123 then discard"
WITHIN_S = 60


@pytest.fixture
def chain(tmp_path):
    addresses = {"a": "127.0.0.31", "b": "127.0.0.32", "c": "127.0.0.33"}
    ports = {name: free_port() for name in addresses}

    def neighbour(name, client=False, passive=True):
        options = {"port": ports[name], "connect-retry": 1, "route-reflector-client": client}
        return Peer(name, addresses[name], 65000, passive, options=options)

    peers = {"a": [Peer("injector", "127.0.0.1", 65001), neighbour("b", passive=False)],
             "b": [neighbour("a"), neighbour("c", client=True, passive=False)],
             "c": [neighbour("b")]}
    routers = {}
    try:
        for name, address in addresses.items():
            folder = tmp_path / name
            folder.mkdir()
            config = Config(peers=peers[name], bgp_port=ports[name], listen=address,
                            router_id=address.replace("127.0.0", "192.0.2"),
                            wan="net_pcap0,rx_pcap=in.pcap,infinite_rx=1", lan="net_null0,no-rx=1")
            routers[name] = Router(folder, config, [udp4(sport=123)])
            routers[name].spawn()
        for name, router in routers.items():
            router.wait_ready()
        for name, router in routers.items():
            for peer in peers[name]:
                if peer.name != "injector":
                    wait_for(f"the session of {name} with {peer.name}",
                             lambda: router.peer(peer.name)["state"] == "Established", WITHIN_S)
        yield routers
    finally:
        for router in routers.values():
            router.kill()


def dropped(router):
    return router.ask("counters")["drops"]["flowspec_discard"]


def bites(router):
    before = dropped(router)
    time.sleep(0.02)
    return dropped(router) > before


def milliseconds(since):
    return round((time.monotonic() - since) * 1000, 1)


def test_one_announcement_bites_on_all_and_its_withdrawal_lifts_it(chain):
    injector = chain["a"].inject([RULE])
    since, times = time.monotonic(), {}
    for name, router in chain.items():
        wait_for(f"the rule on {name}", lambda: router.ask("rules"), WITHIN_S)
        times[name] = milliseconds(since)
        wait_for(f"the rule to bite on {name}", lambda: bites(router), WITHIN_S)
    shown = {name: router.ask("rules")[0] for name, router in chain.items()}
    assert {rule["nlri"] for rule in shown.values()} == {shown["a"]["nlri"]}
    assert [rule["source"]["peer"] for rule in shown.values()] == ["injector", "a", "b"]
    print("announced to shown, ms:", times)

    since, times = time.monotonic(), {}
    injector.send_signal(signal.SIGUSR1)  # withdraws, and stays
    for name, router in chain.items():
        wait_for(f"the rule to go on {name}", lambda: not router.ask("rules"), WITHIN_S)
        times[name] = milliseconds(since)
        wait_for(f"the rule to stop biting on {name}", lambda: not bites(router), WITHIN_S)
    print("withdrawn to gone, ms:", times)
    injector.send_signal(signal.SIGUSR2)  # and again
    wait_for("the rule on c, again", lambda: chain["c"].ask("rules"), WITHIN_S)
    end(injector)  # the session's end is a withdrawal, too
    wait_for("the rule to go on c, again", lambda: not chain["c"].ask("rules"), WITHIN_S)
