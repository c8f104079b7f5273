"""What the commands' options are made of: each can come from the environment, lists are comma-separated.

Environment names are explicit, one for each option whatever the command: click's automatic ones would differ between
the default command and `run`, and ignore the other silently.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import click

PREFIX = "OP_READINESS_"


class Listed(click.Option):
    """An option that may be repeated and takes comma-separated lists, from the environment too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["multiple"] = True
        super().__init__(*args, **kwargs)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """The variable's text as one value; `process_value` splits it."""
        text = self.resolve_envvar_value(ctx)
        return None if text is None else (text,)

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """A tuple of the values between the commas."""
        return split(super().process_value(ctx, value) or ())


def split(values: Sequence[str]) -> tuple[str, ...]:
    """Comma-separated values, one by one. A piece `key=value` belongs to the `NAME:key=value` before it."""
    found: list[str] = []
    for value in values:
        for piece in (text.strip() for text in str(value).split(",")):
            if found and "=" in piece and ":" not in piece.partition("=")[0] and ":" in found[-1]:
                found[-1] += f",{piece}"
            elif piece:
                found.append(piece)
    return tuple(found)


def option(flag: str, *names: str, cls: type[click.Option] = click.Option, **kwargs: Any) -> Callable[[Any], Any]:
    """A click option that can also come from OP_READINESS_<FLAG>."""
    variable = PREFIX + flag.removeprefix("--").partition("/")[0].replace("-", "_").upper()
    return click.option(flag, *names, cls=cls, envvar=variable, show_envvar=True, **kwargs)


def options(*wanted: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, in the order given."""

    def decorate(function: Any) -> Any:
        for one in reversed(wanted):
            function = one(function)
        return function

    return decorate


def default_report_dir() -> str:
    """Where whoever started us looks: Sonobuoy's results, a CI job's artifacts, or else `./op-readiness-report`."""
    given = os.environ.get("SONOBUOY_RESULTS_DIR") or os.environ.get("ARTIFACTS")
    return given or os.path.join(".", "op-readiness-report")


NAMES = options(
    option("--category", "categories", cls=Listed, metavar="NAME", help="Categories, or Core, Extend. None: all nine."),
    option("--ability", "abilities", cls=Listed, metavar="ID", help="Abilities by id (op-readiness list shows them)."),
)  # fmt: skip
CONNECTION = options(
    option("--kubeconfig", metavar="FILE", help="Default: KUBECONFIG, ~/.kube/config, in-cluster."),
    option("--context", metavar="NAME", help="Context of the kubeconfig. Default: its current one."),
)
NO_COLOR = option("--no-color", is_flag=True, help="Plain text on a terminal too.")
