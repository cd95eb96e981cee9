# SPDX-License-Identifier: BSD-3-Clause
"""The tree as these tests see it: its files (what is built left out), includes, and functions."""
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = re.compile(r"^(\.git|build.*|out|__pycache__|\.pytest_cache)$")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def files(*suffixes, under="."):
    found = []
    for folder, folders, names in os.walk(ROOT / under):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        found += [Path(folder) / name for name in sorted(names) if not suffixes or name.endswith(suffixes)]
    return found


def name_of(path):
    return str(path.relative_to(ROOT))


def includes(path):
    """(is it "quoted", what) of each #include."""
    return [(quote == '"', what) for quote, what in INCLUDE.findall(path.read_text())]


def functions(path):
    """(name, lines) of each function: its body starts with a brace in the first column and ends with one."""
    found = []
    start = None
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line == "{" and number and lines[number - 1].rstrip().endswith(")"):
            start = number
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 3):start])
            name = re.findall(r"(\w+)\(", head)
            found.append((name[-1] if name else "?", number - start - 1))
            start = None
    return found
