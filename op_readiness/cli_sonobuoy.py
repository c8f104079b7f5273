"""Commands for where the specification is run: the Sonobuoy plugin, its verdict, the rights that a run needs."""

from __future__ import annotations

from typing import Any

import click

from op_readiness.cli_options import CONNECTION, NAMES, NO_COLOR, Listed, option, options

PLUGIN = option("--plugin", default="", metavar="NAME", help="Name of the plugin.  [default: op-readiness]")
CATEGORIES = option("--category", "categories", cls=Listed, metavar="NAME",
                    help="Categories, or Core, Extend. None: all nine.")  # fmt: skip


@click.group()
def sonobuoy() -> None:
    """Run as a Sonobuoy plugin, and learn the verdict from Sonobuoy."""


@sonobuoy.command()
@options(CATEGORIES)
@option("--image", default="", metavar="REF", help="Image of op-readiness.  [default: op-readiness:VERSION]")
@option("--disruptive", is_flag=True, help="Also run abilities that reboot, restart or fill Nodes.")
@click.pass_context
def plugin(ctx: click.Context, /, **given: Any) -> None:
    """Print the plugin's definition, for `sonobuoy run --plugin`."""
    from op_readiness.runner.sonobuoy.plugin import plugin_command

    click.echo(plugin_command(**given), nl=False)
    ctx.exit(0)


@sonobuoy.command()
@click.argument("tarball", metavar="TARBALL|-")
@options(PLUGIN)
@option("--strict", is_flag=True, help="Partial and flaky verdicts exit 3.")
@options(NO_COLOR)
@click.pass_context
def verdict(ctx: click.Context, /, **given: Any) -> None:
    """Judge what `sonobuoy retrieve` brought: exits as a run does."""
    from op_readiness.runner.sonobuoy.verdict import verdict_command

    ctx.exit(verdict_command(**given))


@sonobuoy.command()
@options(CONNECTION)
@option("--namespace", default="sonobuoy", show_default=True, metavar="NAME", help="Where Sonobuoy runs.")
@options(PLUGIN)
@click.pass_context
def status(ctx: click.Context, /, **given: Any) -> None:
    """Say how the plugin stands: 0 ready, 1 not ready, 3 running or undetermined."""
    from op_readiness.runner.sonobuoy.status import status_command

    ctx.exit(status_command(**{**given, "plugin": given["plugin"] or "op-readiness"}))


@click.command()
@options(NAMES)
@option("--service-account", default="", metavar="NAMESPACE/NAME", help="Also print what binds it to these rights.")
@click.pass_context
def rbac(ctx: click.Context, /, **given: Any) -> None:
    """Print the least ClusterRole and Roles that the selected abilities need."""
    from op_readiness.runner.rbac import rbac_command

    click.echo(rbac_command(**given), nl=False)
    ctx.exit(0)
