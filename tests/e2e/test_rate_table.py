# SPDX-License-Identifier: BSD-3-Clause
"""A short tests/rate_table.py: its rows are the rates, and their figures parse; never that they are exact, for a busy
machine offers too little in so short a time."""
import re
import subprocess
import sys

from router import ROOT

FIGURE = re.compile(r"[0-9.e+]+ (kbit/s|packets/s)")
OFF = re.compile(r"[+-]\d+\.\d\d %")


def test_the_tables_of_the_manual_come_out():
    command = [sys.executable, str(ROOT / "tests" / "rate_table.py"), "--seconds", "0.3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    tables = [block.splitlines() for block in done.stdout.strip().split("\n\n")]
    assert [len(table) for table in tables] == [2 + 12, 2 + 7], done.stdout
    for row in (row for table in tables for row in table[2:]):
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        assert re.fullmatch(r"\d+(kbps|mbps|gbps|pps|kpps)", cells[0]) and len(cells) == 6, row
        for shown, off in (cells[2:4], cells[4:6]):
            assert (FIGURE.fullmatch(shown) and OFF.fullmatch(off)) or (shown, off) == ("not offered", ""), row
