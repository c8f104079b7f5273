"""The plugin: nothing in its definition that Sonobuoy would ignore, and all that a podSpec of one's own needs."""

from __future__ import annotations

import copy
import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from op_readiness.cli import cli, code_of, variables
from op_readiness.runner.sonobuoy.plugin import definition, plugin_command
from tests.product import ROOT

SHIPPED = ROOT / "sonobuoy" / "op-readiness.yaml"
TOP = {"sonobuoy-config", "spec", "podSpec", "extra-volumes", "config-map"}
CONFIG: dict[str, type] = {
    "driver": str, "plugin-name": str, "result-format": str, "result-files": list, "description": str,
    "source-url": str, "skip-cleanup": bool, "order": int,
}  # fmt: skip
SCHEMAS = ROOT / "op_readiness/simulator/controlplane/data/kubernetes.json.gz"
SONOBUOY = shutil.which("sonobuoy")


@cache
def schemas() -> dict[str, Any]:
    """OpenAPI schemas by name, as a real API server gave them."""
    return json.loads(gzip.decompress(SCHEMAS.read_bytes()))["schemas"]


def problems(plugin: dict[str, Any]) -> Iterator[str]:
    """What Sonobuoy would drop silently or refuse."""
    yield from (f"unknown key {key}" for key in plugin.keys() - TOP)
    config = plugin.get("sonobuoy-config", {})
    for key, value in config.items():
        if type(value) is not CONFIG.get(key):
            yield f"sonobuoy-config.{key}: {value!r}"
    if config.get("driver") != "Job" or not re.fullmatch(r"[a-z0-9-]+", config.get("plugin-name", "")):
        yield "driver or plugin-name"
    if (config.get("result-format"), config.get("result-files")) != ("junit", ["junit_01.xml"]):
        yield "results"
    yield from unknown(plugin.get("spec", {}), "Container", "spec")
    yield from unknown(plugin.get("podSpec", {}), "PodSpec", "podSpec")
    for volume in plugin.get("extra-volumes", ()):
        yield from unknown(volume, "Volume", "extra-volumes")


def unknown(value: Any, kind: str, where: str) -> Iterator[str]:
    """Fields of a value that the kind's schema does not have, and values of another type."""
    yield from _unknown(value, schemas()[f"io.k8s.api.core.v1.{kind}"], where)


def _unknown(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    for one in schema.get("allOf", ()):
        schema = one if "$ref" in one else schema
    if "$ref" in schema:
        schema = schemas()[schema["$ref"].rpartition("/")[2]]
    python = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}.get(schema.get("type", ""))
    if python and type(value) is not python:
        yield f"{where}: {value!r} is no {schema['type']}"
    elif isinstance(value, list):
        for item in value:
            yield from _unknown(item, schema["items"], f"{where}[]")
    elif isinstance(value, dict) and "properties" in schema:
        for key, item in value.items():
            if key in schema["properties"]:
                yield from _unknown(item, schema["properties"][key], f"{where}.{key}")
            else:
                yield f"unknown key {where}.{key}"


def test_what_ships_is_what_the_command_prints():
    """One truth: the file in the repository can be used by its URL."""
    assert plugin_command(categories=(), image="", disruptive=False) == SHIPPED.read_text("utf-8")


@pytest.mark.parametrize("disruptive", [False, True])
def test_the_definition_has_no_key_outside_the_tables(disruptive):
    """Sonobuoy's decoder is not strict: what it does not know vanishes."""
    assert list(problems(definition(("Core.Network",), "registry.example/op-readiness:1", disruptive))) == []
    assert list(problems(yaml.safe_load(SHIPPED.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("result-type",), "junit"),
        (("sonobuoy-config", "source_url"), "https://example.org"),
        (("sonobuoy-config", "result-type"), "junit"),
        (("sonobuoy-config", "order"), "1"),
        (("sonobuoy-config", "driver"), "Deployment"),
        (("sonobuoy-config", "plugin-name"), "op.readiness"),
        (("sonobuoy-config", "result-format"), "raw"),
        (("sonobuoy-config", "result-files"), ["*.xml"]),
        (("spec", "nodeSelector"), {"kubernetes.io/os": "linux"}),
        (("spec", "env"), [{"name": "A", "value": 1}]),
        (("spec", "securityContext", "runAsUsr"), 1),
        (("podSpec", "toleration"), []),
        (("podSpec", "tolerations"), [{"key": "a", "operater": "Exists"}]),
        (("podSpec", "restartpolicy"), "Never"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_the_self_test_sees_what_it_forbids(path, value):
    """A key that is misspelt, or stands in the wrong place, or has another type."""
    plugin = copy.deepcopy(definition(("Core.Network",)))
    *above, last = path
    place = plugin
    for key in above:
        place = place[key]
    place[last] = value
    assert list(problems(plugin))


def test_the_pod_s_specification_is_complete():
    """With a podSpec none of Sonobuoy's defaults applies."""
    pod = definition(("Core.Network",))["podSpec"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert (pod["restartPolicy"], pod["serviceAccountName"]) == ("Never", "sonobuoy-serviceaccount")
    assert pod["terminationGracePeriodSeconds"] > 60, "reports, then a clean-up of 60 s"
    kept = {taint["key"]: taint for taint in pod["tolerations"]}
    for role in ("control-plane", "master"):
        assert kept[f"node-role.kubernetes.io/{role}"]["effect"] == "NoSchedule"


def test_the_container_s_words_are_ours():
    """Its arguments and variables are known to the command that it starts."""
    spec = definition(("Core.Network",), disruptive=True)["spec"]
    assert spec["command"] == ["op-readiness"]
    known = {name for param in cli.commands["run"].params for name in param.opts}
    assert set(spec["args"]) <= known
    assert {entry["name"] for entry in spec["env"]} <= variables()
    assert {entry["name"]: entry["value"] for entry in spec["env"]} == {
        "OP_READINESS_CATEGORY": "Core.Network", "OP_READINESS_DISRUPTIVE": "true",
    }  # fmt: skip


def test_categories_image_and_disruptive_are_rendered(capsys):
    """What is typed stands in the definition; a misspelt category is refused."""
    words = ["--category", "Core.Network,Extend.HostProcess", "--image", "registry.example/o:1", "--disruptive"]
    assert code_of(["sonobuoy", "plugin", *words]) == 0
    spec = yaml.safe_load(capsys.readouterr().out)["spec"]
    assert spec["image"] == "registry.example/o:1"
    assert [entry["value"] for entry in spec["env"]] == ["Core.Network,Extend.HostProcess", "true"]
    assert code_of(["sonobuoy", "plugin", "--category", "Core.Netwrok"]) == 2
    assert "did you mean Core.Network?" in capsys.readouterr().err


@pytest.mark.skipif(SONOBUOY is None, reason="no sonobuoy on PATH")
def test_sonobuoy_reads_it(tmp_path):
    """The real program keeps every field, and --plugin-env chooses the categories."""
    chosen = "op-readiness.OP_READINESS_CATEGORY=Core.Network,Core.Storage"
    words = [str(SONOBUOY), "gen", "-p", str(SHIPPED), "--plugin-env", chosen, "--kubernetes-version", "v1.37.2"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    maps = [one for one in yaml.safe_load_all(done.stdout) if one and one["metadata"]["name"] == "sonobuoy-plugins-cm"]
    (read,) = [yaml.safe_load(text) for text in maps[0]["data"].values()]
    ours = yaml.safe_load(SHIPPED.read_text("utf-8"))
    assert read["sonobuoy-config"] == ours["sonobuoy-config"]
    assert {key: read["podSpec"][key] for key in ours["podSpec"]} == ours["podSpec"]
    env = {entry["name"]: entry["value"] for entry in read["spec"].pop("env")}
    assert env["OP_READINESS_CATEGORY"] == "Core.Network,Core.Storage"
    assert env["SONOBUOY_RESULTS_DIR"] and env["SONOBUOY_PROGRESS_PORT"]
    assert {key: read["spec"][key] for key in ours["spec"] if key != "env"} == {
        key: value for key, value in ours["spec"].items() if key != "env"
    }
