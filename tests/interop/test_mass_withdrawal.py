# SPDX-License-Identifier: BSD-3-Clause
"""A real daemon takes back all that it has announced, at once: 10,000 rules and 100,000 routes. All of it goes, the
session stays, and the router answers meanwhile."""
import signal
import struct
import subprocess

import pytest
from bgp_raw import IPV4, Speaker, capability, multiprotocol
from daemons import DETECTOR, Bird
from frr import Frr
from router import Config, Peer, wait_for
from routes_raw import UNICAST, route

ADDRESS, ASN = "127.0.0.28", 65002
WITHIN_S = 120
ROUTES, RULES = 100000, 10000
FAMILIES = ["ipv4-unicast", "ipv4-flowspec", "ipv6-flowspec"]
NETS = [f"198.{18 + i // 65536}.{i // 256 % 256}.{i % 256}/32" for i in range(ROUTES)]


class MassBird(Bird):
    """Its static routes and rules are protocols of their own, which a word takes back and brings again."""

    def _write(self):
        super()._write()
        conf = self.folder / "bird.conf"
        (self.folder / "nets.conf").write_text("".join(f"route {net} blackhole;\n" for net in NETS))
        (self.folder / "flows.conf").write_text("".join(
            f"route flow4 {{ dst 203.0.{i // 256}.{i % 256}/32; proto = 17; sport = 123; }} "
            f"{{ bgp_ext_community.add((generic, 0x80060000, 0x0)); }};\n" for i in range(RULES)))
        text = conf.read_text().replace("    flow4 { table flow4tab; import", "    ipv4 { import none; export all; };\n"
                                        "    flow4 { table flow4tab; import")
        conf.write_text(text + 'protocol static nets { ipv4;\ninclude "nets.conf";\n}\n'
                        'protocol static flows { flow4 { table flow4tab; };\ninclude "flows.conf";\n}\n')

    def say(self, *words):
        subprocess.run(["birdc", "-s", str(self.folder / "bird.ctl"), *words], check=True, capture_output=True)


@pytest.fixture
def connect(tmp_path, start):
    running = []

    def run(kind):
        if not kind.available():
            pytest.skip(f"{kind.program} is not installed")
        router = start(Config(peers=[Peer("mass", ADDRESS, ASN, options={"families": FAMILIES})]))
        running.append(kind(tmp_path / "daemon", ADDRESS, ASN, router.config.bgp_port, 65000))
        running[0].start()
        try:
            wait_for("the session", lambda: router.peer("mass")["state"] == "Established", WITHIN_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{running[0].log()}\n{router.log}") from None
        return running[0], router

    yield run
    for daemon in running:
        daemon.stop(signal.SIGKILL)


def held(router):
    """(rules in force, routes, how often the session came up); fails where the router does not answer."""
    peer = router.peer("mass")
    routes = peer["routes"].get("ipv4-unicast", {"accepted": 0})  # not shown without a session
    return peer["rules_active"]["ipv4"], routes["accepted"], peer["established_count"]


def comes_to(router, daemon, rules, routes):
    try:
        wait_for(f"{rules} rules and {routes} routes", lambda: held(router) == (rules, routes, 1), WITHIN_S)
    except AssertionError as error:
        raise AssertionError(f"{error}, not {held(router)}\n{daemon.log()}\n{router.log}") from None
    assert router.peer("mass")["state"] == "Established" and router.peer("mass")["bad_nlri"] == 0


def test_bird(connect):
    daemon, router = connect(MassBird)
    for _ in range(2):  # and again: nothing was left of the first time
        comes_to(router, daemon, RULES, ROUTES)
        daemon.say("disable", "nets")
        daemon.say("disable", "flows")
        comes_to(router, daemon, 0, 0)
        daemon.say("enable", "nets")
        daemon.say("enable", "flows")


def test_frr(connect):
    """What it was told by another, who dies. Routes only: FRR 8.4 fills its own messages beyond their end when it
    withdraws more rules at once than one holds."""
    daemon, router = connect(Frr)
    daemon.configure("address-family ipv4 unicast", f"neighbor {DETECTOR[0]} activate",
                     f"neighbor {DETECTOR[0]} route-map nothing out")
    families = multiprotocol(IPV4, UNICAST) + capability(65, struct.pack("!I", DETECTOR[1]))
    with Speaker(daemon.port, DETECTOR[0], WITHIN_S, to=ADDRESS) as speaker:
        speaker.establish(asn=DETECTOR[1], capabilities=families)
        for first in range(0, ROUTES, 500):
            speaker.send(route(*NETS[first:first + 500], ases=(DETECTOR[1],), hop="192.0.2.9"))
        comes_to(router, daemon, 0, ROUTES)
    comes_to(router, daemon, 0, 0)
