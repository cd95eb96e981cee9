# SPDX-License-Identifier: BSD-3-Clause
"""The MIB: clean for smilint, loaded by net-snmp's tools, and the same as what floodgate-snmp serves."""
import os
import re
import subprocess

import mib
import pytest
from router import ROOT, Config, Peer, end, wait_for
from snmp import ROOT_OID, Manager, value_of

STUBS = ROOT / "tests" / "mibs"


def lint(tmp_path, text):
    """What smilint says at its strictest: nothing of a clean module. It always exits with 0."""
    (tmp_path / "smi.conf").write_text(f"path {STUBS}\n")
    (tmp_path / "FLOODGATE-MIB.txt").write_text(text)
    done = subprocess.run(["smilint", "-c", "smi.conf", "-l", "6", "-s", "FLOODGATE-MIB.txt"], cwd=tmp_path, text=True,
                          capture_output=True, check=True)
    return done.stdout + done.stderr


def test_smilint_finds_nothing(tmp_path):
    assert lint(tmp_path, mib.FILE.read_text()) == ""


@pytest.mark.parametrize(("old", "new"), [
    ("SYNTAX      Counter64", "SYNTAX      Counter65"),
    ("::= { floodgatePackets 7 }", "::= { floodgatePackets 6 }"),
    ("INDEX       { floodgateRuleId }", "INDEX       { floodgateRuleNumber }"),
    ("floodgateEventRule, floodgateEventMatch,", "floodgateEventRule, floodgateEventNothing,"),
    ("    FROM SNMPv2-TC", "    FROM SNMPv2-NONE"),
])
def test_smilint_with_our_base_modules_does_find_mistakes(tmp_path, old, new):
    text = mib.FILE.read_text()
    assert old in text
    assert lint(tmp_path, text.replace(old, new, 1)) != ""


def test_net_snmp_translates_its_names(tmp_path):
    env = {**os.environ, "MIBDIRS": f"{STUBS}:{mib.FILE.parent}", "MIBS": "FLOODGATE-MIB",
           "SNMPCONFPATH": "/nonexistent", "SNMP_PERSISTENT_DIR": str(tmp_path)}
    objects, notifications = mib.read()
    assert len(objects) > 100 and len(notifications) == 7
    names = {**{name: each.arcs for name, each in objects.items()}, **{name: arcs for name, (arcs, _) in
                                                                      notifications.items()}}
    done = subprocess.run(["snmptranslate", "-On", *(f"FLOODGATE-MIB::{name}" for name in names)], env=env, text=True,
                          capture_output=True, check=True)
    assert [line for line in done.stderr.splitlines() if not line.startswith("Created directory")] == []
    assert done.stdout.split() == [f".{ROOT_OID}.{arcs}" for arcs in names.values()]


def test_what_is_served_is_what_the_mib_says(start):
    """Each object that is there is defined, with its type and its values; and what is defined is there."""
    router = start(Config(rules=["match destination 203.0.113.7/32 then discard"], peers=[Peer(options={"families": [
        "ipv4-flowspec"]})]))
    session = router.inject(["match destination 203.0.113.9/32 then discard"])
    router.wait_rules(2)
    objects, _ = mib.read()
    with Manager(router.folder) as manager:
        manager.subagent()
        wait_for("the peer's rule", lambda: manager.get("1.2.1.0") == 2)
        text = manager.query("snmpbulkwalk", arcs="1")
    end(session)
    seen = set()
    by_arcs = {each.arcs: each for each in objects.values()}
    for name, value in re.findall(rf"^\.{re.escape(ROOT_OID)}\.([\d.]+) = (.*)$", text, re.M):
        group, *arcs = name.split(".")[1:]
        column = f"1.{group}.1.{arcs[1]}" if f"1.{group}.1.2" in by_arcs else f"1.{group}.{arcs[0]}"
        found = by_arcs[column]
        kind = value.split(":")[0] if value != '""' else "STRING"
        assert kind == found.syntax, (found, value)
        assert found.access == "read-only", found
        assert not found.values or value_of(value) in found.values, (found, value)
        seen.add(found.name)
    readable = {each.name for each in objects.values() if each.access == "read-only"}
    assert readable == seen
