# SPDX-License-Identifier: BSD-3-Clause
"""Prints `PASSED FAILED` of a test report: `tally.py meson testlog.json` or `tally.py junit report.xml`.

A report that is missing or cannot be read counts as one failure. Tests that were skipped count as neither.
"""
import json
import re
import sys
import xml.etree.ElementTree as ET


def tally_meson(path):
    """One JSON object a line, a test program each; cmocka says in its output how many tests the program holds."""
    passed = failed = 0
    with open(path, encoding="utf-8") as report:
        for line in report:
            test = json.loads(line)
            if test["result"] == "SKIP":
                continue
            output = test.get("stdout", "") + test.get("stderr", "")
            inside = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", output))
            broken = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test", output))
            if test["result"] == "OK":
                passed += max(inside, 1)
            else:
                passed += inside
                failed += max(broken, 1)
    return passed, failed


def tally_junit(path):
    passed = failed = 0
    for case in ET.parse(path).getroot().iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed += 1
        elif "skipped" not in outcomes:
            passed += 1
    return passed, failed


def main():
    kind, path = sys.argv[1:]
    try:
        passed, failed = {"meson": tally_meson, "junit": tally_junit}[kind](path)
    except (OSError, ValueError, ET.ParseError) as problem:
        print(f"tally: {path}: {problem}", file=sys.stderr)
        passed, failed = 0, 1
    print(passed, failed)


main()
