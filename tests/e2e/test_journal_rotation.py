# SPDX-License-Identifier: BSD-3-Clause
"""What was decided stays in the journal when its files are rotated, and survives a restart after many verdicts."""
from router import Config, Peer, wait_for


def test_a_suspended_rule_is_still_so_after_two_rotations_and_a_restart(start, tmp_path):
    rules = [f"match destination 203.0.{n // 250}.{n % 250}/32 protocol =udp source-port =123 then discard"
             for n in range(2500)]
    kept = "match destination 198.51.100.1/32 then discard"
    config = Config(rules=[kept], peers=[Peer()], extra="journal: {file: verdicts, max-size: 1, entries: 100}\n")
    router = start(config)
    rule, = router.ask("rules")
    router.ask("rule", "suspend", str(rule["id"]))
    rotated = tmp_path / "verdicts.1"
    sizes = set()
    while len(sizes) < 2:  # each session brings some hundred KiB of verdicts
        controller = router.inject(rules)
        wait_for("the rules", lambda: router.ask("status")["rules"]["active"] == len(rules), 60)
        controller.terminate()
        controller.wait()
        wait_for("no rules", lambda: router.ask("status")["rules"]["active"] == 0, 60)
        if rotated.exists():
            sizes.add(rotated.stat().st_ino)
    router.stop()
    router = start(config)
    shown, = router.ask("rules")
    assert (shown["state"], shown["reason"].split(":")[0]) == ("suspended", "operator")
