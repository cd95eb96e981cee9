# SPDX-License-Identifier: BSD-3-Clause
"""Runs fgbench for a moment and checks that its records are what the manual says; never that they are fast."""
import json
import subprocess
import sys
import tempfile

TEXTS = {"bench", "family", "traffic", "engine"}
NEEDED = {
    "classify": {"ip", "rules", "cycles_per_packet", "best_cycles_per_packet", "mpps", "build_s"},
    "update": {"ip", "rules", "p50_us", "p99_us", "p999_us", "max_us", "per_second", "worker_loss_percent", "build_s",
               "memory_bytes"},
    "validate": {"ip", "rules", "ratio"},
}


def check(record, command):
    assert record["bench"] == command, record
    assert TEXTS | NEEDED[command] <= record.keys(), f"missing: {TEXTS | NEEDED[command] - record.keys()}"
    for name, value in record.items():
        assert isinstance(value, str) == (name in TEXTS), f"{name}: {value!r}"
        assert name in TEXTS or value >= 0, f"{name}: {value}"


def main(program, command, *family):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        options = [word for name in family for word in ("--family", name)]
        subprocess.run([program, command, "--quick", *options, "--json", file.name], check=True)
        records = json.load(file)
    assert records, "no record"
    for record in records:
        check(record, command)
    if command == "validate":  # a step that is off would not give the verdicts that must come out: fgbench compares
        verdicts, *samplings = records
        assert {"build_s", "cpu_s", "per_second"} <= verdicts.keys() and verdicts["per_second"] > 0, verdicts
        assert [record["traffic"] for record in samplings] == ["1-in-1000", "1-in-100"], samplings
        assert all(record["mpps"] > 0 and record["worker_loss_percent"] <= 100 for record in samplings), samplings
    if command == "classify":
        engines = {record["engine"] for record in records}
        assert {"floodgate-scalar", "rte_acl"} <= engines, engines
        assert all("ratio" in r for r in records if r["engine"].startswith("floodgate")), "no ratio"
        assert {record["ip"] for record in records} == {4, 6}


main(*sys.argv[1:])
