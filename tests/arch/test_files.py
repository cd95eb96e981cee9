# SPDX-License-Identifier: BSD-3-Clause
"""Sizes and manners of files."""
import layout
from tree import files, functions, name_of

CODE = (".c", ".h", ".py", ".sh")


def test_no_file_is_longer_than_it_may_be():
    wrong = []
    for path in files(*CODE):
        lines = len(path.read_text().splitlines())
        if lines > layout.FILE_LINES_MAX:
            wrong.append(f"{name_of(path)}: {lines} lines")
    assert not wrong, "\n".join(wrong)


def test_no_function_is_longer_than_it_may_be():
    seen = [(path, name, lines) for path in files(".c") for name, lines in functions(path)]
    assert len(seen) > 50, "the search for functions finds none"
    wrong = [f"{name_of(path)}: {name} has {lines} lines" for path, name, lines in seen
             if lines > layout.FUNCTION_LINES_MAX]
    assert not wrong, "\n".join(wrong)


def test_every_file_of_code_names_its_licence():
    wrong = [name_of(path) for path in files(*CODE, "run")
             if "SPDX-License-Identifier: BSD-3-Clause" not in "\n".join(path.read_text().splitlines()[:3])]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_to_do():
    words = ["TO" + "DO", "FIX" + "ME"]
    wrong = []
    for path in files(*CODE, ".build", ".md", ".yaml", ".conf", "run"):
        text = path.read_text()
        wrong += [f"{name_of(path)}: {word}" for word in words if word in text]
    assert not wrong, "\n".join(wrong)


def test_lines_fit_the_screen():
    wrong = []
    for path in files(*CODE, "run"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > 120 or line != line.rstrip():
                wrong.append(f"{name_of(path)}:{number}")
    assert not wrong, "\n".join(wrong)
