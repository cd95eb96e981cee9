# SPDX-License-Identifier: BSD-3-Clause
"""The manual and the programs name the same things."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text(path):
    return (ROOT / path).read_text()


def table(source, name):
    """The first string of each row of a C table."""
    body = re.search(name + r"\[\] = \{\n(.*?)\n\};", text(source), re.S).group(1)
    return re.findall(r'^    \{"([a-z-]+)",', body, re.M)


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


def test_every_option_of_floodgate_is_in_its_manual_page():
    page = text("docs/man/floodgate.8").replace("-", "").replace("Fl ", "").replace("\\", "")
    for option in table("app/floodgate/options.c", "LONG_OPTIONS"):
        assert option.replace("-", "") in page, option
