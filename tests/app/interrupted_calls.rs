//! Runs the program while the operating system interrupts its calls (`EINTR`) or would have to block (`EAGAIN`).

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::shell::{CommandOutcome, Shell, is_sleeping, wait_until};

/// Calls of a repair, with the error that strace injects and the numbers of the calls that fail.
const INJECTIONS: [&str; 19] = [
    "flock:error=EINTR:when=1",
    "rename:error=EINTR:when=1",
    "rename:error=EAGAIN:when=1",
    "renameat2:error=EINTR:when=1",
    "mkdir:error=EINTR:when=1",
    "openat:error=EINTR:when=30+3",
    "unlink:error=EINTR:when=1",
    "statx:error=EINTR:when=1+3",
    "statfs:error=EINTR:when=1",
    "getdents64:error=EINTR:when=1",
    "getdents64:error=EINTR:when=2",
    "fchown:error=EINTR:when=1+2",
    "fchmod:error=EINTR:when=1+2",
    "pread64:error=EINTR:when=12+3",
    "pwrite64:error=EINTR:when=1+2",
    "pwrite64:error=EAGAIN:when=1+2",
    "write:error=EAGAIN:when=1+2",
    "fdatasync:error=EINTR:when=1+2",
    "fsync:error=EINTR:when=1+2",
];

/// What a command did while errors were injected into its calls.
struct InterruptedRun {
    outcome: CommandOutcome,
    /// Number of calls into which an error was injected.
    injected: usize,
}

/// Runs a command while strace injects an error into its calls; `None` when strace cannot run here.
fn run_with_injection(shell: &Shell, injection: &str, line: &str) -> Option<InterruptedRun> {
    let call = injection.split(':').next().unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-f", "-e", &format!("trace={call}"), "-e", &format!("inject={injection}"), "-o", "trace"]);
    strace.arg(env!("CARGO_BIN_EXE_chronicle")).args(line.split(' ')).current_dir(shell.folder.path());
    let output = strace.stdin(Stdio::null()).output().ok()?;
    let outcome = CommandOutcome::from_output(output);
    if outcome.stderr.contains("ptrace") {
        return None;
    }
    let trace = fs::read_to_string(shell.path("trace")).unwrap();
    Some(InterruptedRun { outcome, injected: trace.matches("(INJECTED)").count() })
}

#[test]
fn interrupted_calls_are_repeated_and_write_no_byte_twice() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "damaged.log");
    shell.run_ok("index update damaged.log");
    let copy = |name: &str| {
        let _ = fs::remove_dir_all(shell.path(&format!("{name}.repairs")));
        fs::copy(shell.path("damaged.log"), shell.path(name)).unwrap();
        fs::copy(shell.path("damaged.log.idx"), shell.path(&format!("{name}.idx"))).unwrap();
    };
    copy("plain.log");
    shell.run("repair plain.log --yes");
    let repaired = fs::read(shell.path("plain.log")).unwrap();
    let event = "--type Updated --namespace accounts --schema Person --aggregate 1 --payload 1";
    for injection in INJECTIONS {
        copy("x.log");
        let Some(repair) = run_with_injection(&shell, injection, "repair x.log --yes") else {
            eprintln!("skipped: strace is not installed, or may not trace here");
            return;
        };
        let outcome = repair.outcome;
        assert!([0, 3].contains(&outcome.exit_code), "{injection}: {outcome:?}");
        assert_eq!(fs::read(shell.path("x.log")).unwrap(), repaired, "{injection}");
        let line = format!("append x.log --sync {event}");
        let append = run_with_injection(&shell, injection, &line).unwrap();
        // The old file of the name is moved away and removed.
        shell.run_ok("create new.log --force");
        let create = run_with_injection(&shell, injection, "create new.log --force").unwrap();
        assert_eq!(create.outcome.exit_code, 0, "{injection}: {:?}", create.outcome);
        assert_eq!(fs::read(shell.path("new.log")).unwrap().len(), 16, "{injection}");
        let injected = repair.injected + append.injected + create.injected;
        assert!(injected > 0, "{injection}: no call was interrupted");
        let outcome = append.outcome;
        assert_eq!(outcome.exit_code, 0, "{injection}: {outcome:?}");
        let appended = fs::read(shell.path("x.log")).unwrap();
        assert_eq!(outcome.stdout.trim(), repaired.len().to_string(), "{injection}");
        assert!(
            appended.starts_with(&repaired) && appended.len() < repaired.len() + 400,
            "{injection}: {}",
            appended.len()
        );
        assert!([0, 3].contains(&shell.run("verify x.log").exit_code), "{injection}");
    }
}

/// True when a stream accepts no byte now.
fn is_full(stream: &UnixStream) -> bool {
    let mut polled = [PollFd::new(stream, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).unwrap() == 0
}

#[test]
fn a_slow_reader_of_a_non_blocking_stream_gets_every_byte() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 8000");
    let plain = shell.run_ok("cat a.log").stdout;
    let (mut reader, writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    let (stderr, stream) = (writer.try_clone().unwrap(), writer.try_clone().unwrap());
    let mut command = shell.command("cat a.log");
    command.stdout(OwnedFd::from(writer)).stderr(OwnedFd::from(stderr));
    let mut child = command.spawn().unwrap();
    // Closes the copies of this process, so that the stream ends with the program.
    drop(command);
    wait_until("the program has filled the stream, and sleeps before the first byte is read", || {
        is_full(&stream) && is_sleeping(child.id())
    });
    drop(stream);
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(read == plain, "{} bytes instead of {}", read.len(), plain.len());
}
