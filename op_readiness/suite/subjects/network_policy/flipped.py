"""One policy that is replaced in place and deleted: each change must be seen in time, and nothing may go stale.

Every try opens a new connection: what was open before a change may live on (no rule of the API speaks of it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from op_readiness.suite.subjects.network_policy.policed import POLICED, Policed
from op_readiness.workloads.pods import Manifest


@dataclass
class Flipped(Policed):
    """Namespaces under one policy, `policy(allow)`, whose rules are replaced again and again."""

    policy: Callable[[bool], Manifest] = field(kw_only=True)
    _allows: bool = False
    _flips: int = 0

    def allow(self) -> None:
        """The policy as it is at first: it lets everybody in."""
        self.apply(self.policy(True))
        self._allows = True

    def flip(self) -> None:
        """The same policy with the opposite rules, put in the place of the old ones."""
        self._allows, self._flips = not self._allows, self._flips + 1
        wanted, [old] = self.policy(self._allows), self.policies
        name = old["metadata"]["name"]
        changed = self.workshop.cluster.patch(
            "NetworkPolicy", name, self._names[POLICED], {"spec": {"ingress": wanted["spec"]["ingress"]}}
        )
        self.policies[:] = [changed]

    @property
    def _title(self) -> str:
        if not self._flips:
            return super()._title
        if not self.policies:
            return "no policy (after its deletion)"
        return f"{super()._title} (change {self._flips}: {'allow' if self._allows else 'deny'})"
