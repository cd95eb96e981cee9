# SPDX-License-Identifier: BSD-3-Clause
"""A port's link goes down under next hops of BIRD's routes (RFC 4271 9.1.2), and another BIRD is told so (9.1.3)."""
import pytest
from lab import LEFT, RIGHT, UP, Bird, Lab, address, settle, why_not

WATCHER = "198.51.100.3"
FAR, NEAR = "192.0.2.0/25", "192.0.2.128/25"
SETTINGS = f"""
bgp:
  restart-deferral: 0
  listen: [{{address: {UP}}}]
  peers:
    - {{name: left, address: {LEFT}, asn: 65001, passive: true, families: [ipv4-unicast]}}
    - {{name: watcher, address: {WATCHER}, asn: 65000, passive: true, families: [ipv4-unicast], announce: all}}
"""
BIRD_LEFT = f"""
router id 192.0.2.23;
protocol device {{ }}
protocol static nets {{ ipv4; route {FAR} blackhole; route {NEAR} blackhole; }}
protocol bgp up {{
    local {LEFT} as 65001; neighbor {UP} as 65000; strict bind yes; connect delay time 1; connect retry time 1;
    ipv4 {{ import none; export filter {{ if net = {FAR} then bgp_next_hop = {RIGHT}; accept; }}; }};
}}
"""
BIRD_WATCHER = f"""
router id 192.0.2.24;
protocol device {{ }}
protocol bgp up {{
    local {WATCHER} as 65000; neighbor {UP} as 65000; direct; strict bind yes;
    connect delay time 1; connect retry time 1;
    ipv4 {{ gateway recursive; import all; export none; }};
}}
"""


@pytest.fixture
def lab(tmp_path):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made = Lab(tmp_path, SETTINGS)
    yield made
    made.close()


# conforms: RFC 4271 proves 9.1.2-3 9.1.3-2
def test_a_link_goes_down_and_comes_back(lab, tmp_path):
    address(lab.left, "eth0", f"{WATCHER}/24")
    Bird(lab.left, tmp_path / "left", BIRD_LEFT)
    watcher = Bird(lab.left, tmp_path / "watcher", BIRD_WATCHER)

    def told(*prefixes):
        shown = watcher.ask("show", "route")
        return all((prefix in shown) == (prefix in prefixes) for prefix in (FAR, NEAR))

    def path(prefix):
        return lab.router.ask("routes", prefix)[0]["paths"][0]
    settle(lambda: told(FAR, NEAR), 120)
    assert path(FAR)["next_hop"] == RIGHT and path(FAR)["metric"] == 0
    for _ in range(2):
        lab.right.ip("link", "set", "eth0", "down")
        settle(lambda: told(NEAR), 60)
        assert path(FAR)["unreachable"] == "the link is down" and not path(FAR)["best"] and path(NEAR)["best"]
        assert {port["name"]: port["link"] for port in lab.router.ask("ports")} == {"up": "up", "lan": "down"}
        lab.right.ip("link", "set", "eth0", "up")
        settle(lambda: told(FAR, NEAR), 60)
    assert {peer["established_count"] for peer in lab.router.ask("peers")} == {1}
