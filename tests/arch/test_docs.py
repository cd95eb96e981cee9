# SPDX-License-Identifier: BSD-3-Clause
"""What the README and the manual tell people to type, open and look for exists."""
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from tree import ROOT, files, name_of

BUILD = Path(os.environ.get("FLOODGATE_BUILD", ROOT / "build"))
PAGES = [ROOT / "README.md", *files(".md", under="docs")]
PROGRAMS = {"floodgate", "fgctl", "fginject", "fgdemo", "fgbench", "floodgate-snmp"}
# What a Debian machine with the packages of `run` has, and what `sudo` may stand before.
SYSTEM = {"cat", "cp", "echo", "mkdir", "git", "python3", "tcpdump", "journalctl", "cd", "EOF", "snmpbulkwalk"}
NIC_SYSTEM = SYSTEM | {"install", "dpdk-devbind.py", "modprobe", "sysctl", "systemctl"}


def blocks():
    """(page, is it marked as needing NICs, its lines) of each sh block; here-documents are skipped."""
    for page in PAGES:
        for mark, text in re.findall(r"^```sh( nic)?\n(.*?)^```", page.read_text(), re.M | re.S):
            text = re.sub(r"<<'EOF'\n.*?^EOF$", "", text, flags=re.M | re.S)
            yield page, bool(mark), [line for line in text.splitlines() if line and not line.startswith("#")]


COMMANDS = [pytest.param(line, nic, id=f"{name_of(page)}: {line[:50]}")
            for page, nic, lines in blocks() for line in lines]


def said_by(program, *args):
    done = subprocess.run([BUILD / "app" / program / program, *args, "--help"], capture_output=True, text=True,
                          timeout=10, check=False)
    return done.stdout + done.stderr


def check_run(words):
    text = said = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  {re.escape(words[0])}\b", text, re.M), said
    if words[0] == "test":
        steps = re.search(r"steps: ([a-z0-9 ]+)", text).group(1).split()
        assert set(words[1:]) <= set(steps)
    if words[0] == "bench" and len(words) > 1:
        check_program("fgbench", words[1:])
    if words[0] == "fuzz":
        for target in [word for word in words[1:] if not word.isdigit()]:
            assert (ROOT / "tests" / "fuzz" / f"{target}_fuzz.c").exists()


def check_program(program, words):
    text = said_by(program)
    if program == "fgctl":
        words = words[2:] if words[0] == "-s" else words
        words = [word for word in words if word != "-j"]
        assert re.search(rf"^  {words[0]} ", text, re.M), f"fgctl has no command {words[0]}"
        text = said_by("fgctl", words[0])
        if words[0] in ("rule", "peer", "dataplane"):
            verb = words[2] if words[0] == "peer" and len(words) > 2 else words[1]
            assert verb in text, f"fgctl {words[0]} has no {verb}"
    for option in [word for word in words if word.startswith("--")]:
        assert option in text, f"{program} has no {option}"


@pytest.mark.parametrize("line, nic", COMMANDS)
def test_a_command_exists(line, nic):
    words = shlex.split(line.split(" > ")[0] if "<<" in line else line)
    if words[0] == "sudo":
        words = words[1:]
    program = Path(words[0]).name
    if words[0] == "./run":
        check_run(words[1:])
    elif program in PROGRAMS:
        check_program(program, words[1:])
    else:
        assert program in (NIC_SYSTEM if nic else SYSTEM), f"what is {program}?"


def test_files_that_are_named_exist():
    wrong = []
    for page in PAGES:
        text = page.read_text()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (page.parent / target).exists():
                wrong.append(f"{name_of(page)}: link {target}")
        for path in re.findall(r"`((?:app|lib|tests|config|docs|pktgen-profiles)/[\w./-]+)`", text):
            if not (ROOT / path).exists():
                wrong.append(f"{name_of(page)}: {path}")
        for name, section in re.findall(r"\b(f[\w.-]+)\(([1-8])\)", text):
            if not (ROOT / "docs" / "man" / f"{name}.{section}").exists():
                wrong.append(f"{name_of(page)}: {name}({section})")
    assert not wrong, "\n".join(wrong)


def test_messages_in_the_troubleshooting_page_are_those_of_the_programs():
    source = "".join(path.read_text() for path in files(".c", under="app") + files(".c", under="lib"))
    source = re.sub(r'"\s*\n\s*"', "", source)  # literals that go on in the next line
    messages = re.findall(r"^### `(.*)`$", (ROOT / "docs" / "troubleshooting.md").read_text(), re.M)
    assert len(messages) > 15
    wrong = [(message, part) for message in messages for part in message.split("…")
             if len(part.strip(" :'")) > 2 and part.strip(" ") not in source]
    assert not wrong, wrong


def test_the_table_of_the_architecture_page_is_that_of_the_tests():
    import layout
    rows = re.findall(r"^\| `lib/(\w+)` \|.*\| ([^|]+) \|$", (ROOT / "docs/architecture.md").read_text(), re.M)
    assert {name for name, _ in rows} == {path.name for path in (ROOT / "lib").iterdir() if path.is_dir()}
    for name, allowed in rows:
        assert layout.LIBS[name]["folders"] <= set(re.findall(r"\w+", allowed)), name
