# SPDX-License-Identifier: BSD-3-Clause
"""Runs fgbench for a moment and checks that its records are what the manual says; never that they are fast."""
import json
import subprocess
import sys
import tempfile

TEXTS = {"bench", "family", "traffic", "engine"}
STAGES = {"rx", "parse", "classify", "act", "tx"}
ROUTE_STAGES = STAGES | {"local", "lookup", "forward"}
NEEDED = {
    "classify": {"ip", "rules", "cycles_per_packet", "best_cycles_per_packet", "mpps", "build_s"},
    "update": {"ip", "rules", "p50_us", "p99_us", "p999_us", "max_us", "per_second", "worker_loss_percent", "build_s",
               "memory_bytes"},
    "fib": {"ip", "rules", "build_s", "per_second"},
    "pipeline": {"ip", "rules", "stage", "cycles_per_packet"},
    "validate": {"ip", "rules", "ratio"},
}


def check(record, command):
    assert record["bench"] == command, record
    assert TEXTS | NEEDED[command] <= record.keys(), f"missing: {TEXTS | NEEDED[command] - record.keys()}"
    for name, value in record.items():
        is_text = name in TEXTS or name == "stage"
        assert isinstance(value, str) == is_text, f"{name}: {value!r}"
        assert is_text or value >= 0, f"{name}: {value}"


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
    if command == "fib":  # every lookup that was compared was right, or there would be no record
        assert [(r["ip"], r["traffic"]) for r in records] == [
            (ip, traffic) for ip in (4, 6) for traffic in ("hit-uniform", "withdrawals")], records
        assert all(r["cycles_per_packet"] > 0 and r["memory_bytes"] > 1e6 for r in records[::2]), records
    if command == "pipeline":
        stages = {}
        for record in records:
            stages.setdefault(record["family"], set()).add(record["stage"])
        assert stages["wire-accept"] == STAGES | {"total"}, stages
        assert stages["route-limit"] == ROUTE_STAGES | {"total", "policer"}, stages
        assert stages["route-mark"] == ROUTE_STAGES | {"total", "mark"}, stages
    if command == "classify":
        engines = {record["engine"] for record in records}
        assert {"floodgate-scalar", "rte_acl"} <= engines, engines
        assert all("ratio" in r for r in records if r["engine"].startswith("floodgate")), "no ratio"
        assert {record["ip"] for record in records} == {4, 6}


main(*sys.argv[1:])
