"""The catalogue: what is shipped holds together, and what is wrong is one line with file, line and field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from op_readiness.model.abilities import CATEGORIES, Category
from op_readiness.model.errors import UsageError
from op_readiness.suite.catalogue import load_catalogue, shipped_folder

BULLETS = {"N": 13, "S": 7, "C": 2, "P": 3, "H": 6, "A": 4, "K": 2, "X": 5, "W": 4}
"""Lists of KEP-2578 and how many bullets each has."""

GOOD = """\
category: Core.Mine
description: Mine.
testCases:
  - id: my-ability
    description: Ability to do mine
    requires: {windowsNodes: 1}
    tags: [slow]
"""


@pytest.fixture(scope="module")
def shipped() -> list[Category]:
    return load_catalogue()


def spec(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / name / "spec.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_nine_categories_in_the_specifications_order(shipped):
    """The nine categories come in the order of the specification."""
    assert tuple(category.name for category in shipped) == CATEGORIES


def test_fifty_three_abilities_and_whole_categories_have_tests(shipped):
    """53 abilities are promised, and a category has tests for all of its own or for none; what is beyond is extra."""
    promised = [ability for category in shipped for ability in category.abilities if "beyond" not in ability.tags]
    assert len(promised) == 53
    assert all(not ability.kep for category in shipped for ability in category.abilities if "beyond" in ability.tags)
    whole = [[one.planned for one in category.abilities] for category in shipped]
    assert all(len(set(planned)) == 1 for planned in whole)


def test_every_bullet_of_the_kep_is_covered(shipped):
    """Each of the 46 bullets is named by an ability."""
    wanted = {f"{letter}.{n}" for letter, count in BULLETS.items() for n in range(1, count + 1)}
    named = {bullet for category in shipped for ability in category.abilities for bullet in ability.kep}
    assert named == wanted


def test_abilities_that_share_a_bullet_share_its_sentence(shipped):
    """A sentence of the KEP is kept word for word, so one bullet has one sentence."""
    sentences: dict[str, set[str]] = {}
    for category in shipped:
        for ability in category.abilities:
            for bullet in ability.kep:
                sentences.setdefault(bullet, set()).add(ability.description)
    assert {bullet: said for bullet, said in sentences.items() if len(said) > 1} == {}


def test_extend_worker_does_not_gate(shipped):
    """The KEP calls worker configuration non-gating."""
    assert {a.gating for a in shipped[-1].abilities} == {False}


def test_quick_reading_and_strict_reading_agree(shipped):
    """Reading without pydantic gives the same abilities."""
    assert load_catalogue(quick=True) == shipped


def test_every_ability_with_a_test_has_exactly_one(shipped):
    """Ids of the catalogue and of `@ability` marks are in step."""
    marks: list[str] = []
    for path in shipped_folder().glob("*/test_*.py"):
        marks += re.findall(r'^@ability\("([^"]+)"\)', path.read_text("utf-8"), re.MULTILINE)
    wanted = [a.id for category in shipped for a in category.abilities if not a.planned]
    assert sorted(marks) == sorted(wanted)


def test_a_folder_of_ones_own_is_read(tmp_path):
    """A user's category joins."""
    spec(tmp_path, GOOD)
    assert [a.id for a in load_catalogue([tmp_path])[0].abilities] == ["my-ability"]


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD.replace("tags:", "tagz:"), 7, r"testCases\[0\]\.tagz: unknown field"),
        (GOOD.replace("windowsNodes", "windowNodes"), 6, r"testCases\[0\]\.requires\.windowNodes: unknown field"),
        (GOOD.replace("description: Ab", "descripton: Ab"), 5, r"descripton: unknown field; did you mean description"),
        (GOOD.replace("[slow]", "[slwo]"), 7, r"testCases\[0\]\.tags\[0\]: "),
        (GOOD.replace("id: my-ability", "id: 7"), 4, r"testCases\[0\]\.id: "),
        (GOOD.replace("[slow]", "[slow"), 8, r"not YAML: "),
        ("- a list\n", 1, r"a mapping "),
    ],
)
def test_a_mistake_is_one_line_with_file_line_and_field(tmp_path, text, line, message, quick):
    """What is wrong in a spec.yaml is named with its place."""
    if quick and ("slwo" in text or "windowNodes" in text):
        pytest.skip("values of known fields are for a run to check")
    path = spec(tmp_path, text)
    with pytest.raises(UsageError, match=message) as raised:
        load_catalogue([tmp_path], quick=quick)
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert "\n" not in str(raised.value)


def test_a_duplicate_id_is_refused(tmp_path):
    """Ids are never used twice."""
    spec(tmp_path, GOOD, "one")
    second = spec(tmp_path, GOOD.replace("Core.Mine", "Core.Other"), "two")
    with pytest.raises(UsageError, match=rf"{re.escape(str(second))}:4: id: my-ability is taken already, in .*one"):
        load_catalogue([tmp_path])


def test_a_folder_without_a_catalogue_is_refused(tmp_path):
    """A test directory without spec.yaml is a mistake, not an empty catalogue."""
    with pytest.raises(UsageError, match=r"no \*/spec\.yaml here"):
        load_catalogue([tmp_path])
