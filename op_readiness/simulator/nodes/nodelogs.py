"""The kubelet's node log query: events of a Windows service or a file below C:\\var\\log, by Kubernetes' rules.

Texts and status codes are those of pkg/kubelet/kubelet_server_journal*.go, Kubernetes 1.37. On Windows a service's
events are what `Get-WinEvent ... | Format-Table -AutoSize -Wrap` prints.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from op_readiness.simulator.programs.files import File, Folder

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node

LOG_FOLDER = "C:\\var\\log"
NO_EVENTS = "Get-WinEvent : No events were found that match the criteria.\r\n"
MOST_SERVICES, MOST_LINES, LONGEST_NAME = 4, 100_000, 256
SPP = "Microsoft-Windows-Security-SPP"
_EVENTS = {
    SPP: (
        (600, 16394, "Offline downlevel migration succeeded."),
        (540, 1003, "The Software Protection service has completed licensing status check."),
        (420, 16384, "Successfully scheduled Software Protection service for re-start. Reason: RulesEngine."),
        (300, 1066, "Initialization status for service objects. Health of the rules engine: ok."),
        (60, 902, "The Software Protection service has started."),
    ),
    "containerd": ((500, 1, "containerd successfully booted in 2.1s"),),
}
"""Provider -> events: seconds before now, id, message."""


@dataclass(frozen=True)
class LogAnswer:
    """Status, body, and what it is."""

    status: int
    text: str
    content_type: str = "text/plain"


class _Bad(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def answer(node: Node, query: Mapping[str, Sequence[str]], now: float, most: int | None = None) -> LogAnswer:
    """What a query gives; `now` is the Node's time of day in seconds since 1970. Of events the newest `most`."""
    try:
        return LogAnswer(200, _answered(node, query, now, most))
    except _Bad as error:
        return LogAnswer(error.status, error.text + "\n")


def messages_of(provider: str) -> list[str]:
    """The messages of a provider's events, oldest first."""
    return [message for _, _, message in _EVENTS.get(provider, ())]


def listing(node: Node, path: str) -> LogAnswer:
    """What Go's file server gives of a path below the log folder: a file, or the names in a folder."""
    inside = "\\".join(part for part in path.split("/") if part)
    entry = node.host_files.entry(f"{LOG_FOLDER}\\{inside}" if inside else LOG_FOLDER)
    if isinstance(entry, File):
        return LogAnswer(200, entry.data.decode(errors="replace"))
    if not isinstance(entry, Folder) or ".." in path.split("/"):
        return LogAnswer(404, "404 page not found\n")
    names = sorted(name + ("/" if isinstance(one, Folder) else "") for name, one in entry.entries.items())
    links = "".join(f'<a href="{quote(name)}">{html.escape(name)}</a>\n' for name in names)
    head = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n'
    return LogAnswer(200, f"{head}<pre>\n{links}</pre>\n", "text/html")


def _answered(node: Node, query: Mapping[str, Sequence[str]], now: float, most: int | None) -> str:
    names, options = list(query.get("query", ())), _options(query)
    if not names:
        raise _Bad(406, "query: Required value: cannot be empty with options")
    if not all(names):
        raise _Bad(400, f"query: Invalid value: {json.dumps(names)}: may not be empty")
    files = [name for name in names if "/" in name or "\\" in name]
    _check(names, files, options, query)
    return _file(node, files[0]) if files else "".join(_service(node, name, options, now, most) for name in names)


def _options(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    given = {name: values[-1] for name, values in query.items() if name != "query" and values}
    if "tailLines" in given and not re.fullmatch(r"-?\d+", given["tailLines"]):
        raise _Bad(400, f'strconv.Atoi: parsing "{given["tailLines"]}": invalid syntax')
    for name in ("sinceTime", "untilTime"):
        if name in given and _seconds(given[name]) is None:
            raise _Bad(400, f'{name}: Invalid value: "{given[name]}": invalid time format')
    return given


def _check(
    names: Sequence[str], files: Sequence[str], options: Mapping[str, str], query: Mapping[str, Sequence[str]]
) -> None:
    if len(names) > MOST_SERVICES:
        raise _Bad(406, f"query: Too many: {len(names)}: must have at most {MOST_SERVICES} items")
    if files and len(files) < len(names):
        raise _Bad(406, f"query: Invalid value: {json.dumps(list(names))}: cannot specify a file and service")
    if len(files) > 1:
        raise _Bad(406, f"query: Invalid value: {json.dumps(list(names))}: cannot specify more than one file")
    if files and options:
        raise _Bad(406, f"query: Invalid value: {json.dumps(list(names))}: cannot specify file with options")
    for name in names:
        if not files and not re.fullmatch(r"[A-Za-z0-9_.:@-]+", name):
            raise _Bad(406, f"query: Invalid value: {json.dumps(list(names))}: input contains unsupported characters")
        if len(name) > LONGEST_NAME:
            raise _Bad(406, f"query: Invalid value: {json.dumps(list(names))}: length must be less than 256")
    if "boot" in options:
        raise _Bad(406, f"boot: Invalid value: {options['boot']}: not supported on Windows")
    if not 0 <= int(options.get("tailLines", 0)) <= MOST_LINES:
        words = "must be between 0 and 100000, inclusive"
        raise _Bad(406, f"tailLines: Invalid value: {options['tailLines']}: {words}")
    since, until = _seconds(options.get("sinceTime", "")), _seconds(options.get("untilTime", ""))
    if since is not None and until is not None and until < since:
        raise _Bad(406, f'untilTime: Invalid value: "{options["untilTime"]}": must be after `sinceTime`')


def _service(node: Node, name: str, options: Mapping[str, str], now: float, most: int | None) -> str:
    if name not in _EVENTS:
        return _of_folder(node, name, options)
    events = [(now - ago, number, message) for ago, number, message in reversed(_EVENTS[name])][:most]
    since, until = _seconds(options.get("sinceTime", "")), _seconds(options.get("untilTime", ""))
    events = [e for e in events if (since is None or e[0] >= since) and (until is None or e[0] <= until)]
    if "tailLines" in options:
        events = events[: int(options["tailLines"])]
    if pattern := options.get("pattern"):
        events = [event for event in events if re.search(pattern, event[2], re.I)]
    return _table(name, events) if events else NO_EVENTS


def _table(name: str, events: Sequence[tuple[float, int, str]]) -> str:
    lines = ["", f"   ProviderName: {name}", "", "TimeCreated                      Id LevelDisplayName Message",
             "-----------                      -- ---------------- -------"]  # fmt: skip
    for at, number, message in sorted(events):
        stamp = time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime(at))
        lines.append(f"{stamp:<25} {number:>9} Information      {message}")
    return "\r\n".join([*lines, "", "", ""])


def _of_folder(node: Node, name: str, options: Mapping[str, str]) -> str:
    for path in (name, f"{name}.log", f"{name}\\{name}.log"):
        entry = node.host_files.entry(f"{LOG_FOLDER}\\{path}")
        if isinstance(entry, File):
            if options:
                words = f"options present and query resolved to log files for [{name}]"
                return f"{words}\ntry without specifying options\n"
            return entry.data.decode(errors="replace")
    return f"log not found for {name}\n"


def _file(node: Node, name: str) -> str:
    shown, path = json.dumps([name]), name.replace("/", "\\")
    if path.startswith("\\") or ".." in path.split("\\") or ":" in path:
        raise _Bad(406, f"query: Invalid value: {shown}: statat {name}: path escapes from parent")
    entry = node.host_files.entry(f"{LOG_FOLDER}\\{path.removeprefix('.' + chr(92))}")
    if not isinstance(entry, File):
        words = "The system cannot find the file specified."
        raise _Bad(406, f"query: Invalid value: {shown}: statat {name}: {words}")
    return entry.data.decode(errors="replace")


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else None
    except ValueError:
        return None
