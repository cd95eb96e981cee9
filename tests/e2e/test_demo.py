# SPDX-License-Identifier: BSD-3-Clause
"""`./run demo`, as a person calls it: what it shows, and that it leaves nothing behind."""
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from router import BUILD, ROOT, balanced

pytestmark = pytest.mark.skipif(BUILD != ROOT / "build", reason="the demo has a build of its own")


def run(*args, cwd="/"):
    return subprocess.run([ROOT / "run", *args], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def processes_of(folder):
    """Command lines of processes whose working directory is the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(folder):
                found.append((entry / "cmdline").read_bytes().split(b"\0")[0])
        except OSError:  # it has gone meanwhile, or is another user's
            pass
    return [command for command in found if command.endswith((b"/floodgate", b"/fginject"))]


def test_the_demo_lets_the_clean_traffic_out_and_nothing_else():
    done = run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nidentical: 10000 packets\n" in done.stdout
    for word in ("received", "sent", "flowspec_discard", "source-port =123", "2001:db8:7::53/128", "./run demo --keep"):
        assert word in done.stdout
    assert not done.stderr
    stats = json.loads((ROOT / "out/demo/stats.json").read_text())
    assert balanced(stats) and stats["tx_packets"] == 10000
    assert sum(rule["dropped_packets"] for rule in stats["rules"]) == stats["drops"]["flowspec_discard"]
    assert {rule["family"] for rule in stats["rules"]} == {"ipv4", "ipv6"}
    assert not processes_of(ROOT)


def test_a_demo_that_cannot_start_says_why():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 11790))
        taken.listen()
        done = run("demo")
    assert done.returncode == 1
    assert "11790" in done.stderr and "out/demo/floodgate.log" in done.stderr
    assert not processes_of(ROOT)


@pytest.mark.parametrize("args, word", [(["nonsense"], "nonsense"), (["demo", "--fast"], "--fast"),
                                        (["test", "nonsense"], "nonsense"), (["fuzz", "1", "nonsense"], "nonsense"),
                                        (["install", "relative"], "relative")])
def test_wrong_words_are_named(args, word):
    done = run(*args)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("run: ") and word in done.stderr.splitlines()[-1]
