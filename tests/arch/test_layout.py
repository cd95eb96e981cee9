# SPDX-License-Identifier: BSD-3-Clause
"""The layout of docs/architecture.md, held against the #include lines and the build files."""
import re

import layout
from tree import ROOT, files, includes, name_of


def lib_files():
    for path in files(".c", ".h", under="lib"):
        yield path, path.relative_to(ROOT / "lib").parts[0]


def test_every_lib_folder_is_in_the_layout():
    folders = {folder for _, folder in lib_files()}
    assert folders and folders <= layout.LIBS.keys()


def complaints_of_lib(path, folder):
    allowed = layout.LIBS[folder]
    for quoted, what in includes(path):
        if quoted:
            other = what.split("/")[0]
            if other == folder or ("/" not in what and (path.parent / what).exists()):
                continue
            if other not in allowed["folders"]:
                yield f"{folder} may not include {what}"
            elif path.name not in layout.ONLY_FILES.get((folder, other), {path.name}):
                yield f"only the builder of {folder} may include {what}"
            elif what not in layout.ONLY_HEADERS.get((folder, other), {what}):
                yield f"{folder} may not see {what}"
        elif what in layout.LIB_FORBIDDEN_HEADERS or what.startswith("event2/"):
            yield f"no library uses <{what}>"
        elif what.startswith("rte_") and "rte" not in allowed["libraries"]:
            yield f"{folder} may not use DPDK: <{what}>"
        elif what == "yaml.h" and "yaml" not in allowed["libraries"]:
            yield f"{folder} may not use libyaml"


def test_libraries_include_only_what_the_layout_allows():
    wrong = [f"{name_of(path)}: {text}" for path, folder in lib_files() for text in complaints_of_lib(path, folder)]
    assert not wrong, "\n".join(wrong)


def test_programs_do_not_include_floodgate_itself():
    wrong = []
    for path in files(".c", ".h", under="app"):
        program = path.relative_to(ROOT / "app").parts[0]
        for quoted, what in includes(path):
            head = what.split("/")[0]
            local = "/" not in what
            if not quoted or head in layout.LIBS:
                continue
            if program == "floodgate" and (local or head in layout.FLOODGATE_PARTS):
                continue
            if program != "floodgate" and (local or (ROOT / "app" / program / what).exists()):
                continue
            wrong.append(f"{name_of(path)}: {what}")
    assert not wrong, "\n".join(wrong)


def test_build_files_of_libraries_name_only_allowed_dependencies():
    wrong = []
    for path in files("meson.build", under="lib"):
        parts = path.relative_to(ROOT / "lib").parts
        if len(parts) < 2:
            continue
        allowed = layout.LIBS[parts[0]]
        names = layout.MESON_LIBC | allowed["folders"] | {layout.MESON_LIBRARIES[name] for name in allowed["libraries"]}
        lists = re.findall(r"dependencies:\s*\[([^\]]*)\]", path.read_text())
        for name in {word for text in lists for word in re.findall(r"\w+", text)} - names:
            wrong.append(f"{name_of(path)}: {name}")
    assert not wrong, "\n".join(wrong)


def test_libraries_keep_no_mutable_globals():
    """A static or global object without const is state that two threads could share."""
    variable = re.compile(r"^(?:static\s+)?(?!.*\bconst\b)(?!typedef|extern|return|goto|struct \w+;|enum|union)"
                          r"[a-z_][\w ]*[ *]+\w+(?:\[[^\]]*\])*\s*(?:=.*)?;$")
    wrong = []
    for path in files(".c", under="lib"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if variable.match(line) and "(" not in line.split("=")[0]:
                wrong.append(f"{name_of(path)}:{number}: {line}")
    assert not wrong, "\n".join(wrong)
