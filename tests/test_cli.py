"""The command line: what is typed reaches the runner, and a misspelling is refused with the nearest name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from op_readiness.cli import PREFIX, cli, main, variables
from op_readiness.cli_options import Listed, split
from op_readiness.runner import commands

TEXTS = {"--format": "json", "--control-plane": "real", "--latency": "realistic", "--timeout-scale": "2",
         "--run-timeout": "7", "--cleanup-timeout": "7", "--e2e-timeout": "7", "--flake-attempts": "3",
         "--cells": "3"}  # fmt: skip
PARSED: dict[str, Any] = {"2": 2.0, "7": 7.0, "3": 3}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def value_for(param) -> tuple[str, Any]:
    """A text for an option in the environment, and what the command should get for it."""
    if isinstance(param, Listed):
        return "a,b", ("a", "b")
    if param.is_flag:
        return "1", True
    text = TEXTS.get(param.opts[0], "some-text")
    return text, PARSED.get(text, text)


def params_of(command: str):
    return [p for p in cli.commands[command].params if p.envvar]


CASES = [
    (command, words, param)
    for command, words in [("run", []), *((name, [name]) for name in ("run", "list", "prove", "cleanup", "report"))]
    for param in params_of(command)
]


@pytest.mark.parametrize(("command", "words", "param"), CASES, ids=[f"{w or 'default'}-{p.name}" for _, w, p in CASES])
def test_every_option_can_come_from_the_environment(monkeypatch, command, words, param):
    """OP_READINESS_<OPTION> reaches the command, whether it is named or the default."""
    got: dict[str, Any] = {}

    def take(*_, **given):
        got.update(given)
        return 0

    monkeypatch.setattr(cli.commands[command], "callback", take)
    text, wanted = value_for(param)
    monkeypatch.setenv(param.envvar, text)
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    assert result.exception is None
    assert got[param.name] == wanted


def test_the_command_line_wins_over_the_environment(monkeypatch):
    """An option that is typed is not mixed with the variable's value."""
    got: dict[str, Any] = {}
    monkeypatch.setattr(commands, "run_command", lambda given, handover: got.update(given) or 0)
    monkeypatch.setenv("OP_READINESS_CATEGORY", "Core.Storage,Core.Network")
    CliRunner().invoke(cli, ["--category", "Core"], standalone_mode=False)
    assert got["categories"] == ("Core",)


def test_names_of_variables_are_the_options_names():
    """No option has a variable of another name."""
    for command in ("run", "list", "prove", "cleanup", "report"):
        for param in params_of(command):
            assert param.envvar == PREFIX + param.opts[0].removeprefix("--").replace("-", "_").upper()
    assert "OP_READINESS_KUBECONFIG_OUT" in variables()


def test_lists_keep_a_faults_parameters_together():
    """A comma separates values, but not the key=value pairs of one fault."""
    assert split(["a,b", "c"]) == ("a", "b", "c")
    assert split(["slow:node=win-1,at=5,other", "x"]) == ("slow:node=win-1,at=5", "other", "x")


def run_main(*words: str, capsys) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--category", "Core.Netwrok"], "unknown category 'Core.Netwrok': did you mean Core.Network?"),
        (["run", "--category", "core.network"], "did you mean Core.Network?"),
        (["list", "--category", "Extnd"], "did you mean Extend?"),
        (["--ability", "net-dns-custer"], "did you mean net-dns-cluster?"),
        (["--tags", "slwo"], "unknown tag 'slwo': did you mean slow?"),
        (["--provider", "simulatd"], "unknown provider 'simulatd': did you mean simulated?"),
        (["--provider", "simulated", "--fault", "no-such-fault-at-all"], "no-such-fault-at-all"),
        (["--provider", "simulated", "--kubeconfig", "x"], "--kubeconfig cannot be given with --provider simulated"),
        (["--provider", "simulated", "--context", "x"], "--context cannot be given with --provider simulated"),
        (["--fault", "x"], "--fault is for the simulated cluster only"),
        (["--fault-file", "x"], "--fault-file is for the simulated cluster only"),
        (["--latency", "quick"], "--latency is for the simulated cluster only"),
        (["--category", "Extend.NetworkPolicy", "--tags", "slow"], "nothing to run"),
        (["--category", "Core.Storage", "--ability", "net-dns-cluster"], "is of Core.Network"),
        (["--workers", "many"], "--workers takes a number"),
        (["--flake-attempts", "0"], "--flake-attempts"),
        (["lsit"], "unknown command 'lsit': did you mean list?"),
        (["--categry", "x"], "--category"),
        (["report", "--dir", "no-such-folder"], "there is no events.jsonl"),
    ],
)
def test_a_mistake_is_a_usage_error_that_says_what_is_near(words, said, capsys):
    """What cannot be used is one message and exit code 2."""
    code, err = run_main(*words, capsys=capsys)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_a_misspelt_variable_is_refused(monkeypatch, capsys):
    """A variable that no option reads would be ignored silently."""
    monkeypatch.setenv("OP_READINESS_CATEGRY", "Core")
    code, err = run_main("list", capsys=capsys)
    assert (code, "did you mean OP_READINESS_CATEGORY?" in err) == (2, True)


def with_planned_ability(folder):
    """A catalogue of one ability without a test."""
    entry = "  - {id: my-ability, description: Ability to do mine, planned: true}\n"
    (folder / "mine").mkdir()
    (folder / "mine" / "spec.yaml").write_text(f"category: Mine\ntestCases:\n{entry}")


def test_a_planned_ability_cannot_be_run(capsys, tmp_path):
    """It is no misspelt name, and nothing to wait for."""
    with_planned_ability(tmp_path)
    code, err = run_main("--ability", "my-ability", "--test-directory", str(tmp_path), capsys=capsys)
    assert (code, "planned and have no readiness test yet" in err) == (2, True)


def test_list_shows_planned_abilities(capsys, tmp_path):
    """What has no test yet is listed and marked, and so is what does not gate."""
    with_planned_ability(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["list", "--category", "Mine,Extend.Worker", "--test-directory", str(tmp_path)])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert "my-ability" in out and "planned]" in out
    assert "wk-node-ping" in out and "does not gate]" in out


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], ("yaml", "pydantic", "kubernetes", "pytest", "rich")),
        (["list"], ("pydantic", "kubernetes", "pytest")),
    ],
)
def test_quick_commands_import_little(words, heavy):
    """Help and list import nothing that takes long."""
    script = (
        "import sys\nfrom op_readiness.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_simulate_faults_shows_what_each_must_turn_red(capsys):
    """The list has the public report and the declared cells."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "faults", "--format", "json"])
    stale = next(f for f in json.loads(capsys.readouterr().out)["faults"] if f["name"] == "kube-proxy-stale")
    assert ended.value.code == 0
    assert stale["title"] and stale["report"]
    assert {"net-windows-service-clusterip"} <= {c["ability"] for c in stale["declared"] if c["outcome"] == "red"}
