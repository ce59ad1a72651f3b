"""The commands that are killed and failed: the files that each starts with, what it must leave, and how it recovers."""

import json
import os
import re
import shutil
import struct
from pathlib import Path

from program import Violation

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
HEADER_LEN = 16
# More than two batches of the command `append`, so that offsets are printed between writes.
APPENDED_EVENTS = 600
# What a run may leave beside the files of its scenario.
SIDE_FILE = re.compile(r"a\.log|a\.log\.idx|a\.log\.repairs|\d{4}-[a-z_-]+\.journal")


def events(count):
    """The input of `append`: this many events, one per line."""
    line = '{{"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"aggregate_id":1,"payload":{}}}\n'
    return "".join(line.format(number) for number in range(count)).encode()


def read(path):
    """The bytes of a file; None when there is no file."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None


def frame_starts(log, start):
    """The offsets of the whole frames from `start` on, and the offset after the last one."""
    starts, at = [], start
    while at + 4 <= len(log):
        end = at + 8 + struct.unpack(">I", log[at : at + 4])[0]
        if end > len(log):
            break
        starts.append(at)
        at = end
    return starts, at


class Scenario:
    """A command with the files that it starts with. Subclasses say what it must leave."""

    name = ""
    arguments = ()
    status = 0
    stdin = b""
    # Statuses of the same command when it is repeated after it had taken effect.
    repeated_statuses = (0,)
    # Files that the command may leave, beside the side files of the log.
    outputs = ()
    # True when the command changes the log a.log.
    changes_log = False
    # False when the command may succeed although no file can be created.
    creates_files = True

    def prepare(self, program, folder):
        """Creates the files that the command starts with."""
        self.generate(program, folder / "a.log")

    def learn(self, program, folder):
        """Notes the log before and after an undisturbed run in `folder`, which holds the prepared files."""
        self.before = read(folder / "a.log")
        self.names_before = {path.name for path in folder.rglob("*")}
        self.must(program, folder, (self.status,))
        self.after = read(folder / "a.log")
        self.outputs_after = {name: read(folder / name) for name in self.outputs}
        if not self.has_effect(program, folder):
            raise Violation(f"{self.name}: an undisturbed run has no effect")

    def words(self, folder):
        """The arguments of the command for the files in `folder`."""
        return [word.format(folder) for word in self.arguments]

    def must(self, program, folder, statuses):
        """Runs the command undisturbed; its status must be one of `statuses`."""
        return program.must(self.words(folder), statuses, self.stdin)

    def check_log(self, program, folder, outcome, disturbance):
        """Checks the log right after the disturbed run."""
        if read(folder / "a.log") != self.before:
            raise Violation("the command changed a log that it only reads")

    def has_effect(self, program, folder):
        """True when the files are as the command has to leave them."""
        raise NotImplementedError

    def recover(self, program, folder):
        """Repeats the command undisturbed, and checks that its effect is there after that."""
        statuses = (self.status, *self.repeated_statuses) if self.has_effect(program, folder) else (self.status,)
        self.must(program, folder, statuses)
        if not self.has_effect(program, folder):
            raise Violation("the repeated command did not have its effect")

    def clear_temporary_files(self, program, folder):
        """Saves the index, which removes a temporary index that a kill has left."""
        if any(path.name.startswith("a.log.idx.") for path in folder.iterdir()):
            program.must(["index", "update", str(folder / "a.log")], (0, 3, 4))

    def check_names(self, folder):
        """Checks that the folder holds no files that the command does not name."""
        allowed = self.names_before | set(self.outputs)
        for path in folder.rglob("*"):
            if path.name not in allowed and not SIDE_FILE.fullmatch(path.name):
                raise Violation(f"the file {path.name} is left")

    @staticmethod
    def generate(program, path, count=60):
        """Creates a healthy log."""
        program.must(["generate", str(path), "--events", str(count), "--seed", "3"])

    @staticmethod
    def damage(program, path):
        """Creates a log with two damaged ranges, and its index."""
        first, second = path.with_name("first.log"), path.with_name("second.log")
        Scenario.generate(program, first)
        program.must(["drill", str(first), "-o", str(second), "--kind", "checksum", "--seed", "2"])
        program.must(["drill", str(second), "-o", str(path), "--kind", "garbage", "--seed", "5"])
        program.must(["index", "update", str(path)])
        for other in (first, second):
            other.unlink()


class Append(Scenario):
    """Events on stdin are appended in batches."""

    name = "append"
    arguments = ("append", "{0}/a.log")
    stdin = events(APPENDED_EVENTS)
    changes_log = True
    # Only the index is a new file, and its failure to be saved does not fail an append.
    creates_files = False

    def prepare(self, program, folder):
        super().prepare(program, folder)
        program.must(["index", "update", str(folder / "a.log")])

    def appended(self, folder):
        """The offsets of the frames after those of the log before, and the length of an incomplete frame after them."""
        log = read(folder / "a.log") or b""
        if not log.startswith(self.kept()):
            raise Violation("bytes of the log before the appended events changed")
        starts, end = frame_starts(log, len(self.kept()))
        return starts, len(log) - end

    def kept(self):
        """The bytes that every append keeps."""
        return self.before

    def check_log(self, program, folder, outcome, disturbance):
        starts, torn = self.appended(folder)
        acknowledged = [int(word) for word in outcome.stdout.split()]
        if not set(acknowledged) <= set(starts):
            raise Violation(f"an offset was printed, but its event is not in the log: {len(acknowledged)} printed")
        if outcome.was_killed or disturbance.may_be_silent:
            return
        names_rest = re.search(r"stored|could not be rolled back|sync failed|does not end", outcome.text())
        if torn and not names_rest:
            raise Violation(f"{torn} bytes of an incomplete frame are left")
        if len(starts) != len(acknowledged) and outcome.status != 0 and not names_rest:
            raise Violation(f"{len(starts)} events are stored, {len(acknowledged)} offsets were printed, and it is not said")

    def has_effect(self, program, folder):
        starts, torn = self.appended(folder)
        return len(starts) >= APPENDED_EVENTS and not torn

    def recover(self, program, folder):
        starts, _ = self.appended(folder)
        self.must(program, folder, (0,))
        found, torn = self.appended(folder)
        if torn or len(found) != len(starts) + APPENDED_EVENTS or found[: len(starts)] != starts:
            raise Violation(f"{len(starts)} events before the next append, {len(found)} after it, {torn} bytes torn")
        program.must(["verify", str(folder / "a.log")], self.verified_statuses)

    verified_statuses = (0,)


class SyncedAppend(Append):
    """Events on stdin are appended in synced batches."""

    name = "append --sync"
    arguments = ("append", "--sync", "{0}/a.log")


class AppendAfterTornWrite(Append):
    """The append first sets aside an unfinished tail."""

    name = "append after a torn write"
    creates_files = True

    def prepare(self, program, folder):
        self.generate(program, folder / "a.log")
        program.must(["index", "update", str(folder / "a.log")])
        with open(folder / "a.log", "ab") as log:
            log.write(b"\0\0\1\0" + b'{"write_timestamp_ms":17')

    def learn(self, program, folder):
        self.before = read(folder / "a.log")
        super().learn(program, folder)

    def kept(self):
        return self.before[: frame_starts(self.before, HEADER_LEN)[1]]

    def appended(self, folder):
        # The unfinished tail, as a whole, is the state before.
        if read(folder / "a.log") == self.before:
            return [], 0
        return super().appended(folder)


class AppendAfterKilledRepair(Append):
    """The append first completes or rolls back a repair that was killed."""

    name = "append after a killed repair"
    verified_statuses = (0, 3, 4)

    def prepare(self, program, folder):
        log = folder / "a.log"
        kept = folder.with_name(folder.name + ".kept")
        self.damage(program, log)
        shutil.copytree(folder, kept)
        damaged = read(log)
        for number in range(1, 40):
            program.run(
                ["repair", "--yes", "--threads", "1", str(log)],
                prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64"]
                + ["-e", f"inject=pwrite64:signal=SIGKILL:when={number}"],
            )
            if read(log) != damaged:
                self.damaged = damaged
                return
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
        raise Violation("no call was found at which a killed repair leaves the log half repaired")

    def appended(self, folder):
        log = read(folder / "a.log") or b""
        # A rollback that is stopped in the middle leaves some bytes rolled back and others not; the repair stays pending.
        start = log[: len(self.damaged)]
        if len(start) < len(self.damaged) or any(b not in pair for b, *pair in zip(start, self.damaged, self.before)):
            raise Violation("the log before the appended events is neither damaged nor half repaired")
        return frame_starts(log, len(self.damaged))[0], len(log) - frame_starts(log, len(self.damaged))[1]


class IndexUpdate(Scenario):
    """An index that is behind catches up."""

    name = "index update"
    arguments = ("index", "update", "{0}/a.log")

    def prepare(self, program, folder):
        log = str(folder / "a.log")
        super().prepare(program, folder)
        program.must(["index", "update", log])
        kept = read(folder / "a.log.idx")
        program.must(["append", log], stdin=events(5))
        (folder / "a.log.idx").write_bytes(kept)

    def has_effect(self, program, folder):
        return program.run(["index", "status", str(folder / "a.log")]).status == 0


class IndexRebuild(IndexUpdate):
    """An index is built anew over an existing one."""

    name = "index rebuild"
    arguments = ("index", "rebuild", "{0}/a.log")


class VerifySave(Scenario):
    """The result of a verification is saved in the index."""

    name = "verify --save"
    arguments = ("verify", "--save", "--threads", "1", "{0}/a.log")

    def has_effect(self, program, folder):
        info = program.run(["info", "--json", str(folder / "a.log")])
        verified = json.loads(info.stdout).get("verified") if info.status == 0 else None
        return bool(verified)


class Repair(Scenario):
    """Two damaged ranges are repaired."""

    name = "repair"
    arguments = ("repair", "--yes", "--threads", "1", "{0}/a.log")
    status = 3
    changes_log = True

    def prepare(self, program, folder):
        self.damage(program, folder / "a.log")

    def check_log(self, program, folder, outcome, disturbance):
        log, text = read(folder / "a.log"), outcome.text()
        if disturbance.may_change_plan and outcome.status == self.status:
            self.check_repaired(program, folder)
            return
        if log is None or len(log) != len(self.before):
            raise Violation("the log has another length than before and after")
        changed = [at for at, byte in enumerate(log) if byte not in (self.before[at], self.after[at])]
        if changed:
            raise Violation(f"byte {changed[0]} is neither as before nor as planned")
        for words, expected in (
            ("as it was before", self.before),
            ("bytes that it had before this plan was applied", self.before),
            ("has all planned bytes", self.after),
        ):
            if re.search(rf"the log[^.:]*{words}", text) and log != expected:
                raise Violation(f"a message says {words!r}, and the log is not")
        if log not in (self.before, self.after) and not (outcome.was_killed or disturbance.may_be_silent):
            pending = program.run(["verify", str(folder / "a.log")]).text()
            if "neither as before nor as planned" not in text and "not known" not in text or "pending" not in pending:
                raise Violation("the log is half changed, and neither the message nor `verify` says so")

    def check_repaired(self, program, folder):
        """Checks that a plan with other numbers repaired the log as well."""
        program.must(["verify", str(folder / "a.log")], (0,))

    def has_effect(self, program, folder):
        log = read(folder / "a.log")
        return log == self.after or (log != self.before and program.run(["verify", str(folder / "a.log")]).status == 0)

    def recover(self, program, folder):
        super().recover(program, folder)
        program.must(["verify", str(folder / "a.log")], (0,))
        program.must(["undo", "--yes", str(folder / "a.log")], (3,))
        if read(folder / "a.log") != self.before:
            raise Violation("an undo of the repair does not restore the bytes")


class Undo(Repair):
    """A repair is undone."""

    name = "undo"
    arguments = ("undo", "--yes", "{0}/a.log", "1")
    repeated_statuses = (6,)

    def prepare(self, program, folder):
        super().prepare(program, folder)
        program.must(["repair", "--yes", str(folder / "a.log")], (3,))

    def check_repaired(self, program, folder):
        if not self.has_effect(program, folder):
            raise Violation("the undo did not restore the bytes")

    def has_effect(self, program, folder):
        return read(folder / "a.log") == self.after

    def recover(self, program, folder):
        Scenario.recover(self, program, folder)
        program.must(["verify", str(folder / "a.log")], (3,))


class Create(Scenario):
    """An empty log is created."""

    name = "create"
    arguments = ("create", "{0}/a.log")
    repeated_statuses = (6,)

    def prepare(self, program, folder):
        """Starts with an empty folder."""

    def check_log(self, program, folder, outcome, disturbance):
        log = read(folder / "a.log")
        if log is not None and (len(log) != HEADER_LEN or not log.startswith(b"CHRN")):
            raise Violation("the log is there, and not complete")

    def has_effect(self, program, folder):
        return read(folder / "a.log") is not None


class CreateOverExisting(Scenario):
    """An empty log replaces a log and its index."""

    name = "create --force"
    arguments = ("create", "--force", "{0}/a.log")

    def prepare(self, program, folder):
        super().prepare(program, folder)
        program.must(["index", "update", str(folder / "a.log")])

    def check_log(self, program, folder, outcome, disturbance):
        log = read(folder / "a.log")
        if log is None:
            # The old log is moved away before the new one gets its name. When it cannot be moved back, the message says so.
            moved = [path for path in folder.glob("a.log.*") if path.suffix in (".old", ".tmp")]
            moved = [path.read_bytes() for path in moved if outcome.was_killed or path.name in outcome.text()]
            log = self.before if self.before in moved else None
        if log != self.before and not self.has_effect(program, folder):
            raise Violation("the log is neither the old one nor the new one")

    def clear_temporary_files(self, program, folder):
        super().clear_temporary_files(program, folder)
        # No command removes the old files of a creation that was killed.
        for path in folder.glob("a.log*.old"):
            path.unlink()

    def has_effect(self, program, folder):
        log = read(folder / "a.log") or b""
        return len(log) == HEADER_LEN and log.startswith(b"CHRN")


class Salvage(Scenario):
    """The readable events are copied into a new log, with a map."""

    name = "salvage"
    arguments = ("salvage", "--threads", "1", "{0}/a.log", "-o", "{0}/new.log", "--map", "{0}/map.csv")
    status = 3
    repeated_statuses = (6,)
    outputs = ("new.log", "map.csv", "new.log.idx")

    def prepare(self, program, folder):
        self.damage(program, folder / "a.log")

    def check_log(self, program, folder, outcome, disturbance):
        super().check_log(program, folder, outcome, disturbance)
        for name, expected in self.outputs_after.items():
            found = read(folder / name)
            if name == "map.csv" and found and "unreadable" in outcome.text():
                # The map has a row for a range that the device did not read, such as the header.
                found = b"".join(row for row in found.splitlines(True) if not row.endswith(b",,unreadable\n"))
            # An index holds the time at which it was built.
            if found is not None and found != expected and not name.endswith(".idx"):
                raise Violation(f"{name} is there, and not complete")

    def has_effect(self, program, folder):
        return all(read(folder / name) is not None for name in ("new.log", "map.csv"))

    def recover(self, program, folder):
        if any((folder / name).exists() for name in self.outputs):
            self.must(program, folder, (6, self.status))
            program.must([*self.words(folder), "--force"], (self.status,))
        super().recover(program, folder)


class Migrate(Salvage):
    """A version 0 log is copied into a new log of version 1, with a map."""

    name = "migrate"
    arguments = ("migrate", "--threads", "1", "{0}/a.log", "-o", "{0}/new.log", "--map", "{0}/map.csv")

    def prepare(self, program, folder):
        shutil.copy(FIXTURES / "v0-invalid-event-and-length.log", folder / "a.log")
        os.chmod(folder / "a.log", 0o644)


SCENARIOS = (
    Append,
    SyncedAppend,
    AppendAfterTornWrite,
    AppendAfterKilledRepair,
    IndexUpdate,
    IndexRebuild,
    VerifySave,
    Repair,
    Undo,
    Salvage,
    Migrate,
    Create,
    CreateOverExisting,
)
