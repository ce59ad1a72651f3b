//! Tests that the real disk layer makes the calls on which durability depends: the system calls of each command, which
//! strace records, have the order that the simulated disk is checked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::call_order::{CallKind, RecordedCall, order_violations};

const TRACED: &str = "trace=openat,mkdir,write,pwrite64,ftruncate,fdatasync,fsync,rename,renameat2,unlink";

/// Runs the program under strace. Returns its calls on files in `folder`; `None` when strace cannot run here.
fn record_calls(folder: &Path, arguments: &[&str]) -> Option<Vec<RecordedCall>> {
    let trace = folder.join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-y", "-e", TRACED, "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_chronicle"));
    let output = strace.args(arguments).current_dir(folder).stdin(Stdio::null()).output().ok()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if stderr.contains("ptrace") {
        return None;
    }
    assert!(matches!(output.status.code(), Some(0 | 3)), "{arguments:?}: {:?}: {stderr}", output.status);
    let calls = fs::read_to_string(&trace).unwrap().lines().filter_map(|line| parse_call(folder, line)).collect();
    fs::remove_file(trace).unwrap();
    Some(calls)
}

/// Returns the call of one line of strace; `None` for a call that failed, changed nothing, or is elsewhere.
fn parse_call(folder: &Path, line: &str) -> Option<RecordedCall> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') {
        return None;
    }
    let quoted = |nth: usize| arguments.split('"').nth(2 * nth + 1).map(|path| folder.join(path));
    let of_descriptor = || Some(PathBuf::from(arguments.split_once('<')?.1.split_once('>')?.0));
    let call = match name {
        "openat" if arguments.contains("O_EXCL") => RecordedCall::new(CallKind::Create, &quoted(0)?),
        "mkdir" => RecordedCall::new(CallKind::CreateFolder, &quoted(0)?),
        "write" => RecordedCall::new(CallKind::Append, &of_descriptor()?),
        "pwrite64" => RecordedCall::new(CallKind::WriteAt, &of_descriptor()?),
        "ftruncate" => RecordedCall::new(CallKind::SetLen, &of_descriptor()?),
        "fdatasync" | "fsync" => {
            let path = of_descriptor()?;
            RecordedCall::new(if path.is_dir() { CallKind::SyncFolder } else { CallKind::Sync }, &path)
        }
        "rename" | "renameat2" => RecordedCall::rename(&quoted(0)?, &quoted(1)?),
        "unlink" => RecordedCall::new(CallKind::Remove, &quoted(0)?),
        _ => return None,
    };
    call.path.starts_with(folder).then_some(call)
}

/// Changes bytes in the middle of the log, so that a repair writes a gap, and cuts the last frame.
fn damage(log: &Path) {
    let mut bytes = fs::read(log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(b'#');
    bytes.truncate(bytes.len() - 9);
    fs::write(log, bytes).unwrap();
}

#[test]
fn the_system_calls_of_every_writing_command_are_synced_in_order() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let log = root.join("a.log");
    let path = log.to_str().unwrap();
    let event = ["--type", "E", "--namespace", "n", "--schema", "S", "--aggregate", "1", "--payload", "1"];
    let append = ["append", path].into_iter().chain(event).collect::<Vec<_>>();
    let append_synced = [append.as_slice(), &["--sync"]].concat();
    let copy = root.join("copy.log");
    let commands: [&[&str]; 10] = [
        &["create", path],
        &append,
        &append_synced,
        &append_synced,
        &append_synced,
        &["index", "rebuild", path],
        &["verify", path, "--save"],
        &["repair", path, "--yes"],
        &["undo", path, "--yes"],
        &["salvage", path, "-o", copy.to_str().unwrap()],
    ];
    for (nth, arguments) in commands.into_iter().enumerate() {
        if arguments[0] == "repair" {
            damage(&log);
        }
        let Some(calls) = record_calls(&root, arguments) else {
            eprintln!("skipped: strace is not installed, or may not trace here");
            return;
        };
        let context = format!("command {nth}, {}: {calls:#?}", arguments[0]);
        let violations = order_violations(&calls, &log);
        assert!(violations.is_empty(), "{violations:?}: {context}");
        let has = |kind| calls.iter().any(|call| call.kind == kind);
        match arguments[0] {
            "append" => {
                let last = |kind| calls.iter().rposition(|call| call.kind == kind && call.path == log);
                let (written, synced) = (last(CallKind::Append), last(CallKind::Sync));
                assert!(written.is_some(), "{context}");
                assert!(!arguments.contains(&"--sync") || synced > written, "{context}");
            }
            "repair" | "undo" => {
                // The journal and its name are durable before the first byte of the log changes.
                let first_change = calls
                    .iter()
                    .position(|call| call.path == log && matches!(call.kind, CallKind::WriteAt | CallKind::SetLen));
                let before = &calls[..first_change.unwrap()];
                let journals = root.join("a.log.repairs");
                let syncs_journal =
                    |call: &RecordedCall| call.kind == CallKind::Sync && call.path.starts_with(&journals);
                assert!(before.iter().any(syncs_journal), "{context}");
                assert!(before.contains(&RecordedCall::new(CallKind::SyncFolder, &journals)), "{context}");
                assert!(calls.iter().any(|call| call.kind == CallKind::Sync && call.path == log), "{context}");
            }
            _ => assert!(has(CallKind::Sync) && has(CallKind::Rename) && has(CallKind::SyncFolder), "{context}"),
        }
    }
}
