# SPDX-License-Identifier: BSD-3-Clause
"""A short `./run bench`: the page and the plot come out, and their figures parse; never that they are fast."""
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree


def rows_of(text, head):
    block = text.split(head, 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines()[2:]]


def main(script, fgbench):
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.executable, script, "--quick", "--minutes", "3", "--fgbench", fgbench, "--out", out],
                       check=True)
        text = (pathlib.Path(out) / "performance.md").read_text(encoding="utf-8")
        plot = xml.etree.ElementTree.parse(pathlib.Path(out) / "performance.svg")
    rows = rows_of(text, "## Cycles per packet, IPv4")
    assert {row[0] for row in rows} == {"victims", "portscan"}, rows
    for row in rows:
        assert len(row) == 6 and all(re.fullmatch(r"\d+ / \d+ / \d+\.\d\d", cell) for cell in row[2:]), row
    for row in rows_of(text, "## Changes"):
        assert all(re.fullmatch(r"\d+(\.\d+)?", cell) for cell in row[3:]), row
    assert len(rows_of(text, "## The instruction sets")) == 2
    assert all(f"\n- {what}: " in text for what in ("processor", "system", "compiler")), text
    assert len(plot.findall(".//{http://www.w3.org/2000/svg}polyline")) == 4


main(*sys.argv[1:])
