# SPDX-License-Identifier: BSD-3-Clause
"""BIRD announces a rule, and a route that bears it out: RFC 9117 with a peer that is not ours."""
import signal

import pytest
from daemons import Bird
from router import Config, Peer, wait_for

ADDRESS = "127.0.0.24"
WAIT_S = 30
RULE = {"family": "ipv4", "destination": "203.0.113.7/32", "protocol": "udp"}


class BirdWithRoutes(Bird):
    """Unicast routes beside the rules."""

    routes = ()

    def _write(self):
        super()._write()
        path = self.folder / "bird.conf"
        static = "".join(f"    route {prefix} blackhole;\n" for prefix in self.routes)
        text = path.read_text().replace("    flow4 { table flow4tab; import none; export all; };",
                                        "    ipv4 { import none; export all; };\n"
                                        "    flow4 { table flow4tab; import none; export all; };")
        path.write_text(text + f"protocol static unicast4 {{\n    ipv4;\n{static}}}\n")

    def set_routes(self, *prefixes):
        self.routes = prefixes
        self._configure()


@pytest.mark.skipif(not BirdWithRoutes.available(), reason="bird is not installed")
# conforms: RFC 9117 proves 4.1-6
def test_a_rule_comes_and_goes_with_the_route_under_it(tmp_path, start):
    families = ["ipv4-unicast", "ipv4-flowspec", "ipv6-flowspec"]
    router = start(Config(peers=[Peer("customer", ADDRESS, validation="rfc9117", options={"families": families})]))
    bird = BirdWithRoutes(tmp_path / "bird", ADDRESS, 65001, router.config.bgp_port, 65000)
    bird.start()
    try:
        wait_for("the session", lambda: router.peer("customer")["state"] == "Established", WAIT_S)
        bird.announce(RULE)
        rejected = router.wait_rules(1, "rejected", WAIT_S)[0]
        assert rejected["reason"].startswith("infeasible: no unicast route covers 203.0.113.7/32")
        bird.set_routes("203.0.113.0/24", "198.51.100.0/24")
        router.wait_rules(1, "active", WAIT_S)
        assert [r["prefix"] for r in router.ask("routes")] == ["198.51.100.0/24", "203.0.113.0/24"]
        bird.set_routes("198.51.100.0/24")
        router.wait_rules(1, "rejected", WAIT_S)
        bird.set_routes("203.0.112.0/23", "198.51.100.0/24")
        router.wait_rules(1, "active", WAIT_S)
        bird.stop(signal.SIGKILL)
        router.wait_rules(0, seconds=WAIT_S)
        wait_for("no routes", lambda: router.ask("routes") == [], WAIT_S)
    finally:
        bird.stop(signal.SIGKILL)
