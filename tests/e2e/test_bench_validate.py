# SPDX-License-Identifier: BSD-3-Clause
"""fgbench validate runs a router of its own through every step: not how fast, but that each rule gets the verdict that
it must get (fgbench compares) and that figures come out."""
import json
import subprocess

from router import program


def test_each_rule_gets_its_verdict_and_sampling_is_measured(tmp_path):
    done = subprocess.run([program("fgbench"), "validate", "--quick", "--json", str(tmp_path / "figures.json")],
                          text=True, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts, *samplings = json.loads((tmp_path / "figures.json").read_text())
    assert (verdicts["family"], verdicts["traffic"], verdicts["rules"]) == ("verdicts", "every-step", 2000)
    assert verdicts["per_second"] > 0 and verdicts["ratio"] > 0 and verdicts["cpu_s"] > 0
    assert [point["traffic"] for point in samplings] == ["1-in-1000", "1-in-100"]
    for point in samplings:
        assert point["mpps"] > 0 and point["ratio"] > 0 and 0 <= point["worker_loss_percent"] <= 100
