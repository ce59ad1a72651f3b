"""File systems and users that refuse: full disks, no free inodes, read-only mounts, other users, immutable files.

Mounts are made in a mount namespace of this process, so they end with it.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from checks import check_outcome
from program import Limits, Skipped, Violation
from scenarios import SCENARIOS

CLONE_NEWNS = 0x00020000
# The user and group that Debian gives to nobody.
NOBODY = 65534
# Free space that is left on a full file system, in bytes.
FREE_SPACE = (0, 4096, 8192, 16384, 32768, 65536, 131072)


class Refusal:
    """A file system or a user that refuses, as a disturbance of one command."""

    may_kill = False
    must_succeed = False
    may_be_silent = False
    may_change_plan = False
    may_leave_temporary_files = False

    def __init__(self, name, limits=None):
        self.name, self.limits = name, limits

    def __str__(self):
        return self.name


def call(*words):
    """Runs a program of the system; a failure skips the subject."""
    if not shutil.which(words[0]):
        raise Skipped(f"{words[0]} is not installed")
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"`{' '.join(words)}` is not allowed: {done.stderr.strip() or done.returncode}")


def need_root():
    """Skips the subject for a user who may not mount."""
    if os.geteuid() != 0:
        raise Skipped("only root may do this; run as root or with sudo")


def enter_mount_namespace():
    """Moves this process into a mount namespace of its own, once."""
    need_root()
    if enter_mount_namespace.is_done:
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNS):
        raise Skipped(f"a mount namespace is not allowed: {os.strerror(ctypes.get_errno())}")
    call("mount", "--make-rprivate", "/")
    enter_mount_namespace.is_done = True


enter_mount_namespace.is_done = False


@contextlib.contextmanager
def mounted(*words):
    """A folder on which `mount WORDS FOLDER` put a file system."""
    enter_mount_namespace()
    folder = tempfile.mkdtemp(prefix="chronicle-faults-")
    try:
        call("mount", *words, folder)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=False)
    finally:
        os.rmdir(folder)


def learned(program, kind, work):
    """A scenario that has seen an undisturbed run, and the folder of its prepared files."""
    scenario, template = kind(), work / "template"
    template.mkdir()
    scenario.prepare(program, template)
    shutil.copytree(template, work / "learned")
    scenario.learn(program, work / "learned")
    return scenario, template


def check(program, scenario, folder, refusal, undo_refusal):
    """Runs a refused command, checks what it leaves, ends the refusal, and lets the command recover."""
    outcome = program.run(scenario.words(folder), scenario.stdin, limits=refusal.limits)
    try:
        check_outcome(program, scenario, folder, outcome, refusal)
        undo_refusal()
        scenario.recover(program, folder)
        scenario.check_names(folder)
    except Violation as violation:
        raise Violation(
            f"{scenario.name}, {refusal}: {violation}\n  status {outcome.status}, printed: {outcome.text()[-600:]}"
        ) from violation
    return outcome


def need_effect(outcomes, scenario):
    """Fails when no refusal changed the exit status of the command: nothing was refused then."""
    if all(outcome.status == scenario.status for outcome in outcomes):
        raise Violation(f"{scenario.name}: its exit status was the same in all {len(outcomes)} runs: nothing was refused")


def for_each_scenario(program, attempt, kinds=SCENARIOS):
    """Runs `attempt(scenario, template)` for each command; returns the sum of the numbers of its runs."""
    tried, violations = 0, []
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="chronicle-faults-") as work:
            scenario, template = learned(program, kind, Path(work))
            try:
                tried += attempt(scenario, template)
            except Violation as violation:
                violations.append(str(violation))
    if violations:
        raise Violation("\n".join(violations))
    return tried


def some_of(values, every):
    """All of the values, or a third of them where a short run is asked for."""
    return values if every == 1 else values[::3]


def full_disk(program, every):
    """Each command on a file system with little free space. Debian packages: mount."""

    def attempt(scenario, template):
        values, outcomes = some_of(FREE_SPACE, every), []
        for free in values:
            with mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs") as disk:
                folder, filler = disk / "files", disk / "filler"
                shutil.copytree(template, folder)
                status = os.statvfs(disk)
                filler.write_bytes(b"x" * max(status.f_bavail * status.f_frsize - free, 0))
                outcomes.append(check(program, scenario, folder, Refusal(f"{free} bytes free"), filler.unlink))
        need_effect(outcomes, scenario)
        return len(values)

    return for_each_scenario(program, attempt)


def few_inodes(program, every):
    """Each command where few files can be created, as under a quota. Debian packages: mount."""

    def attempt(scenario, template):
        values, outcomes = some_of(range(4), every), []
        for free in values:
            with mounted("-t", "tmpfs", "-o", "size=8m,nr_inodes=64", "tmpfs") as disk:
                folder, fillers = disk / "files", []
                shutil.copytree(template, folder)
                for number in range(os.statvfs(disk).f_favail - free):
                    fillers.append(disk / f"filler{number}")
                    fillers[-1].touch()
                refusal, undo_refusal = Refusal(f"{free} files free"), lambda: [filler.unlink() for filler in fillers]
                outcomes.append(check(program, scenario, folder, refusal, undo_refusal))
        # An append to a log whose index need not be saved creates no file.
        if scenario.creates_files:
            need_effect(outcomes, scenario)
        return len(values)

    return for_each_scenario(program, attempt)


def read_only_mount(program, _every):
    """Each command on a read-only bind mount. Debian packages: mount."""

    def attempt(scenario, template):
        with mounted("--bind", str(template)) as folder:
            call("mount", "-o", "remount,ro,bind", str(folder))
            writable = lambda: call("mount", "-o", "remount,rw,bind", str(folder))
            outcome = check(program, scenario, folder, Refusal("a read-only mount"), writable)
            if outcome.status in (0, scenario.status):
                raise Violation(f"{scenario.name}: status {outcome.status} on a read-only mount")
        return 1

    return for_each_scenario(program, attempt)


def other_user(program, _every):
    """Each command as a user who may read the files and not write them. Debian packages: none."""
    need_root()

    def attempt(scenario, template):
        for path in (template.parent, template, *template.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        refusal = Refusal("another user", Limits(user=NOBODY))
        with tempfile.TemporaryDirectory(prefix="chronicle-faults-") as folder:
            binary = shutil.copy(program.binary, folder)
            os.chmod(folder, 0o755)
            other = type(program)(binary)
            outcome = check(other, scenario, template, refusal, lambda: None)
        if outcome.status in (0, scenario.status):
            raise Violation(f"{scenario.name}: status {outcome.status} for a user who may not write")
        return 1

    return for_each_scenario(program, attempt)


def file_attributes(program, _every):
    """Each command that changes a log, on an immutable and on an append-only log. Debian packages: e2fsprogs, mount."""
    need_root()
    with tempfile.TemporaryDirectory(prefix="chronicle-faults-") as work:
        image = Path(work) / "image"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        call("mkfs.ext4", "-q", "-F", str(image))
        tried = 0
        with mounted("-o", "loop", str(image)) as disk:

            def attempt(scenario, template):
                for attribute in ("i", "a"):
                    folder = disk / "files"
                    shutil.copytree(template, folder)
                    log = str(folder / "a.log")
                    call("chattr", f"+{attribute}", log)
                    free = lambda: call("chattr", f"-{attribute}", log)
                    try:
                        check_attribute(program, scenario, folder, attribute, free)
                    finally:
                        free()
                        shutil.rmtree(folder)
                return 2

            tried = for_each_scenario(program, attempt, [kind for kind in SCENARIOS if kind.changes_log])
    return tried


def check_attribute(program, scenario, folder, attribute, free):
    """Runs one command on a log with an attribute, and checks that the log can be refused and is unchanged then."""
    name = {"i": "an immutable log", "a": "an append-only log"}[attribute]
    outcome = check(program, scenario, folder, Refusal(name), free)
    if attribute == "i" and outcome.status in (0, scenario.status):
        raise Violation(f"{scenario.name}: status {outcome.status} on {name}")


CHECKS = {
    "full disk": full_disk,
    "few inodes": few_inodes,
    "read-only mount": read_only_mount,
    "another user": other_user,
    "file attributes": file_attributes,
}
