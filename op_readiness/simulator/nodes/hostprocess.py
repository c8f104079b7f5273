"""HostProcess containers as containerd 1.7 and later make them: the Node's files, users and network.

The image lies at C:\\hpc. Volumes are bound both at their mount paths and below the image; the kubelet mounts no
hosts file.
"""

from __future__ import annotations

MOUNT_POINT = "C:\\hpc"
VARIABLE = "CONTAINER_SANDBOX_MOUNT_POINT"
HOST_PATH = r"C:\Windows\system32;C:\Windows;C:\Windows\System32\Wbem;C:\Windows\System32\WindowsPowerShell\v1.0"
SYSTEM = "nt authority\\system"


def host_environment(env: dict[str, str], user: str, hostname: str) -> dict[str, str]:
    """The container's variables on top of the Node's, and where its image lies."""
    account = f"{hostname[:15].upper()}$" if user.lower() == SYSTEM else user.rpartition("\\")[2]
    path = f"{env['PATH'].rstrip(';')};{HOST_PATH}" if env.get("PATH") else HOST_PATH
    return env | {"PATH": path, "USERNAME": account, VARIABLE: MOUNT_POINT + "\\"}


def inserted(word: str) -> str:
    """A word of the command line with the mount point in place of its variable, in cmd's or PowerShell's spelling."""
    return word.replace(f"%{VARIABLE}%", MOUNT_POINT).replace(f"$env:{VARIABLE}", MOUNT_POINT)


def working_directory(asked: str) -> str:
    """Where the process begins: at the image, unless the spec or the image names another folder than the root."""
    return MOUNT_POINT if asked.rstrip("\\/").upper() in ("", "C:") else inserted(asked)
