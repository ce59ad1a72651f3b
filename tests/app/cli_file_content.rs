//! Files that are not undamaged logs: another kind of file, several logs in one file, or a log that a
//! transfer has translated as text.

use std::fs;

use serde_json::Value;

use super::shell::Shell;

/// Commands that read `file`, without the name of the file.
const READERS: [&str; 6] =
    ["verify FILE", "info FILE", "cat FILE", "repair FILE --dry-run", "salvage FILE -o new.log", "diff FILE FILE"];

#[test]
fn every_command_names_the_kind_of_a_file_that_is_not_a_log() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    shell.plant_damage("checksum", "bad.log");
    shell.run_ok("repair bad.log --yes");
    let journal = fs::read_dir(shell.path("bad.log.repairs")).unwrap().next().unwrap().unwrap().path();
    let events = shell.run_ok("cat a.log").stdout;
    let utf16: Vec<u8> = events.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let log = fs::read(shell.path("a.log")).unwrap();
    // A compressed file can contain its data as it is, with valid frames.
    let stored = |signature: &[u8]| [signature, &[0; 20], &log].concat();
    let cases: [(&str, Vec<u8>, &str, &str); 8] = [
        ("xz", stored(b"\xFD7zXZ\0"), "an xz file", "xz -dc"),
        ("bz2", stored(b"BZh9"), "a bzip2 file", "bzip2 -dc"),
        ("zip", stored(b"PK\x03\x04"), "a ZIP archive", "unzip"),
        ("sqlite", stored(b"SQLite format 3\0"), "an SQLite database", "sqlite3"),
        ("ndjson", events.into_bytes(), "JSON text", "chronicle import"),
        ("utf16", utf16, "text in UTF-16", "original"),
        ("index", fs::read(shell.path("a.log.idx")).unwrap(), "the index of a Chronicle log", "without `.idx`"),
        ("journal", fs::read(journal).unwrap(), "the journal of a repair", "chronicle undo LOG --list"),
    ];
    for (name, bytes, kind, next_step) in cases {
        fs::write(shell.path(name), bytes).unwrap();
        for reader in READERS {
            let outcome = shell.run(&reader.replace("FILE", name));
            assert_eq!(outcome.exit_code, 1, "{reader}, {name}: {outcome:?}");
            assert!(
                outcome.stderr.contains(kind) && outcome.stderr.contains(next_step),
                "{reader}, {name}: {outcome:?}"
            );
        }
    }
    fs::write(shell.path("text"), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    assert!(shell.run("verify text").stderr.contains("no valid frame in the first 32 bytes"));
}

/// Returns the findings of `verify --json` that are damage.
fn damage(shell: &Shell, log: &str) -> Vec<Value> {
    let report = shell.run(&format!("verify {log} --json")).stdout_json();
    report["findings"].as_array().unwrap().iter().filter(|found| found["damage"] == true).cloned().collect()
}

#[test]
fn concatenated_logs_are_named_with_the_offset_of_the_second() {
    let shell = Shell::with_log();
    shell.run_ok("generate b.log --events 50 --seed 7");
    let (first, second) = (fs::read(shell.path("a.log")).unwrap(), fs::read(shell.path("b.log")).unwrap());
    for torn in [0, 30] {
        let first = &first[..first.len() - torn];
        fs::write(shell.path("both.log"), [first, &second].concat()).unwrap();
        let at = first.len() as u64;
        let found = damage(&shell, "both.log");
        let headers: Vec<&Value> = found.iter().map(|found| &found["evidence"]["second_header_at"]).collect();
        assert_eq!(headers.iter().filter(|header| ***header == at).count(), 1, "{found:?}");
        let advice = format!("2 logs, the second from offset {at} on");
        for line in ["verify both.log", "repair both.log --dry-run", "salvage both.log -o one.log --force"] {
            let outcome = shell.run(line);
            assert_eq!(outcome.exit_code, 3, "{line}: {outcome:?}");
            assert!((outcome.stdout + &outcome.stderr).contains(&advice), "{line}");
        }
        let events = shell.run("verify one.log --json").stdout_json()["events"].as_u64().unwrap();
        assert_eq!(events, if torn == 0 { 350 } else { 349 });
        shell.run_ok("index update both.log");
        assert!(shell.run("info both.log").stdout.contains(&advice));
        // The commands of the advice write the two logs.
        fs::write(shell.path("split.log"), &fs::read(shell.path("both.log")).unwrap()[at as usize..]).unwrap();
        shell.run_ok("verify split.log");
        fs::remove_file(shell.path("both.log.idx")).unwrap();
    }
}

#[test]
fn a_text_mode_transfer_is_named_and_other_damage_is_not() {
    let shell = Shell::with_log();
    let log = fs::read(shell.path("a.log")).unwrap();
    let text: Vec<u8> =
        log.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect();
    assert!(text.len() > log.len() + 3, "the log contains bytes 0a");
    fs::write(shell.path("text.log"), text).unwrap();
    let found = damage(&shell, "text.log");
    assert!(!found.is_empty() && found.iter().all(|found| found["evidence"]["text_mode_bytes"].is_u64()), "{found:?}");
    for line in ["verify text.log", "repair text.log --dry-run --gap-undecided", "salvage text.log -o new.log"] {
        let outcome = shell.run(line);
        assert!((outcome.stdout + &outcome.stderr).contains("text-mode transfer: a program has replaced"), "{line}");
    }
    for kind in ["checksum", "length", "garbage", "zeros"] {
        shell.plant_damage(kind, "bad.log");
        let found = damage(&shell, "bad.log");
        assert!(found.iter().all(|found| found["evidence"]["text_mode_bytes"].is_null()), "{kind}: {found:?}");
        assert!(!shell.run("verify bad.log").stdout.contains("text-mode"), "{kind}");
        fs::remove_file(shell.path("bad.log")).unwrap();
    }
}

#[test]
fn a_salvage_takes_events_from_a_donor_with_other_offsets() {
    let shell = Shell::with_log();
    let log = fs::read(shell.path("a.log")).unwrap();
    let text: Vec<u8> =
        log.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect();
    fs::write(shell.path("text.log"), text).unwrap();
    let outcome = shell.run("salvage text.log -o new.log --donor a.log");
    assert_eq!(outcome.exit_code, 0, "{outcome:?}");
    assert!(fs::read(shell.path("new.log")).unwrap() == log);
    // A damaged log, and a donor that contains another log before it.
    shell.run_ok("generate b.log --events 50 --seed 7");
    fs::write(shell.path("both.log"), [fs::read(shell.path("b.log")).unwrap(), log.clone()].concat()).unwrap();
    shell.plant_damage("garbage", "bad.log");
    let intact = shell.run("salvage bad.log -o new.log --force");
    let outcome = shell.run("salvage bad.log -o new.log --force --donor both.log");
    assert_eq!((intact.exit_code, outcome.exit_code), (3, 0), "{outcome:?}");
    assert!(fs::read(shell.path("new.log")).unwrap() == log);
}
