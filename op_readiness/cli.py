"""The command line: options in, exit code out, nothing else.

Everything but click is imported when a command runs, so that `--help` and `list` stay quick.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import click

from op_readiness import cli_sonobuoy
from op_readiness.cli_options import CONNECTION, NAMES, NO_COLOR, PREFIX, Listed, default_report_dir, option, options


def variables() -> set[str]:
    """Every environment variable that an option of any command reads."""
    known: set[str] = set()

    def walk(command: click.Command) -> None:
        known.update(p.envvar for p in command.params if isinstance(p.envvar, str))
        if isinstance(command, click.Group):
            for child in command.commands.values():
                walk(child)

    walk(cli)
    return known


def check_environment(environ: dict[str, str]) -> None:
    """Refuse an OP_READINESS_ name that no option reads: it is a misspelling that would be ignored silently."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in (known := variables()):
            from op_readiness.runner.names import unknown

            raise unknown("environment variable", name, sorted(known))


class Commands(click.Group):
    """A group whose default command is `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options without a command are options of `run`."""
        own = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command named first; an unknown one is refused with the nearest name."""
        if args and args[0] not in self.commands:
            from op_readiness.runner.names import unknown

            raise unknown("command", args[0], sorted(self.commands))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, and the options of `run`, which is the default."""
        self.format_commands(ctx, formatter)
        with formatter.section("Options of run, the default command"):
            formatter.write_dl([r for p in run.params if (r := p.get_help_record(ctx)) is not None])


SELECTION = options(
    NAMES,
    option("--tags", cls=Listed, metavar="TAG", help="Only abilities with one of these tags."),
    option("--skip-tags", cls=Listed, metavar="TAG", help="No abilities with one of these tags."),
    option("--test-directory", "test_directories", cls=Listed, metavar="DIR",
           help="A folder of your own in the shape of categories/, beside what is shipped."),
)  # fmt: skip
INPUTS = options(
    option("--config", metavar="FILE", default=None,
           help="What only you know of the cluster's surroundings: a domain, an account, shares (README)."),
    option("--input", "inputs", cls=Listed, metavar="FIELD=VALUE", help="One of these by itself, gmsa.domain=..."),
)  # fmt: skip
FAULTS = options(
    option("--fault", "faults", cls=Listed, metavar="NAME:key=value",
           help="Put a named fault into the simulated cluster (op-readiness simulate faults)."),
    option("--fault-file", "fault_files", cls=Listed, metavar="FILE", help="Put in a fault of your own."),
)  # fmt: skip
NODES = options(
    option("--nodes", metavar="windows=N,linux=N|FILE", default="",
           help="Simulated Nodes, control-plane=N too, or a YAML list of them. Default: windows=2,linux=2."),
    option("--dual-stack/--single-stack", default=None,
           help="Simulated Nodes, Pods and Services have IPv4 and IPv6 addresses, or IPv4 alone. Default: both."),
)  # fmt: skip
LATENCY_AND_SEED = options(
    option("--latency", type=click.Choice(["quick", "realistic"]), default=None,
           help="How long simulated Pods take. realistic: figures of real Windows Nodes. Default: quick."),
    option("--seed", default="", metavar="TEXT", help="Repeat what was drawn at random. Default: a new one, printed."),
)  # fmt: skip
SIMULATION = options(
    option("--control-plane", type=click.Choice(["embedded", "real"]), default=None,
           help="real: kube-apiserver and the rest from KUBEBUILDER_ASSETS. Default: embedded."),
    LATENCY_AND_SEED,
)  # fmt: skip
CLEANUP_TIMEOUT = option("--cleanup-timeout", type=click.FloatRange(0), default=60.0, show_default=True,
                         metavar="SECONDS", help="How long to wait for what was made to be gone.")  # fmt: skip
TIMEOUT_SCALE = option("--timeout-scale", type=float, default=None, metavar="FACTOR",
                       help="All deadlines times this: 2 for a slow cluster. Default: 1, simulated 0.05.")  # fmt: skip
FORMAT = option("--format", "format", type=click.Choice(["text", "json"]), default="text", show_default=True,
                help="How to print.")  # fmt: skip
@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="op-readiness")
def cli() -> None:
    """Tell whether the Windows Nodes of a Kubernetes cluster are ready for production (KEP-2578).

    Exit codes: 0 ready, 1 not ready, 2 usage, 3 undetermined, 130 Ctrl-C, 143 SIGTERM.
    """


@cli.command()
@options(SELECTION)
@option("--provider", default="local", show_default=True, metavar="NAME",
        help="simulated, or a name that e2e.test takes: aws, azure, gce, gke, kubemark, local, openstack, ...")
@options(CONNECTION)
@option("--windows-nodes", default="", metavar="all|N|SELECTOR",
        help="Windows Nodes to test from and to. Default: all up to ten, at least two of each build.")
@option("--report-dir", default=default_report_dir, metavar="DIR",
        help="Where reports go.  [default: ./op-readiness-report]")
@option("--dry-run", is_flag=True, help="Print the plan and stop.")
@option("--yes", "-y", is_flag=True, help="Do not ask before a run against a real cluster.")
@option("--verbose", "-v", is_flag=True, help="Say more while running.")
@option("--strict", is_flag=True, help="Partial and flaky verdicts exit 3.")
@option("--gate", cls=Listed, metavar="NAME",
        help="Categories or abilities that decide over the verdict although they only warn (Extend.Worker).")
@option("--github", is_flag=True, help="Annotations of a GitHub job, and its summary (GITHUB_STEP_SUMMARY).")
@option("--disruptive", is_flag=True, help="Also run abilities that reboot, restart or fill Nodes.")
@option("--e2e-binary", default="", metavar="PATH",
        help="e2e.test, for entries with focus in place of a native test (upstream's spec.yaml).")
@option("--e2e-timeout", type=click.FloatRange(min=1), default=3600.0, show_default=True, metavar="SECONDS",
        help="End e2e.test after this, real seconds for each entry.")
@option("--image-registry", default=None, metavar="HOST/PATH", help="Pull images from here.")
@option("--pull-secret", default="", metavar="NAMESPACE/NAME", help="Secret to pull images with, copied to Namespaces.")
@options(INPUTS, FAULTS, NODES, SIMULATION, TIMEOUT_SCALE)
@option("--run-timeout", type=click.FloatRange(min=1), default=14400.0, show_default=True, metavar="SECONDS",
        help="Stop, report and clean up after this.")
@options(CLEANUP_TIMEOUT)
@option("--workers", default="auto", show_default=True, metavar="N|auto", help="Abilities side by side.")
@option("--flake-attempts", type=int, default=1, show_default=True, metavar="N",
        help="Try what did not pass up to N times; a later pass is flaky.")
@options(NO_COLOR)
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Run readiness tests and give a verdict (the default command)."""
    from op_readiness.runner.commands import run_command

    ctx.exit(run_command(given, ctx.obj))


@cli.command("list")
@options(SELECTION, FORMAT)
@click.pass_context
def list_(ctx: click.Context, /, format: str, **given: Any) -> None:
    """List categories and abilities."""
    from op_readiness.runner.listing import list_command

    click.echo(list_command(format, **given))
    ctx.exit(0)


@cli.command()
@option("--dir", "folder", default=default_report_dir, metavar="DIR",
        help="Report directory of a run.  [default: ./op-readiness-report]")
@option("--strict", is_flag=True, help="Partial and flaky verdicts exit 3.")
@options(NO_COLOR)
@click.pass_context
def report(ctx: click.Context, /, **given: Any) -> None:
    """Write the reports again from what a run recorded, also after a crash."""
    from op_readiness.runner.commands import report_command

    ctx.exit(report_command(**given))


@cli.command()
@options(CONNECTION)
@option("--run", "run_id", default="", metavar="ID", help="Only this run. Default: every run that is not alive.")
@option("--force", is_flag=True, help="Also runs whose Lease is fresh.")
@options(CLEANUP_TIMEOUT)
@click.pass_context
def cleanup(ctx: click.Context, /, **given: Any) -> None:
    """Remove what killed runs left in a cluster."""
    from op_readiness.runner.commands import cleanup_command

    ctx.exit(cleanup_command(**given))


@cli.command()
@options(NAMES)
@option("--fault", "faults", cls=Listed, metavar="NAME", help="Only these faults.  [default: all that are declared]")
@option("--complete", is_flag=True, help="Every cell, not only declared ones and a sample of the others.")
@option("--cells", type=click.IntRange(0), default=None, metavar="N",
        help="Only so many declared cells, drawn by the seed, beside the healthy ones; each fault before any twice.")
@option("--control-plane", type=click.Choice(["embedded", "real", "both"]), default=None,
        help="both: the same cells under each, compared.  [default: embedded]")
@options(LATENCY_AND_SEED, TIMEOUT_SCALE)
@option("--report-dir", default=default_report_dir, metavar="DIR",
        help="Where the matrix goes.  [default: ./op-readiness-report]")
@option("--workers", default="auto", show_default=True, metavar="N|auto", help="Simulated clusters side by side.")
@option("--verbose", "-v", is_flag=True, help="Say more while running.")
@options(NO_COLOR)
@click.pass_context
def prove(ctx: click.Context, /, **given: Any) -> None:
    """Show that every ability can fail: the matrix ability x fault on simulated clusters."""
    from op_readiness.runner.commands import prove_command

    ctx.exit(prove_command(given))


@cli.group()
def simulate() -> None:
    """A simulated Windows cluster to look at."""


@simulate.command()
@options(FAULTS, NODES, SIMULATION, TIMEOUT_SCALE)
@option("--kubeconfig-out", default=None, metavar="FILE", help="Write the kubeconfig here.")
@click.pass_context
def up(ctx: click.Context, /, **given: Any) -> None:
    """Start a simulated cluster and leave it running until Ctrl-C; kubectl works against it."""
    from op_readiness.runner.commands import simulate_up_command

    ctx.exit(simulate_up_command(**given))


@simulate.command("faults")
@options(FORMAT)
@click.pass_context
def faults_(ctx: click.Context, /, format: str) -> None:
    """List the named faults, with the public report of each."""
    from op_readiness.runner.listing import faults_command

    click.echo(faults_command(format))
    ctx.exit(0)


cli.add_command(cli_sonobuoy.rbac)
cli.add_command(cli_sonobuoy.sonobuoy)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The console script. Started in a container that others read, results are handed over however it ends."""
    words = list(sys.argv[1:] if args is None else args)
    if not {"SONOBUOY_RESULTS_DIR", "E2E_FOCUS"} & os.environ.keys():
        sys.exit(code_of(words))
    from op_readiness.runner.ways.started import owed

    handover = owed(words, os.environ, sorted(cli.commands))
    with handover or contextlib.nullcontext():
        code = code_of(words, handover)
    sys.exit(code)


def code_of(words: Sequence[str], handover: Any = None) -> Any:
    """The command's exit code: known errors are one line; any other keeps its traceback and leaves all open (3)."""
    problem, code = "", cast(Any, 0)
    try:
        check_environment(dict(os.environ))
        words = handover.words(words) if handover is not None else words
        return cli.main(args=list(words), prog_name="op-readiness", standalone_mode=False, obj=handover)
    except click.ClickException as error:
        error.show()
        problem, code = error.format_message(), error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        problem, code = "interrupted (SIGINT)", 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: no second complaint at exit
        code = 141
    except BaseException as error:
        code = getattr(error, "exit_code", None)
        if code is None and isinstance(error, SystemExit):
            raise
        problem = str(error) if code is not None else f"{type(error).__name__}: {error}"
        if code is None:
            import traceback

            traceback.print_exc()
            code = 3
        else:
            click.echo(f"op-readiness: {error}", err=True)
    if handover is not None:
        handover.problem = problem
    return code
