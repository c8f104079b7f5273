"""Which abilities a run is about: categories, ids and tags that were typed, turned into catalogue entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from op_readiness.model.abilities import Ability, Category
from op_readiness.model.errors import UsageError
from op_readiness.runner.names import must_be_known

GROUPS = ("Core", "Extend")
"""Words that stand for every category whose name begins with them."""

TAGS = ("slow", "serial", "disruptive", "beyond", "internet", "e2e")


@dataclass(frozen=True)
class Selection:
    """The abilities asked for, in catalogue order. `left_out` maps the ids that tags leave out to why.

    `not_selected` counts, by category, the gating abilities with a test that were not asked for: a verdict says so.
    """

    categories: tuple[Category, ...]
    left_out: dict[str, str]
    not_selected: dict[str, int]

    @property
    def abilities(self) -> list[Ability]:
        """Every ability asked for, planned and left out ones included."""
        return [ability for category in self.categories for ability in category.abilities]

    @property
    def runnable(self) -> list[Ability]:
        """Abilities that have a test and are not left out by a tag."""
        return [a for a in self.abilities if not a.planned and a.id not in self.left_out]


def select(
    catalogue: Sequence[Category],
    categories: Iterable[str] = (),
    abilities: Iterable[str] = (),
    tags: Iterable[str] = (),
    skip_tags: Iterable[str] = (),
) -> Selection:
    """What was asked for; nothing asked is everything. Raises UsageError for unknown names and an empty selection."""
    names, ids = expand(catalogue, categories), tuple(abilities)
    wanted, unwanted = tuple(tags), tuple(skip_tags)
    for tag in (*wanted, *unwanted):
        must_be_known("tag", tag, TAGS)
    _must_be_abilities(catalogue, ids, names)
    chosen = tuple(
        Category(c.name, c.description, tuple(a for a in c.abilities if not ids or a.id in ids))
        for c in catalogue
        if not names or c.name in names
    )
    chosen = tuple(category for category in chosen if category.abilities)
    left_out = {a.id: why for c in chosen for a in c.abilities if (why := _left_out(a, wanted, unwanted))}
    whole = {c.name: c for c in catalogue}
    not_selected = {c.name: _gating(whole[c.name]) - _gating(c) for c in chosen}
    selection = Selection(chosen, left_out, not_selected)
    if not selection.runnable:
        raise UsageError(_nothing(selection))
    return selection


def gated(catalogue: Sequence[Category], names: Iterable[str]) -> list[Category]:
    """The catalogue in which what is named (a category, `Core`, `Extend`, an ability's id) gates, whatever it says.

    Raises UsageError naming the nearest name.
    """
    ids = [ability.id for category in catalogue for ability in category.abilities]
    known = [*(category.name for category in catalogue), *GROUPS, *ids]
    chosen = [must_be_known("category or ability", name, known) for name in names]
    full = set(expand(catalogue, (name for name in chosen if name not in ids)))
    return [
        replace(category, abilities=tuple(
            replace(one, gating=True) if category.name in full or one.id in chosen else one
            for one in category.abilities
        ))
        for category in catalogue
    ]  # fmt: skip


def expand(catalogue: Sequence[Category], categories: Iterable[str]) -> tuple[str, ...]:
    """Category names, `Core` and `Extend` made into all of theirs. Raises UsageError naming the nearest name."""
    known = [category.name for category in catalogue]
    names: list[str] = []
    for name in categories:
        if name in GROUPS:
            names += [full for full in known if full.startswith(f"{name}.")]
        else:
            names.append(must_be_known("category", name, [*known, *GROUPS]))
    return tuple(dict.fromkeys(names))


def _gating(category: Category) -> int:
    return sum(ability.gating and not ability.planned for ability in category.abilities)


def _must_be_abilities(catalogue: Sequence[Category], ids: tuple[str, ...], names: tuple[str, ...]) -> None:
    home = {ability.id: category.name for category in catalogue for ability in category.abilities}
    for id in ids:
        must_be_known("ability", id, list(home))
        if names and home[id] not in names:
            raise UsageError(f"ability {id} is of {home[id]}, which --category leaves out")


def _left_out(ability: Ability, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> str:
    if ability.planned:
        return ""
    if hit := [tag for tag in ability.tags if tag in unwanted]:
        return f"--skip-tags {hit[0]}"
    if wanted and not set(wanted) & set(ability.tags):
        return f"has none of the tags {', '.join(wanted)} (--tags)"
    return ""


def _nothing(selection: Selection) -> str:
    if selection.left_out:
        return f"nothing to run: --tags and --skip-tags leave out all {len(selection.left_out)} abilities selected"
    names = ", ".join(category.name for category in selection.categories)
    count = len(selection.abilities)
    return f"nothing to run: {count} abilities of {names} are planned and have no readiness test yet"
