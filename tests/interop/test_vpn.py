# SPDX-License-Identifier: BSD-3-Clause
"""ExaBGP and GoBGP announce rules of SAFI 134, GoBGP routes of SAFI 128: they go into the VRF that imports them."""
import signal
import subprocess

import pytest
from daemons import ExaBgp, GoBgp
from routed import GATEWAY
from router import Peer, wait_for
from vrfs import TARGETS, VICTIM, VRFS, Lab, forwarded, frame

WAIT_S = 90
ADDRESS = "127.0.0.31"
BEHIND = "10.20.0.9"


class GoBgpVpn(GoBgp):
    families = ["ipv4-vpn", "ipv4-flowspec-vpn"]

    def spawn(self, command, **kwargs):
        config = self.folder / "gobgpd.toml"
        text = config.read_text().replace('"ipv4-flowspec"', '"l3vpn-ipv4-flowspec"')
        config.write_text(text.replace('"ipv6-flowspec"', '"l3vpn-ipv4-unicast"'))
        super().spawn(command, **kwargs)

    def rib(self, verb, family, *words):
        done = subprocess.run(["gobgp", "-p", str(self.api_port), "global", "rib", verb, "-a", family, *words],
                              capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def rule(self, verb, target):
        self.rib({"announce": "add", "withdraw": "del"}[verb], "ipv4-l3vpn-flowspec", "match", "destination",
                 f"{VICTIM}/32", "then", "discard", "rd", "65000:1", "rt", target)

    def route(self, verb, prefix, target, hop):
        self.rib({"announce": "add", "withdraw": "del"}[verb], "vpnv4", prefix, "label", "10", "rd", "65000:1", "rt",
                 target, "nexthop", hop)


class ExaBgpVpn(ExaBgp):
    families = ["ipv4-flowspec-vpn"]

    def spawn(self, command, **kwargs):
        config = self.folder / "exabgp.conf"
        config.write_text(config.read_text().replace("ipv4 flow; ipv6 flow;", "ipv4 flow-vpn;"))
        super().spawn(command, **kwargs)

    def rule(self, verb, target):
        with open(self.commands, "a", encoding="ascii") as commands:
            commands.write(f"{verb} flow route {{ rd 65000:1; match {{ destination {VICTIM}/32; }} then {{ discard; "
                           f"extended-community [ target:{target} ]; }} }}\n")


@pytest.fixture
def lab(tmp_path):
    running = []

    def make(kind, frames):
        if not kind.available():
            pytest.skip(f"{kind.program} is not installed")
        here = Lab(tmp_path, frames, peers=[Peer("controller", ADDRESS, options={"families": kind.families})])
        running.append(here)
        daemon = kind(tmp_path / kind.name, ADDRESS, 65001, here.port, 65000)
        running.append(daemon)
        daemon.start()
        wait_for("the session", lambda: here.router.peer("controller")["state"] == "Established", WAIT_S)
        return here, daemon

    yield make
    for each in running:
        if isinstance(each, Lab):
            each.end()
        else:
            each.stop(signal.SIGKILL)


@pytest.mark.parametrize("kind", [ExaBgpVpn, GoBgpVpn])
def test_a_rule_of_a_controller_bites_in_its_vrf(lab, kind):
    here, daemon = lab(kind, {vrf: [frame()] for vrf in VRFS})
    daemon.rule("announce", TARGETS["red"])
    told = here.wait_rule(vrf="red", state="active")
    assert (told["rd"], told["route_targets"], told["actions"]) == ("65000:1", ["65000:1"], ["discard"])
    daemon.rule("withdraw", TARGETS["red"])
    wait_for("the withdrawal", lambda: here.router.ask("rules") == [], WAIT_S)
    daemon.rule("announce", TARGETS["blue"])
    here.wait_rule(vrf="blue", state="active")
    out, drops = here.forward()
    assert out == {"default": [forwarded()], "red": [forwarded()], "blue": []}
    assert drops == {"flowspec_discard": 1}


def test_a_labelled_route_of_gobgp_leads_in_its_vrf(lab):
    here, daemon = lab(GoBgpVpn, {vrf: [frame(BEHIND)] for vrf in VRFS})
    daemon.route("announce", "10.20.0.0/16", TARGETS["blue"], "203.0.113.254")
    daemon.route("announce", "10.21.0.0/16", TARGETS["red"], "203.0.113.254")
    here.route_there("10.20.0.0/16")
    here.route_there("10.21.0.0/16")
    out, drops = here.forward()
    assert out == {"default": [], "red": [], "blue": [forwarded(BEHIND, GATEWAY)]}
    assert drops == {"no_route": 2}
