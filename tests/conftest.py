# SPDX-License-Identifier: BSD-3-Clause
"""Shared set-up of the e2e and interop tests: tests/common on the path, and routers that always end."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "common"))


@pytest.fixture
def play(tmp_path):
    """play(frames, rules=[...]) -> Run: see router.play."""
    import router

    return lambda frames, rules=(), **options: router.play(tmp_path, frames, rules, **options)


@pytest.fixture
def start(tmp_path):
    """start(Config(...), frames=[...], args=[...]) -> a Router that is READY; killed when the test ends."""
    import router

    running = []

    def start_router(config=None, **options):
        running.append(router.Router(tmp_path, config, **options))
        running[-1].spawn()
        running[-1].wait_ready()
        return running[-1]

    yield start_router
    for each in running:
        each.kill()
