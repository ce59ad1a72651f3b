"""Kills and fails the program at each of its system calls on the files of a command, through strace."""

import re
import shlex
import shutil
from dataclasses import dataclass

from program import Skipped

PACKAGES = "strace"

# The errors that are injected into each system call. `+` fails the call and all calls of this name after it, `0` makes
# it return 0, and `kill` kills the program when the call has ended. strace cannot make a call do a part of its work, so
# short writes come from the limits of the file size and of full file systems.
WRITES = ("kill", "EIO", "ENOSPC", "EINTR", "EAGAIN", "0", "EIO+", "ENOSPC+")
SYNCS = ("kill", "EIO", "ENOSPC", "EINTR", "EIO+")
NAMES = ("kill", "EIO", "ENOSPC", "EINTR", "EIO+")
READS = ("EIO", "EINTR")
INJECTIONS = {
    "write": WRITES,
    "writev": WRITES,
    "pwrite64": WRITES,
    "fsync": SYNCS,
    "fdatasync": SYNCS,
    "rename": NAMES,
    "renameat": NAMES,
    "renameat2": NAMES,
    "link": NAMES,
    "linkat": NAMES,
    "unlink": NAMES,
    "unlinkat": NAMES,
    "mkdir": NAMES,
    "mkdirat": NAMES,
    "ftruncate": ("kill", "EIO", "ENOSPC", "EINTR", "EIO+"),
    "flock": ("kill", "EIO", "ENOLCK", "EINTR"),
    "open": ("kill", "EIO", "EMFILE", "EINTR"),
    "openat": ("kill", "EIO", "EMFILE", "EINTR"),
    "fchmod": ("EPERM", "EINTR"),
    "fchown": ("EPERM", "EINTR"),
    "read": (*READS, "EAGAIN"),
    "pread64": (*READS, "EAGAIN"),
    "getdents64": READS,
    "stat": READS,
    "lstat": READS,
    "fstat": READS,
    "newfstatat": READS,
    "statx": READS,
    "lseek": ("EIO",),
}
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")


@dataclass(frozen=True)
class Injection:
    """One call, by its name and its number among the calls of this name, and what happens to it."""

    call: str
    number: int
    kind: str

    def __str__(self):
        return f"{self.call} number {self.number}: {self.kind}"

    def group(self):
        """The injections of which at least one has to take place. A command that reads the list of processes
        makes a varying number of calls, so that a single injection can come after the last call."""
        return self.kind

    @property
    def may_kill(self):
        return self.kind == "kill"

    @property
    def must_succeed(self):
        # A lock that would block is held by another process, and no descriptor is known to be blocking.
        return self.kind in ("EINTR", "EAGAIN")

    @property
    def may_change_plan(self):
        # A page of the index that cannot be read once changes how many events a gap is said to give up.
        return self.call == "pread64" and self.kind == "EIO"

    @property
    def may_be_silent(self):
        # Messages are written by the same system call.
        return self.call.startswith("write") and self.kind.endswith("+")

    @property
    def may_leave_temporary_files(self):
        # The program cannot remove a file when removing is what fails, nor move a replaced file back when every rename fails.
        return self.call.startswith("unlink") or (self.call.startswith("rename") and self.kind.endswith("+"))

    def words(self, log="/dev/null"):
        """The command line of strace before the program."""
        what = {"kill": "signal=SIGKILL", "0": "retval=0"}.get(self.kind, f"error={self.kind.rstrip('+')}")
        when = f"{self.number}+" if self.kind.endswith("+") else self.number
        inject = f"inject={self.call}:{what}:when={when}"
        # With a filter in the kernel, strace does not inject signals.
        filter_words = [] if self.may_kill else ["--seccomp-bpf"]
        return ["strace", "-f", "-qq", *filter_words, "-o", log, "-e", f"trace={self.call}", "-e", inject]

    def run(self, program, scenario, folder):
        log = folder.with_name(folder.name + ".injected")
        outcome = program.run(scenario.words(folder), scenario.stdin, self.words(str(log)))
        outcome.was_disturbed = outcome.was_killed if self.may_kill else "(INJECTED)" in log.read_text(errors="replace")
        log.unlink()
        return outcome

    def repeat_line(self, scenario):
        return shlex.join([*self.words(), "BINARY", *scenario.words("FOLDER")])


def find_injections(program, scenario, folder):
    """Runs the command once under strace, and returns the injections for its calls on files of `folder` and on stdin
    and stdout. The calls that load the program are left alone."""
    log = folder.with_name(folder.name + ".trace")
    trace = f"trace={','.join(name for name in INJECTIONS if not name in ('stat', 'lstat', 'open', 'renameat'))}"
    program.run(scenario.words(folder), scenario.stdin, ["strace", "-f", "-y", "-qq", "-o", str(log), "-e", trace])
    numbers, found = {}, []
    for line in log.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        process, call, rest = match.groups()
        number = numbers[process, call] = numbers.get((process, call), 0) + 1
        is_stream = re.match(r"[01](<|,)", rest)
        if str(folder) in rest or is_stream:
            found += [Injection(call, number, kind) for kind in INJECTIONS.get(call, ())]
    log.unlink()
    return list(dict.fromkeys(found))


def disturbances(program, scenario, folder):
    """All injections for a command."""
    if not shutil.which("strace"):
        raise Skipped("strace is not installed")
    return find_injections(program, scenario, folder)


def spread(injections, every):
    """Every n-th injection, in an order in which each system call has its share."""
    return sorted(injections, key=lambda injection: (injection.call, injection.kind, injection.number))[every // 2 :: every]
