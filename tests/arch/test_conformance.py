# SPDX-License-Identifier: BSD-3-Clause
"""docs/conformance.md is what the lists of requirements and the tags in the tests say (tests/conformance)."""
import sys

import pytest
from tree import ROOT

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
import conformance  # noqa: E402


@pytest.fixture(scope="module")
def rfcs():
    return conformance.collect()[0]  # raises for a tag that names no requirement, or stands before no test


def bound(rfcs):
    return [each for _, _, requirements in rfcs for each in requirements if each.binds]


def test_the_page_is_the_generated_one(rfcs):
    assert conformance.PAGE.read_text() == conformance.render(rfcs), "run ./run conformance and commit the page"


def test_what_binds_us_has_a_test_or_says_what_is_missing(rfcs):
    wrong = [f"RFC {each.rfc} {each.id}: {each.missing()}" for each in bound(rfcs) if not each.note and each.missing()]
    assert not wrong, "\n".join(wrong)


def test_what_does_not_bind_us_has_no_test(rfcs):
    wrong = [f"RFC {each.rfc} {each.id}" for _, _, requirements in rfcs for each in requirements
             if not each.binds and any(each.tests.values())]
    assert not wrong, "\n".join(wrong)


def test_a_refusal_is_of_something_a_peer_can_violate(rfcs):
    wrong = [f"RFC {each.rfc} {each.id} needs a star" for each in bound(rfcs)
             if each.tests["refuses"] and not each.violable]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("text, says", [
    ("/* conforms: RFC 8955 proves 4-1 */\n", "no test follows"),
    ("/* conforms: RFC 8955 4-1 */\nstatic void t(void **state)\n", "what is '4-1'"),
    ("/* conforms: RFC 8955 proves */\nstatic void t(void **state)\n", "without an id"),
    ("    /* conforms: RFC 8955 proves 4-1 */\n", "first column"),
])
def test_a_tag_at_fault_is_named(monkeypatch, tmp_path, text, says):
    monkeypatch.setattr(conformance, "ROOT", tmp_path)
    (tmp_path / "t.c").write_text(text)
    with pytest.raises(ValueError, match=says):
        conformance.read_tags(tmp_path / "t.c")


def test_a_tag_belongs_to_the_test_after_it(monkeypatch, tmp_path):
    monkeypatch.setattr(conformance, "ROOT", tmp_path)
    (tmp_path / "t.c").write_text("static void one(void **state)\n{\n}\n/* conforms: RFC 1 proves 2-1 refuses 2-2 */\n"
                                  "static void helper(int a)\nstatic void two(void **state)\n")
    assert [(tag.verb, tag.id, tag.test) for tag in conformance.read_tags(tmp_path / "t.c")] == \
        [("proves", "2-1", "two"), ("refuses", "2-2", "two")]
    assert not conformance.is_run(conformance.read_tags(tmp_path / "t.c")[0])
