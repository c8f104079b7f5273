"""The simulated agnhost answers like the real one: the table agnhost.yaml, call by call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .agnhost_real import Real, healthz, real_call, real_client, real_run, real_stop, serving
from .agnhost_table import (
    Place,
    binary,
    call_of,
    can_unshare,
    loopback,
    simulated_call,
    simulated_client,
    simulated_run,
    simulated_stop,
    table,
    write_files,
)

if binary() is None:
    pytest.skip("no real agnhost: `tests/control-plane/build agnhost` makes it (Go needed)", allow_module_level=True)

CALLS = [(name, call_of(call)) for name, server in table()["servers"].items() for call in server["calls"]]
RUNS = table()["commands"]
PARTS = {
    "whole": lambda answer: answer,
    "code": lambda answer: answer.status,
    "word": lambda answer: (answer.status, answer.body, answer.err.split()[:1]),
}
"""What of a command is compared: help texts and lists of subcommands are not simulated word for word."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Ports and files for this module."""
    with loopback(tmp_path_factory.mktemp("agnhost")) as made:
        yield made


@pytest.fixture(scope="module")
def servers(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real servers, one at a time: the next one takes the same ports."""
    with contextlib.closing(Servers(place, tmp_path_factory)) as made:
        yield made


class Servers:
    """Keeps the real server that was asked for last."""

    def __init__(self, place: Place, folders: pytest.TempPathFactory) -> None:
        self._place, self._folders = place, folders
        self._held = contextlib.ExitStack()
        self._name, self._real = "", None

    def get(self, name: str) -> Real:
        """The server, running."""
        if self._real is None or self._name != name or self._real.process.poll() is not None:
            self.close()
            folder = self._folders.mktemp(f"real-{name}")
            self._real = self._held.enter_context(serving(self._place, table()["servers"][name], folder))
            self._name = name
        return self._real

    def close(self) -> None:
        """End it."""
        self._held.close()
        self._real = None


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[f"{name}: {call['call']!r}" for name, call in CALLS])
def test_servers_answer_alike(name: str, call: dict[str, Any], place: Place, servers: Servers) -> None:
    """Status, headers and body of the same call."""
    server = table()["servers"][name]
    assert simulated_call(place, server, call) == real_call(servers.get(name), call)


@pytest.mark.parametrize("row", RUNS, ids=[row["run"] + str(row.get("private") or "") for row in RUNS])
def test_commands_end_alike(row: dict[str, Any], place: Place, servers: Servers, tmp_path: Path) -> None:
    """Exit code, stdout and stderr of the same command."""
    if row.get("private") and (why := can_unshare()):
        pytest.skip(why)
    servers.get(row["server"]) if row.get("server") else servers.close()
    fresh = Place(place.ports, str(tmp_path / "files"))
    write_files(tmp_path / "files")
    part = PARTS[row.get("only", "whole")]
    simulated = part(simulated_run(fresh, row))
    for _ in range(row.get("tries", 1)):
        real = part(real_run(fresh, row, tmp_path))
        if simulated == real:
            break
    assert simulated == real


@pytest.mark.parametrize("row", table()["stops"], ids=[row["run"] for row in table()["stops"]])
def test_first_processes_stop_alike(row: dict[str, Any], place: Place, servers: Servers, tmp_path: Path) -> None:
    """Exit code and last words after SIGTERM."""
    if why := can_unshare():
        pytest.skip(why)
    servers.close()
    assert simulated_stop(place, row) == real_stop(place, row, tmp_path)


def test_in_cluster_clients_say_alike(place: Place, tmp_path: Path) -> None:
    """What the API server answered, and the hash of the token; all rows at once, since each takes a poll and a half."""
    if why := can_unshare():
        pytest.skip(why)

    def both(number: int) -> tuple[str, str]:
        row, folder = table()["clients"][number], tmp_path / str(number)
        with healthz(row, folder) as (port, certificate):
            return simulated_client(place, row, port, 1.6), real_client(place, row, folder, port, certificate, 1.6)

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(both, range(len(table()["clients"]))))
    assert [simulated for simulated, _ in said] == [real for _, real in said]
