#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the RFCs ask and which test shows it: writes docs/conformance.md from rfcN.txt beside this file and from tags in
the tests. `./run conformance` calls it; tests/arch/test_conformance.py checks that nothing drifts.

A requirement, in rfcN.txt (`*`: a peer can violate it, so a test must refuse the violation):

    4.2-1 MUST* in our own words, on as many indented lines as it takes
        gap: what is missing, or
        differs: what we do instead and why, or
        not ours: why it does not bind this router

A tag is a comment of its own before a test, in C and in Python:

    /* conforms: RFC 8955 proves 4-1 4.2-1 refuses 4.2-1 */
    # conforms: RFC 8955 proves 4-1
"""
import re
import sys
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).resolve().parent
PAGE = ROOT / "docs" / "conformance.md"
RFCS = [4271, 4760, 7606, 8955, 8956, 9117, 4456, 7911, 4724]
VERBS = ("proves", "refuses")
WORDS = {"proves": "proved by", "refuses": "violation refused by"}
WORDS_APART = {"proves": "what we do is shown by", "refuses": "violation met in"}  # with a gap, or where we differ

HEAD = re.compile(r"^([0-9A-Z][0-9A-Za-z.]*-\d+) (MUST NOT|MUST|SHOULD NOT|SHOULD|SHALL NOT|SHALL|RULE)(\*?) (.+)$")
NOTE = re.compile(r"^(gap|differs|not ours): (.+)$")
TAG = re.compile(r"^(?:/\*|#) conforms: RFC (\d+) (.+?)(?: \*/)?$")
LOOSE_TAG = re.compile(r"conforms: *RFC")
TEST = {".c": re.compile(r"^(?:static void (\w+)\(void \*\*\w+\)|int (main)\()"),
        ".py": re.compile(r"^def (test_\w+)\(")}

Tag = namedtuple("Tag", "rfc verb id path line test")


class Requirement:
    def __init__(self, rfc, ident, level, violable, text):
        self.rfc, self.id, self.level, self.violable, self.text = rfc, ident, level, violable, text
        self.note = self.why = ""
        self.tests = {verb: [] for verb in VERBS}

    @property
    def binds(self):
        return self.note != "not ours"

    def missing(self):
        """What a binding requirement lacks, in words; "" when it is shown."""
        if not self.tests["proves"]:
            return "no test proves it"
        if self.violable and not self.tests["refuses"]:
            return "no test refuses its violation"
        return ""


def read_rfc(path):
    """(title, requirements) of one rfcN.txt; an error names the line."""
    lines = path.read_text().splitlines()
    rfc = int(path.stem[3:])
    found = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            note = NOTE.match(line.strip())
            last = found[-1]
            if note:
                if last.note:
                    raise ValueError(f"{path.name}:{number}: {last.id} has a note already")
                last.note, last.why = note.groups()
            elif last.note:
                last.why += " " + line.strip()
            else:
                last.text += " " + line.strip()
            continue
        head = HEAD.match(line)
        if not head:
            raise ValueError(f"{path.name}:{number}: not a requirement: {line[:60]}")
        found.append(Requirement(rfc, head[1], head[2], bool(head[3]), head[4]))
    return lines[0], found


def split_tag(path, number, words):
    """(verb, id) of each id in a tag: `proves ID... refuses ID...`."""
    verb, found = None, []
    for word in words.split():
        if word in VERBS:
            verb = word
        elif verb is None or not re.fullmatch(r"[0-9A-Z][0-9A-Za-z.]*-\d+", word):
            raise ValueError(f"{path.relative_to(ROOT)}:{number}: what is '{word}' in this tag?")
        else:
            found.append((verb, word))
    if not found:
        raise ValueError(f"{path.relative_to(ROOT)}:{number}: a tag without an id")
    return found


def read_tags(path):
    """The tags of one file, each with the test that follows it."""
    tags, waiting = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        tag = TAG.match(line)
        if tag:
            waiting += [(int(tag[1]), verb, ident, number) for verb, ident in split_tag(path, number, tag[2])]
        elif LOOSE_TAG.search(line):
            raise ValueError(f"{path.relative_to(ROOT)}:{number}: a tag is a comment of its own in the first column")
        test = TEST[path.suffix].match(line)
        if test:
            name = next(group for group in test.groups() if group)
            tags += [Tag(rfc, verb, ident, path, at, name) for rfc, verb, ident, at in waiting]
            waiting = []
    if waiting:
        raise ValueError(f"{path.relative_to(ROOT)}:{waiting[0][3]}: no test follows this tag")
    return tags


def test_files():
    for folder in ("unit", "model", "e2e", "interop"):
        yield from sorted(path for path in (ROOT / "tests" / folder).rglob("*") if path.suffix in TEST)


def is_run(tag):
    """Whether the test of a tag is one that is really run."""
    if tag.path.suffix == ".py":
        return tag.path.name.startswith("test_")
    if tag.test == "main":
        return re.search(rf"\b{tag.path.stem}\b", (tag.path.parent / "meson.build").read_text()) is not None
    main_of = tag.path.read_text().partition("\nint main(")[2]  # cmocka's table stands there
    return re.search(rf"\b{tag.test}\b", main_of) is not None


def collect():
    """([(rfc, title, requirements)], tags), each requirement with its tests. Raises ValueError for a tag at fault."""
    rfcs = [(rfc, *read_rfc(DATA / f"rfc{rfc}.txt")) for rfc in RFCS]
    known = {}
    for rfc, _, requirements in rfcs:
        for requirement in requirements:
            if (rfc, requirement.id) in known:
                raise ValueError(f"rfc{rfc}.txt: {requirement.id} is there twice")
            known[rfc, requirement.id] = requirement
    tags = [tag for path in test_files() for tag in read_tags(path)]
    for tag in tags:
        where = f"{tag.path.relative_to(ROOT)}:{tag.line}"
        if (tag.rfc, tag.id) not in known:
            raise ValueError(f"{where}: tests/conformance has no RFC {tag.rfc} {tag.id}")
        if not is_run(tag):
            raise ValueError(f"{where}: {tag.test} is not a test that is run")
        known[tag.rfc, tag.id].tests[tag.verb].append((str(tag.path.relative_to(ROOT)), tag.test))
    return rfcs, tags


def link(path, test):
    name = Path(path).stem if test == "main" else test
    return f"[`{name}`](../{path})"


def render_one(requirement):
    star = "\\*" if requirement.violable else ""
    out = [f"- **{requirement.id}** {requirement.level}{star}: {requirement.text}"]
    words = WORDS if not requirement.note else WORDS_APART
    for verb in VERBS:
        tests = list(dict.fromkeys(requirement.tests[verb]))
        if tests:
            out.append(f"  - {words[verb]} " + ", ".join(link(*test) for test in tests))
    if requirement.note:
        out.append(f"  - **{requirement.note}**: {requirement.why}")
    return out


INTRO = """# Conformance

What the RFCs ask of this router, and the test that shows each. Every MUST, SHOULD and SHALL (and NOT) of these RFCs is
here in our own words, by section; RULE marks text that binds without such a word. A star marks what a peer can violate:
such a requirement has a test that refuses the violation, beside the one that proves it.

- **gap**: it binds us, and something is missing.
- **differs**: we knowingly do something else.
- **not ours**: it does not bind this router, for the reason that is given.

This page is written by `./run conformance` from the lists in `tests/conformance/` and from tags in the tests;
`./run test arch` fails when it does not match them, and when a requirement that binds us has neither a test nor a gap.
"""


def summary(rfcs):
    """Each requirement that binds us is in one of the columns proved, differ and gaps."""
    out = ["| RFC | requirements | bind us | proved | of these, a peer can violate, and is refused | differ | gaps |",
           "|---|---|---|---|---|---|---|"]
    for rfc, title, requirements in rfcs:
        ours = [each for each in requirements if each.binds]
        proved = [each for each in ours if not each.note and not each.missing()]
        out.append(f"| [{rfc}](#rfc-{rfc}) {title} | {len(requirements)} | {len(ours)} "
                   f"| {len(proved)} | {sum(each.violable for each in proved)} "
                   f"| {sum(each.note == 'differs' for each in ours)} | {sum(each.note == 'gap' for each in ours)} |")
    return out


def render(rfcs):
    out = [INTRO, *summary(rfcs), ""]
    for rfc, title, requirements in rfcs:
        out += [f"## RFC {rfc}", "", title + ".", ""]
        for requirement in requirements:
            out += render_one(requirement)
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def main():
    try:
        rfcs, _ = collect()
    except ValueError as error:
        sys.exit(f"conformance: {error}")
    PAGE.write_text(render(rfcs))
    for rfc, _, requirements in rfcs:
        for each in requirements:
            if each.binds and not each.note and each.missing():
                print(f"RFC {rfc} {each.id}: {each.missing()}")
    print("\n".join(summary(rfcs)))


if __name__ == "__main__":
    main()
