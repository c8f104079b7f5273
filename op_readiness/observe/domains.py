"""What programs say of an Active Directory domain, read by numbers and names: their sentences are localised.

A success line alone has been a false positive: nltest ends with 0 and `completed successfully` beside status 1311
(microsoft/SDN#339). So every status that it prints has to be 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STATUS = re.compile(r"=\s*(\d+)\s+0x([0-9a-fA-F]+)(?:\s+(\w+))?")
ERROR_WORDS = (
    "ERROR_NO_LOGON_SERVERS", "RPC_S_SERVER_UNAVAILABLE", "ERROR_NO_TRUST", "ERROR_ACCESS_DENIED",
    "ERROR_NO_SUCH_DOMAIN",
)  # fmt: skip
NOT_REACHED = (
    "network path was not found", "network name cannot be found", "cannot find the path", "network name is no longer",
    "no logon servers", "domain isn't available", "specified network",
)  # fmt: skip
"""Windows' words for a share that was not met at all: no refusal by whoever serves it."""


@dataclass(frozen=True)
class Status:
    """A status that nltest printed; `name` as Windows calls it."""

    number: int
    name: str = ""

    def __str__(self) -> str:
        return f"status {self.number} {self.name}".strip()


def statuses(text: str) -> list[Status]:
    """Every status in the output of nltest."""
    return [Status(int(number), name or "") for number, _, name in STATUS.findall(text)]


def channel_is_well(code: int, text: str) -> bool:
    """Whether a secure channel works: exit code 0, at least one status, none but 0, and no name of an error."""
    found = statuses(text)
    return code == 0 and bool(found) and not any(one.number for one in found) and not has_error(text)


def has_error(text: str) -> bool:
    """Whether the output names an error."""
    return any(word in text for word in ERROR_WORDS)


def parent_domain(text: str) -> str:
    """The domain that `nltest /parentdomain` names first, without its last dot."""
    match = re.match(r"\s*([A-Za-z0-9.-]+?)\.?\s*\(\d+\)", text)
    return match[1].lower() if match else ""


def ticket_client(text: str) -> str:
    """`account @ REALM` of the last ticket that klist shows; empty without one."""
    found = re.findall(r"(\S+\$?)\s+@\s+(\S+)", text)
    return f"{found[0][0]} @ {found[0][1]}" if found else ""


def is_client(text: str, account: str, domain: str) -> bool:
    """Whether a ticket is one of that account."""
    return f"{account}$ @ {domain}".lower() in text.lower()


def not_reached(text: str) -> bool:
    """Whether a share was not met at all, as far as words tell."""
    return any(word in text.lower() for word in NOT_REACHED)
