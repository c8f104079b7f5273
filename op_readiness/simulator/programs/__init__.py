"""The programs that run in simulated containers, and the files that they see."""

from op_readiness.simulator.programs.files import File, FileSystem, Folder, Link
from op_readiness.simulator.programs.process import Process, Sink, Terminated, UnknownProgram
from op_readiness.simulator.programs.running import run

__all__ = ["File", "FileSystem", "Folder", "Link", "Process", "Sink", "Terminated", "UnknownProgram", "run"]
