# SPDX-License-Identifier: BSD-3-Clause
"""fgbench bgp feeds a router of its own, and what it sent is there: not how fast, but that figures come out."""
import json
import subprocess

from router import program


def test_rules_and_routes_are_taken_in(tmp_path):
    done = subprocess.run([program("fgbench"), "bgp", "--quick", "--json", str(tmp_path / "figures.json")], text=True,
                          capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rules, routes, full, lost = json.loads((tmp_path / "figures.json").read_text())
    assert (rules["family"], rules["engine"], rules["rules"]) == ("rules", "floodgate", 2000)
    assert (routes["family"], routes["engine"], routes["rules"]) == ("routes", "floodgate", 20000)
    assert (full["family"], full["engine"], full["rules"]) == ("full", "floodgate", 2000)  # and of each of four peers
    assert full["ratio"] > 1, full  # less than 2 GiB
    assert (lost["family"], lost["engine"]) == ("lost", "floodgate")
    assert lost["build_s"] > 0 and lost["max_us"] > 0, lost
    for point in (rules, routes, full):
        assert point["per_second"] > 0 and point["build_s"] > 0 and point["memory_bytes"] > 0
