# SPDX-License-Identifier: BSD-3-Clause
"""BGP through ports of VRFs: a session with BIRD in each, over the exception path, whoever connects."""
import pytest
from lab import LAN, LEFT, LEFT6, RIGHT, UP, UP6, Bird, Lab, ping, settle, why_not

WITHIN_S = 120
RED, BLUE = "192.0.2.23", "192.0.2.24"
PEERS = f"""
vrfs: [{{name: red, rt-import: ["65000:1"]}}, {{name: blue, rt-import: ["65000:2"]}}]
bgp:
  listen: [{{address: {UP}}}, {{address: "{UP6}"}}, {{address: {LAN}}}]
  peers:
    - {{name: red, address: {LEFT}, asn: 65001, passive: true, device: fg-up,
       families: [ipv4-unicast, ipv4-flowspec], validation: none, announce: rules}}
    - {{name: red6, address: "{LEFT6}", asn: 65001, passive: true, families: [ipv6-unicast]}}
    - {{name: blue, address: {RIGHT}, asn: 65002, device: fg-lan, connect-retry: 1,
       families: [ipv4-unicast, ipv4-flowspec], validation: none, announce: rules}}
"""


def bird(router_id, net, sessions):
    return f"""
router id {router_id};
log stderr all;
flow4 table flow4tab;
protocol device {{ }}
protocol static nets {{ ipv4; route {net} blackhole; }}
protocol static rules {{
    flow4 {{ table flow4tab; }};
    route flow4 {{ dst {net}; proto = 17; }} {{ bgp_ext_community.add((generic, 0x80060000, 0x0)); }};
}}
{sessions}
"""


CHANNELS = """
    ipv4 { import none; export where proto = "nets"; };
    flow4 { table flow4tab; import all; export where proto = "rules"; };
"""
LEFT_BIRD = bird(RED, "192.0.2.64/26", f"""
protocol bgp up {{
    local {LEFT} as 65001; neighbor {UP} as 65000; connect delay time 1; connect retry time 1; {CHANNELS}
}}
protocol static nets6 {{ ipv6; route 2001:db8:100::/48 blackhole; }}
protocol bgp up6 {{
    local {LEFT6} as 65001; neighbor {UP6} as 65000; connect delay time 1; connect retry time 1;
    ipv6 {{ import none; export where proto = "nets6"; }};
}}
""")
RIGHT_BIRD = bird(BLUE, "192.0.2.128/26", f"""
protocol bgp lan {{
    local {RIGHT} as 65002; neighbor {LAN} as 65000; passive yes; {CHANNELS}
}}
""")


@pytest.fixture
def lab(tmp_path):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made = Lab(tmp_path, PEERS, up={"vrf": "red"}, lan={"vrf": "blue"})
    yield made
    made.close()


def states(lab):
    return {peer["name"]: (peer["state"], peer["established_count"]) for peer in lab.router.ask("peers")}


def comes_to(lab, what, condition, *daemons):
    try:
        settle(condition, WITHIN_S)
    except AssertionError as error:
        logs = "\n".join(daemon.log.read_text() + daemon.ask("show", "protocols", "all") for daemon in daemons)
        raise AssertionError(f"{what}: {error}: {states(lab)}\n{logs}\n{lab.router.log}") from None


def test_a_session_in_each_vrf(lab):
    left = Bird(lab.left, lab.folder / "left", LEFT_BIRD)
    right = Bird(lab.right, lab.folder / "right", RIGHT_BIRD)
    once = {name: ("Established", 1) for name in ("red", "red6", "blue")}
    comes_to(lab, "sessions", lambda: states(lab) == once, left, right)
    comes_to(lab, "rules", lambda: {rule["source"]["peer"] for rule in lab.router.ask("rules")} == {"red", "blue"},
             left, right)
    comes_to(lab, "routes", lambda: {route["prefix"] for route in lab.router.ask("routes") if route.get("paths")} >=
             {"192.0.2.64/26", "192.0.2.128/26", "2001:db8:100::/48"}, left, right)
    # what one of them said is handed on to the other, through the other VRF
    comes_to(lab, "rules handed on", lambda: "192.0.2.64/26" in right.ask("show", "route", "table", "flow4tab"), left,
             right)
    assert not ping(lab.left, RIGHT, "-W", "1", count=1)  # they are apart
    right.stop()
    comes_to(lab, "the end of one", lambda: states(lab)["blue"][0] != "Established", left, right)
    right = Bird(lab.right, lab.folder / "again", RIGHT_BIRD)
    comes_to(lab, "the session again", lambda: states(lab)["blue"] == ("Established", 2), left, right)
    assert states(lab)["red"] == ("Established", 1)
    lab.balanced()
