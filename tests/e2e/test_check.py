# SPDX-License-Identifier: BSD-3-Clause
"""`floodgate --check`: every problem with its file and line, and what is right."""
import re
import subprocess

import pytest
from router import ROOT, program

GOOD = """\
router: {id: 192.0.2.1, asn: 65000}
dataplane:
  workers: [1]
  hugepages: "off"
ports:
  - {name: wan, device: "net_null0", mode: wire, peer: lan}
  - {name: lan, device: "net_null1", mode: wire, peer: wan}
bgp:
  listen: [{address: 127.0.0.1, port: 1790}]
  peers:
    - name: detector
      address: 127.0.0.2
      asn: 65001
      passive: true
rules:
  - match destination 203.0.113.7/32 protocol udp then discard
"""

# what is replaced by what: the line of the message, and words in it
BROKEN = [
    ("asn: 65000", "asn: 65000, colour: red", 1, ["colour"]),
    ("asn: 65000", "asn: many", 1, ["asn"]),
    ("asn: 65000", "asn: 4294967296", 1, ["asn", "4294967294"]),
    ("router: {id: 192.0.2.1, asn: 65000}", "router: {asn: 65000}", 1, ["id"]),
    ("192.0.2.1", "192.0.2.256", 1, ["id"]),
    ("workers: [1]", "workers: [one]", 3, ["workers"]),
    ('hugepages: "off"', "hugepages: sometimes", 4, ["hugepages", "auto", "off"]),
    ("mode: wire, peer: lan", "mode: wire, peer: moon", 6, ["moon"]),
    ("mode: wire, peer: lan", "mode: bridge, peer: lan", 6, ["mode", "wire"]),
    ("name: lan,", "name: wan,", 7, ["wan"]),
    ("port: 1790", "port: 70000", 9, ["port", "65535"]),
    ("address: 127.0.0.2", "address: localhost", 12, ["address"]),
    ("      asn: 65001\n", "", 11, ["asn"]),
    ("passive: true", "passive: perhaps", 14, ["passive"]),
    ("protocol udp", "protocol udq", 16, ["udq"]),
    ("203.0.113.7/32", "203.0.113.7/33", 16, ["203.0.113.7/33"]),
    ("then discard", "then explode", 16, ["explode"]),
    ("workers: [1]", "workers: [1", None, []),
]


def check(folder, text):
    (folder / "broken.yaml").write_text(text)
    done = subprocess.run([program("floodgate"), "-c", "broken.yaml", "--check"], cwd=folder, capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_sound_file(tmp_path):
    status, said = check(tmp_path, GOOD)
    assert status == 0, said
    assert "warning" not in said


def test_a_protection_that_is_off_is_a_warning_with_its_line(tmp_path):
    status, said = check(tmp_path, GOOD + "sense: false\n")
    assert status == 0, said
    assert said.startswith("broken.yaml:17: warning: sense is OFF: "), said
    assert "broken.yaml: OK (2 ports, 1 peer, 1 rule)" in said


@pytest.mark.parametrize("keys, words", [
    ("families: [ipv4-flowspec], announce: all", ["peer detector is told no routes", "'announce: rules'"]),
    ("families: [ipv4-unicast, ipv6-vpn], announce: all", ["no routes of ipv4-vpn and ipv6-vpn", "unchanged"]),
    ("families: [ipv4-unicast, ipv6-vpn], announce: all, next-hop: unchanged", None),
    ("families: [ipv4-unicast], announce: all", None)], ids=["no-route-family", "labels", "kept", "routes"])
def test_a_peer_that_is_told_less_than_it_seems_is_a_warning(tmp_path, keys, words):
    text = GOOD.replace("      passive: true\n", "      passive: true\n" + "".join(
        f"      {key}\n" for key in re.split(", (?=[a-z-]+: )", keys)))
    status, said = check(tmp_path, text)
    assert status == 0 and text != GOOD, said
    warnings = [line for line in said.splitlines() if "warning" in line]
    assert len(warnings) == (words is not None)
    for word in words or ():
        assert warnings[0].startswith("broken.yaml:11: warning: announce: ") and word in warnings[0]


@pytest.mark.parametrize("old, new, line, words", BROKEN, ids=[(new or old).strip()[:40] for old, new, _, _ in BROKEN])
def test_a_problem_names_its_line(tmp_path, old, new, line, words):
    assert old in GOOD
    status, said = check(tmp_path, GOOD.replace(old, new, 1))
    if line is None:  # no YAML at all: the line where that shows is the parser's to say
        assert status == 1 and re.search(r"^broken\.yaml:\d+: ", said, re.M), said
        return
    assert status == 1
    messages = [text for text in said.splitlines() if text]
    assert all(re.match(r"broken\.yaml:\d+: \S", text) for text in messages), messages
    assert any(text.startswith(f"broken.yaml:{line}: ") and all(word in text for word in words) for text in messages), \
        messages


def test_every_problem_is_told_in_the_order_of_lines(tmp_path):
    status, said = check(tmp_path, GOOD.replace("asn: 65000", "asn: many").replace("udp", "udq")
                         .replace("passive: true", "passive: perhaps"))
    assert status == 1
    assert [int(line.split(":")[1]) for line in said.splitlines()] == [1, 14, 16]


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_what_we_ship_is_sound(path):
    done = subprocess.run([program("floodgate"), "-c", str(path), "--check"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
