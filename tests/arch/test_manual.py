# SPDX-License-Identifier: BSD-3-Clause
"""The manual and the programs name the same things."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def text(path):
    return (ROOT / path).read_text()


def table(source, name):
    """The first string of each row of a C table."""
    body = re.search(name + r"\[\] = \{\n(.*?)\n\};", text(source), re.S).group(1)
    return re.findall(r'\{"([a-z-]+)",', body)


def test_every_command_of_fgctl_is_in_its_manual_page():
    page = text("docs/man/fgctl.1")
    commands = table("app/fgctl/main.c", "COMMANDS")
    assert len(commands) > 10
    named = " ".join(re.findall(r"^\.(?:It )?Cm (.*)$", page, re.M)).replace(",", " ").split()
    assert not set(commands) - set(named)


def test_every_command_of_the_api_is_in_its_page_and_no_other():
    page = text("docs/api.md")
    commands = table("app/floodgate/manage/api_commands.c", "COMMANDS")
    rows = re.search(r"\| command \| `args` .*?\n\n", page, re.S).group(0).splitlines()[2:]
    listed = [name for row in rows if row for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])]
    assert sorted(listed) == sorted(commands)


@pytest.mark.parametrize("program", ["floodgate", "floodgate-snmp"])
def test_every_option_of_a_daemon_is_in_its_manual_page(program):
    page = text(f"docs/man/{program}.8").replace("-", "").replace("Fl ", "").replace("\\", "")
    options = table(f"app/{program}/options.c", "LONG_OPTIONS")
    assert len(options) > 5
    for option in options:
        assert option.replace("-", "") in page, option


def test_every_object_and_notification_that_the_snmp_page_names_is_in_the_mib():
    mib = text("config/FLOODGATE-MIB.txt")
    named = set(re.findall(r"\bfloodgate[A-Z]\w+", text("docs/snmp.md") + text("docs/policy.md")))
    assert len(named) > 15
    assert not {name for name in named if not re.search(rf"^{name}\b", mib, re.M)}
