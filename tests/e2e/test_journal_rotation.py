# SPDX-License-Identifier: BSD-3-Clause
"""What was decided stays in the journal when its files are rotated, and survives a restart after many verdicts."""
import os
from pathlib import Path

from router import Config, Peer, wait_for


RULES = [f"match destination 203.0.{n // 250}.{n % 250}/32 protocol =udp source-port =123 then discard"
         for n in range(2500)]


def fill(router, rules, rotated, times):
    """Sessions come and go, each with some hundred KiB of verdicts, until the file was rotated so often."""
    seen = set()
    while len(seen) < times:
        controller = router.inject(rules)
        wait_for("the rules", lambda: router.ask("status")["rules"]["active"] == len(rules), 60)
        controller.terminate()
        controller.wait()
        wait_for("no rules", lambda: router.ask("status")["rules"]["active"] == 0, 60)
        if rotated.exists():
            seen.add((rotated.stat().st_ino, rotated.stat().st_mtime_ns))


def test_a_suspended_rule_is_still_so_after_two_rotations_and_a_restart(start, tmp_path):
    kept = "match destination 198.51.100.1/32 then discard"
    config = Config(rules=[kept], peers=[Peer()], extra="journal: {file: verdicts, max-size: 1, entries: 100}\n")
    router = start(config)
    rule, = router.ask("rules")
    router.ask("rule", "suspend", str(rule["id"]))
    fill(router, RULES, tmp_path / "verdicts.1", 2)
    router.stop()
    router = start(config)
    shown, = router.ask("rules")
    assert (shown["state"], shown["reason"].split(":")[0]) == ("suspended", "operator")


def test_a_decision_that_waits_for_its_rule_outlives_rotations_and_restarts(start, tmp_path):
    """The peer is away when the router starts again, and comes back only after the files have gone twice."""
    kept = "match destination 198.51.100.1/32 then discard"
    config = Config(peers=[Peer()], extra="journal: {file: verdicts, max-size: 1, entries: 100}\n")
    router = start(config)
    controller = router.inject([kept])
    rule, = router.wait_rules(1)
    router.ask("rule", "suspend", str(rule["id"]))
    router.stop()
    controller.communicate(timeout=60)
    router = start(config)
    assert "1 rule was decided about before" in router.log
    fill(router, RULES, tmp_path / "verdicts.1", 2)
    router.stop()
    router = start(config)
    controller = router.inject([kept])
    shown, = router.wait_rules(1, "suspended")
    assert shown["reason"].split(":")[0] == "operator"
    controller.terminate()
    controller.wait()


def test_the_thread_that_writes_it_runs_where_no_worker_does(start):
    router = start(Config(extra="journal: {file: verdicts}\n"))
    tasks = Path(f"/proc/{router.process.pid}/task")
    journal, = [task.name for task in tasks.iterdir() if (task / "comm").read_text() == "journal\n"]
    ours = os.sched_getaffinity(0)
    workers = {worker["cpu"] for worker in router.ask("workers")}
    assert os.sched_getaffinity(int(journal)) == (ours - workers or ours)
