"""What each command does, between the command line and the rest of the runner."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.runner.listening import Listener
from op_readiness.runner.options import RunOptions, check, parse_nodes

REPEATED = ("provider", "kubeconfig", "context", "windows_nodes", "image_registry", "pull_secret", "timeout_scale",
            "nodes", "dual_stack", "control_plane", "latency", "seed", "disruptive", "e2e_binary",
            "config")  # fmt: skip
"""Options that a command which repeats an ability has to carry."""


def run_options(given: Mapping[str, Any]) -> RunOptions:
    """The options of a run from what click gives. Raises UsageError."""
    values = dict(given)
    latency = values.pop("latency")
    control_plane = values.pop("control_plane") or ""
    color = not values.pop("no_color")
    options = RunOptions(
        **{**values, "report_dir": Path(values["report_dir"])},
        latency=latency or "quick",
        latency_given=latency is not None,
        control_plane=control_plane,
        color=color,
    )
    options = _with_paths(options, given)
    check(options)
    return options


def _with_paths(options: RunOptions, given: Mapping[str, Any]) -> RunOptions:
    from dataclasses import replace

    return replace(
        options,
        test_directories=tuple(Path(folder) for folder in given["test_directories"]),
        fault_files=tuple(Path(file) for file in given["fault_files"]),
        config=Path(given["config"]) if given.get("config") else None,
    )


def run_command(given: Mapping[str, Any], handover: Listener | None = None) -> int:
    """`op-readiness [run]`. `handover` is what the command owes to whoever started it."""
    import secrets

    from op_readiness.runner.child import must_stand_alone
    from op_readiness.runner.inputs import read_inputs
    from op_readiness.runner.listing import catalogue_of
    from op_readiness.runner.selection import gated, select
    from op_readiness.suite.catalogue import shipped_folder

    given = {**given, "seed": given["seed"] or secrets.token_hex(4)}  # drawn once: what repeats the run carries it
    options = run_options(given)
    catalogue = gated(catalogue_of(options.test_directories), options.gate)
    selection = select(catalogue, options.categories, options.abilities, options.tags, options.skip_tags)
    folders = [shipped_folder(), *options.test_directories]
    must_stand_alone([folder.resolve() for folder in folders])
    command = repeat_command(given)
    inputs = read_inputs(options.config, options.inputs)
    if not options.simulated:
        return _run(options, selection, folders, command, inputs, handover, options.kubeconfig, options.context)
    from dataclasses import replace

    from op_readiness.runner.simulated import SimulatedCluster

    spec = simulated_spec(options)
    with SimulatedCluster(replace(spec, faults=())) as simulated:
        if spec.faults:  # what does not fit this cluster is told before anything is made
            simulated.put_in(spec.faults)
            simulated.take_out_all()

        def break_it() -> None:
            if spec.faults:
                simulated.put_in(spec.faults)

        return _run(
            options, selection, folders, command, inputs or simulated.inputs, handover, simulated.kubeconfig, None,
            simulated.kill_now, break_it,
        )  # fmt: skip


def _run(
    options: RunOptions, selection: Any, folders: list[Path], command: str, inputs: Mapping[str, Any],
    handover: Listener | None, kubeconfig: str | None, context: str | None,
    kill_cluster: Callable[[], None] = lambda: None,
    after_standing: Callable[[], None] = lambda: None,
) -> int:  # fmt: skip
    from op_readiness.reports.screen import Screen
    from op_readiness.reports.writing import write_reports
    from op_readiness.runner.run import Run
    from op_readiness.runner.ways.around import listeners_of

    def ask(question: str) -> bool:
        if options.yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return True
        return click.confirm(question)

    screen = Screen(color=options.color)
    heard_by = listeners_of(os.environ, handover, github=options.github)
    run = Run(
        options, selection, folders, command, ask, heard_by.writing(write_reports), screen, inputs,
        heard_by.leaving(kill_cluster), after_standing, listen=heard_by.event,
    )  # fmt: skip
    try:
        return run.execute(kubeconfig, context)
    finally:
        heard_by.close()


def simulated_spec(options: RunOptions) -> Any:
    """The simulated cluster that the options ask for. Raises UsageError for faults that are not known."""
    from op_readiness.runner.simulated import SimulatedSpec, assets, fault_requests

    return SimulatedSpec(
        nodes=parse_nodes(options.nodes, {"windows": 2, "linux": 2}),
        rate=1 / options.scale,
        latency=options.latency,
        seed=seed_number(options.seed),
        control_plane=options.control_plane or "embedded",
        assets=assets(options.control_plane),
        faults=fault_requests(options.faults, options.fault_files),
        dual_stack=options.dual_stack is not False,
    )


def seed_number(seed: str) -> int:
    """A number from any text; drawn when there is none."""
    import secrets
    import zlib

    return (int(seed) if seed.isdecimal() else zlib.crc32(seed.encode())) if seed else secrets.randbelow(2**31)


def repeat_command(given: Mapping[str, Any]) -> str:
    """The command that runs against the same cluster again, without the choice of abilities."""
    words = ["op-readiness"]
    for name in REPEATED:
        value = given.get(name)
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif name == "dual_stack" and value is False:
            words.append("--single-stack")
        elif value and not (name == "provider" and value == "local"):
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    several = {
        "gate": "--gate", "inputs": "--input", "faults": "--fault", "fault_files": "--fault-file",
        "test_directories": "--test-directory",
    }  # fmt: skip
    for name, flag in several.items():
        for value in given.get(name) or ():
            words += [flag, str(value)]
    return shlex.join(words)


def say(text: str) -> None:
    """Print a line, at once."""
    click.echo(text)


def report_command(*, folder: str, strict: bool, no_color: bool) -> int:
    """`op-readiness report`."""
    from op_readiness.runner.events import LOG, read_log
    from op_readiness.runner.record import Record

    report_dir = Path(folder)
    if not (report_dir / LOG).is_file():
        raise UsageError(f"--dir {folder}: there is no {LOG} of a run")
    record = Record.of(read_log(report_dir))
    if not record.header:
        raise OpReadinessError(f"{report_dir / LOG}: the run ended before it began to test")
    from op_readiness.reports.screen import Screen
    from op_readiness.reports.terminal import report
    from op_readiness.reports.writing import write_reports

    record.close()
    run = record.run_result()
    written = [str(path) for path in write_reports(run, report_dir)]
    with Screen(color=not no_color) as screen:
        screen.show(report(run, written))
    return run.exit_code(strict=strict)


def cleanup_command(
    *, kubeconfig: str | None, context: str | None, run_id: str, force: bool, cleanup_timeout: float
) -> int:
    """`op-readiness cleanup`: 0 if nothing is left, 3 otherwise."""
    from op_readiness.cluster.api import Cluster
    from op_readiness.cluster.errors import ApiError
    from op_readiness.runner.cleanup import remove_dead_runs

    cluster = Cluster.open(kubeconfig, context)
    cluster.check()
    try:
        cleaned = remove_dead_runs(cluster, run_id=run_id, force=force, within=cleanup_timeout, say=say)
    except ApiError as error:
        raise OpReadinessError(str(error)) from error
    for done in cleaned:
        for problem in done.problems:
            say(f"warning: {problem}")
        for one in done.left:
            say(f"left: {one}: {one.command}")
    return 3 if any(done.left or done.problems for done in cleaned) else 0


def simulate_up_command(
    *, faults: tuple[str, ...], fault_files: tuple[str, ...], nodes: str, dual_stack: bool | None,
    control_plane: str | None, latency: str | None, seed: str, timeout_scale: float | None, kubeconfig_out: str | None,
) -> int:  # fmt: skip
    """`op-readiness simulate up`: until Ctrl-C, SIGTERM, or the end of the simulator. In real time, unless scaled."""
    from op_readiness.runner.attention import Attention, Interrupted
    from op_readiness.runner.simulated import SimulatedCluster

    options = RunOptions(
        provider="simulated", faults=faults, fault_files=tuple(Path(file) for file in fault_files), nodes=nodes,
        dual_stack=dual_stack, control_plane=control_plane or "", latency=latency or "quick", seed=seed,
        timeout_scale=timeout_scale or 1.0,
    )  # fmt: skip
    check(options)
    simulated = SimulatedCluster(simulated_spec(options))
    with Attention(float("inf"), simulated.kill_now) as attention:
        try:
            attention.attend(simulated.start)
            kubeconfig = simulated.kubeconfig
            if kubeconfig_out:
                shutil.copyfile(kubeconfig, kubeconfig_out)
                kubeconfig = kubeconfig_out
            say(f"Simulated cluster at {simulated.server}. In another terminal:")
            say(f"  kubectl --kubeconfig {kubeconfig} get nodes -o wide")
            say(f"  op-readiness --kubeconfig {kubeconfig} --category Core.Network")
            if told := inputs_as_options(simulated.inputs):
                say(f"Its domain, for --category Extend.ActiveDirectory: {told}")
            say("Ctrl-C ends it.")
            while simulated.alive:
                attention.pause(0.2)
            raise OpReadinessError(f"the simulated cluster ended: {simulated.last_words() or 'it said nothing'}")
        except Interrupted:
            return 0
        finally:
            simulated.stop()


def inputs_as_options(inputs: Mapping[str, Any]) -> str:
    """`--input` options that tell the same."""
    words = [f"{section}.{name}={value}" for section, values in inputs.items() for name, value in values.items()]
    return shlex.join(word for pair in words for word in ("--input", pair))


def prove_command(given: Mapping[str, Any]) -> int:
    """`op-readiness prove`."""
    from op_readiness.runner.prove.command import prove

    return prove(given, say)
