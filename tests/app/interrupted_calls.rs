//! Runs the program while the operating system interrupts its calls (`EINTR`) or would have to block (`EAGAIN`).

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use super::shell::{CommandOutcome, Shell};

/// Calls of a repair, with the error that strace injects and the numbers of the calls that fail.
const INJECTIONS: [&str; 21] = [
    "flock:error=EINTR:when=1",
    "rename:error=EINTR:when=1",
    "rename:error=EAGAIN:when=1",
    "renameat2:error=EINTR:when=1",
    "mkdir:error=EINTR:when=1",
    "openat:error=EINTR:when=30+3",
    "unlink:error=EINTR:when=1",
    "statx:error=EINTR:when=1+3",
    "fstat:error=EINTR:when=1+3",
    "statfs:error=EINTR:when=1",
    "getdents64:error=EINTR:when=1",
    "getdents64:error=EINTR:when=2",
    "fchown:error=EINTR:when=1+2",
    "fchmod:error=EINTR:when=1+2",
    "pread64:error=EINTR:when=12+3",
    "pwrite64:error=EINTR:when=1+2",
    "pwrite64:error=EAGAIN:when=1+2",
    "write:error=EAGAIN:when=1+2",
    "ftruncate:error=EINTR:when=1+2",
    "fdatasync:error=EINTR:when=1+2",
    "fsync:error=EINTR:when=1+2",
];

/// Runs a command while strace injects an error into its calls; `None` when strace cannot run here.
fn run_with_injection(shell: &Shell, injection: &str, line: &str) -> Option<CommandOutcome> {
    let call = injection.split(':').next().unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &format!("inject={injection}")]);
    strace.arg(env!("CARGO_BIN_EXE_chronicle")).args(line.split(' ')).current_dir(shell.folder.path());
    let output = strace.stdin(Stdio::null()).output().ok()?;
    let outcome = CommandOutcome::from_output(output);
    (!outcome.stderr.contains("ptrace")).then_some(outcome)
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
        let Some(outcome) = run_with_injection(&shell, injection, "repair x.log --yes") else {
            eprintln!("skipped: strace is not installed, or may not trace here");
            return;
        };
        assert!([0, 3].contains(&outcome.exit_code), "{injection}: {outcome:?}");
        assert_eq!(fs::read(shell.path("x.log")).unwrap(), repaired, "{injection}");
        let line = format!("append x.log --sync {event}");
        let outcome = run_with_injection(&shell, injection, &line).unwrap();
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

#[test]
fn a_slow_reader_of_a_non_blocking_stream_gets_every_byte() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 8000");
    let plain = shell.run_ok("cat a.log").stdout;
    let (mut reader, writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    let stderr = writer.try_clone().unwrap();
    let mut command = shell.command("cat a.log");
    command.stdout(OwnedFd::from(writer)).stderr(OwnedFd::from(stderr));
    let mut child = command.spawn().unwrap();
    // Closes the copies of this process, so that the stream ends with the program.
    drop(command);
    // The program fills the stream before the first byte is read.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(read == plain, "{} bytes instead of {}", read.len(), plain.len());
}
