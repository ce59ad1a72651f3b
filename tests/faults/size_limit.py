"""Runs each command under a limit of the file size, which ends a write in the middle: a real short write.

The call after a short write fails with EFBIG, and the signal SIGXFSZ ends a program that does not expect it.
"""

import shlex
from dataclasses import dataclass

from program import Limits

PACKAGES = "none"
STEP = 512


@dataclass(frozen=True)
class SizeLimit:
    """A largest file size, in bytes."""

    bytes: int

    may_kill = False
    must_succeed = False
    may_be_silent = False
    may_change_plan = False
    may_leave_temporary_files = False

    def group(self):
        """The limits of which at least one has to take effect."""
        return None

    def __str__(self):
        return f"no file may grow over {self.bytes} bytes"

    def run(self, program, scenario, folder):
        return program.run(scenario.words(folder), scenario.stdin, limits=Limits(file_size=self.bytes))

    def repeat_line(self, scenario):
        return shlex.join(["prlimit", f"--fsize={self.bytes}", "BINARY", *scenario.words("FOLDER")])


def disturbances(program, scenario, folder):
    """Limits from 0 to the size of the largest file that the command leaves."""
    scenario.must(program, folder, (scenario.status,))
    largest = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
    return [SizeLimit(size) for size in sorted({1, 7, *range(0, largest, STEP), largest - 1})]


def spread(limits, every):
    """Every n-th limit."""
    return limits[::every]
