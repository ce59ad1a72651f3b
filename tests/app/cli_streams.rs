//! Logs that are read from a stream: stdin, a pipe, and files that gzip or zstd compressed.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Runs a command with this input and with a folder of its own for temporary files, which must be empty afterwards.
fn run(shell: &Shell, line: &str, input: &[u8]) -> CommandOutcome {
    let temporary = shell.path("temporary");
    fs::create_dir_all(&temporary).unwrap();
    fs::write(shell.path("input"), input).unwrap();
    let mut command = shell.command(line);
    command.env("TMPDIR", &temporary).stdin(fs::File::open(shell.path("input")).unwrap());
    let outcome = CommandOutcome::from_output(command.output().unwrap());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "{line}");
    outcome
}

#[test]
fn a_compressed_log_and_a_pipe_are_verified_and_printed_as_the_log() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    fs::remove_file(shell.path("bad.log.idx")).ok();
    let log = fs::read(shell.path("bad.log")).unwrap();
    fs::write(shell.path("bad.gz"), gzip(&log)).unwrap();
    // Two gzip members and two zstd frames after each other are one stream.
    let (first, second) = log.split_at(log.len() / 2);
    fs::write(shell.path("bad.2gz"), [gzip(first), gzip(second)].concat()).unwrap();
    fs::write(shell.path("bad.zst"), [zstd(first), zstd(second)].concat()).unwrap();
    // The index and the journals next to the file are of another file.
    fs::write(shell.path("bad.gz.idx"), b"CHIX").unwrap();
    let without_path = |outcome: &CommandOutcome| {
        let mut report = outcome.stdout_json();
        report["path"] = Value::Null;
        report
    };
    let (verified, printed) = (shell.run("verify bad.log --json"), shell.run("cat bad.log"));
    assert_eq!((verified.exit_code, printed.exit_code), (4, 3));
    for (path, input) in [
        ("bad.gz", vec![]),
        ("bad.2gz", vec![]),
        ("bad.zst", vec![]),
        ("-", log.clone()),
        ("-", gzip(&log)),
        ("-", zstd(&log)),
        ("/dev/stdin", gzip(&log)),
    ] {
        let outcome = run(&shell, &format!("verify {path} --json"), &input);
        assert_eq!((outcome.exit_code, without_path(&outcome)), (4, without_path(&verified)), "{path}");
        assert!(outcome.stderr.contains("copied into a temporary file"), "{outcome:?}");
        let outcome = run(&shell, &format!("cat {path}"), &input);
        assert_eq!((outcome.exit_code, &outcome.stdout), (3, &printed.stdout), "{path}");
    }
    assert_eq!(run(&shell, "cat bad.gz --filter agg:7 --limit 2", &[]).stdout.lines().count(), 2);
    for path in ["-", "/dev/stdin"] {
        let piped = shell.run_with_input(&format!("verify {path}"), &log);
        assert_eq!(piped.exit_code, 4, "{piped:?}");
    }
}

#[test]
fn a_compressed_log_that_is_cut_is_read_as_far_as_it_can_be_unpacked() {
    let shell = Shell::with_log();
    let log = fs::read(shell.path("a.log")).unwrap();
    for (name, packed) in [("cut.gz", gzip(&log)), ("cut.zst", [zstd(&log), zstd(&log)].concat())] {
        fs::write(shell.path(name), &packed[..packed.len() - packed.len() / 4]).unwrap();
        let outcome = run(&shell, &format!("verify {name} --json"), &[]);
        assert_eq!(outcome.exit_code, 3, "{outcome:?}");
        assert!(outcome.stderr.contains("damaged or incomplete"), "{outcome:?}");
        assert!(outcome.stdout_json()["events"].as_u64().unwrap() > 100, "{outcome:?}");
        assert_eq!(run(&shell, &format!("cat {name}"), &[]).exit_code, 3);
        fs::write(shell.path(name), &packed[..6]).unwrap();
        let outcome = run(&shell, &format!("verify {name}"), &[]);
        assert!(outcome.exit_code == 1 && outcome.stderr.contains(&format!("{name}: cannot unpack")), "{outcome:?}");
    }
}

#[test]
fn a_stream_has_no_index_to_save_and_other_commands_name_those_that_read_it() {
    let shell = Shell::with_log();
    let log = fs::read(shell.path("a.log")).unwrap();
    fs::write(shell.path("a.gz"), gzip(&log)).unwrap();
    assert_eq!(run(&shell, "verify a.gz --save", &[]).exit_code, 2);
    for line in ["info a.gz", "repair a.gz --yes", "append a.gz --type T --namespace n --schema s --payload {}"] {
        let outcome = run(&shell, line, &[]);
        assert!(
            outcome.exit_code == 1 && outcome.stderr.contains("`chronicle verify` and `cat` read a compressed log"),
            "{outcome:?}"
        );
    }
    assert_eq!(fs::read(shell.path("a.gz")).unwrap(), gzip(&log));
    let outcome = run(&shell, "verify -", b"no log");
    assert!(outcome.exit_code == 1 && outcome.stderr.contains("-: not a Chronicle log"), "{outcome:?}");
}
