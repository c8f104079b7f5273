"""Whose a policy of HNS is: of which Service of the cluster, and whether kube-proxy had a reason to touch it.

kube-proxy makes a load balancer for each address and port of a Service. It may make them anew when that Service or
what stands behind it changes; while it does not change, they stay as they are, by id.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.api import Cluster

Object = dict[str, Any]
OWNER = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Served:
    """A Service: its fronts (`address:port`, `:port` for a NodePort), and all that it and its EndpointSlices say.

    `everywhere`: something Ready is behind it, for every Node (no Local policy), so each has a load balancer for it.
    """

    fronts: frozenset[str]
    said: str
    everywhere: bool = True


Services = Mapping[str, Served]


def served(cluster: Cluster) -> dict[str, Served]:
    """Every Service of the cluster as `Service namespace/name`."""
    behind: dict[tuple[str, str], list[Object]] = {}
    for piece in cluster.list("EndpointSlice"):
        meta = piece["metadata"]
        ends = [[end.get("addresses"), end.get("conditions")] for end in piece.get("endpoints") or ()]
        service = str((meta.get("labels") or {}).get(OWNER, ""))
        behind.setdefault((meta["namespace"], service), []).append({"ends": ends, "ports": piece.get("ports")})
    found = {}
    for one in cluster.list("Service"):
        key = (one["metadata"]["namespace"], one["metadata"]["name"])
        pieces = behind.get(key, [])
        ready = any((conditions or {}).get("ready") is not False for piece in pieces for _, conditions in piece["ends"])
        local = "Local" in (one["spec"].get("externalTrafficPolicy"), one["spec"].get("internalTrafficPolicy"))
        said = json.dumps([one["spec"], pieces], sort_keys=True)
        found["Service " + "/".join(key)] = Served(frozenset(_fronts(one)), said, ready and not local)
    return found


def changes(before: Services, after: Services) -> list[str]:
    """The names of those that came, went, or do not say what they said."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def excused(fronts: Sequence[str], before: Services, after: Services) -> bool:
    """Whether a policy with these fronts (`address:port/protocol`) may have come or gone because a Service changed.

    That of a Service may where that Service changed, and one that is no Service's where any did.
    """
    changed = changes(before, after)
    mine = _owners(fronts, before) | _owners(fronts, after)
    return bool(mine & set(changed)) if mine else bool(changed)


def missing(fronts: Iterable[str], there: Collection[str], services: Services) -> list[str]:
    """Those of `fronts` that are not `there` although a Service has them for every Node."""
    gone = (front for front in fronts if front not in there)
    return sorted({front for front in gone if any(services[name].everywhere for name in _owners([front], services))})


def _owners(fronts: Iterable[str], services: Services) -> set[str]:
    plain = {front.partition("/")[0] for front in fronts}
    plain |= {f":{front.rpartition(':')[2]}" for front in plain}
    return {name for name, one in services.items() if one.fronts & plain}


def _fronts(service: Object) -> Iterator[str]:
    spec, status = service["spec"], service.get("status") or {}
    ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
    addresses = {*(spec.get("clusterIPs") or [spec.get("clusterIP")]), *(spec.get("externalIPs") or ())}
    addresses |= {one.get("ip") for one in ingress}
    for port in spec.get("ports") or ():
        yield from (f"{address}:{port['port']}" for address in addresses - {None, "", "None"})
        if port.get("nodePort"):
            yield f":{port['nodePort']}"
