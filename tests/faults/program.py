"""Runs the program under test, and holds what a run returned."""

import os
import resource
import signal
import subprocess
from dataclasses import dataclass, field

# A run that takes longer than this counts as one that hangs. A retried EAGAIN takes up to four seconds.
TIMEOUT_SECONDS = 60


class Violation(Exception):
    """A promise of the program that an injection showed to be broken."""


class Missed(Exception):
    """An injection that did not take place, so that its run has shown nothing."""


class Skipped(Exception):
    """A subject that cannot run on this machine, with the reason."""


@dataclass
class Outcome:
    """What one run of the program returned."""

    command: list
    status: int
    stdout: bytes
    stderr: bytes
    # False when the disturbance did not take place; None when only the outcome can show that.
    was_disturbed: bool = None

    @property
    def was_killed(self):
        """True when a signal ended the program. strace and shells report that as a negative or as 128 + signal."""
        return self.status < 0 or self.status in (128 + signal.SIGKILL, 128 + signal.SIGXFSZ)

    def text(self):
        """Everything that the program printed."""
        return (self.stdout + self.stderr).decode("utf-8", "replace")


@dataclass
class Limits:
    """Limits that a run is started with."""

    file_size: int = None
    ignores_size_signal: bool = False
    user: int = None

    def apply(self):
        """Sets the limits in the new process, before the program is executed."""
        if self.file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_size, self.file_size))
        if self.ignores_size_signal:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if self.user is not None:
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)


@dataclass
class Program:
    """The program under test."""

    binary: str
    environment: dict = field(default_factory=lambda: {**os.environ, "NO_COLOR": "1"})

    def run(self, arguments, stdin=b"", prefix=(), limits=None):
        """Runs the program with these arguments, after the words of `prefix`, such as those of strace."""
        command = [*prefix, self.binary, *arguments]
        try:
            done = subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                env=self.environment,
                preexec_fn=limits.apply if limits else None,
            )
        except subprocess.TimeoutExpired as expired:
            raise Violation(f"no end within {TIMEOUT_SECONDS} s: {' '.join(command)}") from expired
        return Outcome(command, done.returncode, done.stdout, done.stderr)

    def must(self, arguments, statuses=(0,), stdin=b""):
        """Runs the program without an injection, and returns the outcome, whose status must be one of `statuses`."""
        outcome = self.run(arguments, stdin)
        if outcome.status not in statuses:
            raise Violation(
                f"status {outcome.status} instead of {statuses}: {' '.join(outcome.command)}\n{outcome.text()}"
            )
        return outcome
