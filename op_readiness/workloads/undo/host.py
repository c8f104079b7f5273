r"""Windows hosts put back, by a HostProcess Pod as SYSTEM: registry, firewall, HNS policies, folders, local groups.

The programs are Windows' own and are judged by a look afterwards, not by what they print. Nothing is removed that does
not carry the run's name: a journal is a ConfigMap, and whoever may edit it must not become SYSTEM by it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.workloads import scripts
from op_readiness.workloads.undo.journal import NotUndone, undoes
from op_readiness.workloads.undo.pods import run_to_end

HOST_PROCESS: dict[str, Any] = {
    "hostNetwork": True,
    "securityContext": {"windowsOptions": {"hostProcess": True, "runAsUserName": r"NT AUTHORITY\SYSTEM"}},
}
PLAIN = re.compile(r"[A-Za-z0-9_.:\\-]+")
"""No blank either: quotes do not survive the way from a container's command to cmd.exe."""
TEST_NET = ipaddress.ip_network("192.0.2.0/24")
"""RFC 5737: addresses that stand for nobody; HNS policies of ours have no other."""
REMOVE_POLICY = "hns-policy"


def mark(run_id: str) -> str:
    """What every name carries that a run gives to something on a host."""
    return f"opr-{run_id}"


def ours(data: Mapping[str, Any], field: str) -> str:
    """A name of the run's own that holds no character with a meaning to a command line; raises NotUndone."""
    name = str(data[field])
    if not PLAIN.fullmatch(name) or mark(data["run_id"]) not in name or ".." in name:
        raise NotUndone(f"{field} {name!r} is no name of run {data['run_id']}")
    return name


@undoes("host folder")
def remove_folder(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `path`: the folder and what is in it go."""
    path = ours(data, "path")
    _cmd(cluster, data, f"rmdir /s /q {path} & if exist {path} (exit 1) else (exit 0)")


@undoes("host file")
def remove_file(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `path`: the file goes."""
    path = ours(data, "path")
    _cmd(cluster, data, f"del /f /q {path} & if exist {path} (exit 1) else (exit 0)")


@undoes("local group")
def remove_group(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `name`: the local group goes."""
    name = ours(data, "name")
    _cmd(cluster, data, f"net localgroup {name} /delete & net localgroup {name} && exit 1 || exit 0")


@undoes("registry key")
def remove_key(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `key` (`HKLM\\SOFTWARE\\opr-...`): the key and its values go."""
    key = ours(data, "key")
    _cmd(cluster, data, f"reg delete {key} /f & reg query {key} && exit 1 || exit 0")


@undoes("firewall rule")
def remove_rule(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `name`: the rule goes. netsh, since CIM calls from HostProcess containers are known to fail."""
    rule = f"advfirewall firewall {{}} rule name={ours(data, 'name')}"
    _cmd(cluster, data, f"netsh {rule.format('delete')} & netsh {rule.format('show')} && exit 1 || exit 0")


@undoes("HNS policy")
def remove_policy(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `vip` (of TEST-NET-1), `port`: every policy list of that address and port goes."""
    vip = str(data["vip"])
    if ipaddress.ip_address(vip) not in TEST_NET:
        raise NotUndone(f"vip {vip} is none of {TEST_NET}")
    env = {"OPR_ACT": "remove", "OPR_VIP": vip, "OPR_PORT": str(int(data["port"]))}
    run_to_end(cluster, data, scripts.command(REMOVE_POLICY, on_host=True), HOST_PROCESS, env)


def _cmd(cluster: Cluster, data: Mapping[str, Any], line: str) -> None:
    run_to_end(cluster, data, ["cmd.exe", "/c", line], HOST_PROCESS)
