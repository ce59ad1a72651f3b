//! `salvage`, `migrate`, `compact` and `import` with a log in a folder as their input or output.

use std::fs;
use std::path::Path;

use serde_json::Value;

#[cfg(unix)]
use super::shell::CommandOutcome;
use super::shell::Shell;

/// Creates a folder with `a.log`, a file of version 1, and `a`, a folder, both with 300 events.
fn shell_with_logs() -> Shell {
    let shell = Shell::with_log();
    shell.run_ok("generate a/ --events 300 --aggregates 20 --segment-size 16KiB");
    shell
}

/// Returns the sorted names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn segments(folder: &Path) -> Vec<u64> {
    names(folder).iter().filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect()
}

/// Returns the offset and the text of each event that `cat` prints.
fn events(shell: &Shell, log: &str) -> Vec<(u64, String)> {
    let outcome = shell.run_ok(&format!("cat {log}"));
    let split = |line: &str| {
        let (offset, event) = line.strip_prefix("{\"offset\":").unwrap().split_once(',').unwrap();
        (offset.parse().unwrap(), event.to_owned())
    };
    outcome.stdout.lines().map(split).collect()
}

fn texts(events: &[(u64, String)]) -> Vec<&str> {
    events.iter().map(|(_, text)| text.as_str()).collect()
}

/// Checks that a folder is a log without damage, with full segments, and that nothing temporary is next to it.
fn assert_clean_folder(shell: &Shell, log: &str, segment_size: u64) {
    let verified = shell.run_ok(&format!("verify {log} --json")).stdout_json();
    let is_damage = |finding: &Value| finding["kind"] != "gap";
    assert!(!verified["findings"].as_array().unwrap().iter().any(is_damage), "{verified}");
    let bases = segments(&shell.path(log));
    for pair in bases.windows(2) {
        assert!((segment_size..segment_size + 8192).contains(&(pair[1] - pair[0])), "{bases:?}");
    }
    let info = shell.run_ok(&format!("info {log} --json")).stdout_json();
    let numbers: Vec<u64> =
        info["segments"].as_array().unwrap().iter().map(|s| s["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..bases.len() as u64).collect::<Vec<_>>());
    let is_temporary = |name: &String| [".tmp", ".old"].iter().any(|end| name.ends_with(end));
    assert!(!names(shell.folder.path()).iter().any(is_temporary), "{:?}", names(shell.folder.path()));
    // The settings are valid: the writer starts the next segment at the same size.
    assert!(fs::read_to_string(shell.path(log).join("log.json")).unwrap().contains(&segment_size.to_string()));
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file_with_the_same_events() {
    let shell = shell_with_logs();
    let (of_file, of_folder) = (events(&shell, "a.log"), events(&shell, "a"));
    let size = "--segment-size 16KiB";
    for (line, new, source) in [
        (format!("migrate a.log -o m/ {size} --map m.csv"), "m", &of_file),
        (format!("salvage a.log -o s {size} --map s.csv"), "s", &of_file),
        (format!("salvage a -o t/ {size} --map t.csv"), "t", &of_folder),
        (format!("migrate a -o u/ {size} --map u.csv"), "u", &of_folder),
        (format!("compact a -o c/ --filter v>=0 {size} --map c.csv"), "c", &of_folder),
    ] {
        let outcome = shell.run_ok(&line);
        let count = segments(&shell.path(new)).len();
        assert!(count > 3 && outcome.stdout.contains("300 events, "), "{line}: {outcome:?}");
        assert!(outcome.stdout.contains(&format!(" in {count} segments")), "{line}: {outcome:?}");
        assert_clean_folder(&shell, new, 16 << 10);
        let copied = events(&shell, new);
        assert_eq!(texts(&copied), texts(source), "{line}");
        let rows = fs::read_to_string(shell.path(&format!("{new}.csv"))).unwrap();
        let offsets: Vec<String> =
            source.iter().zip(&copied).map(|((old, _), (new, _))| format!("{old},{new},kept")).collect();
        assert_eq!(rows.lines().skip(1).collect::<Vec<_>>(), offsets, "{line}");
        let appended = shell.run_with_input(&format!("append {new}"), &copied[0].1.as_bytes()["\"event\":".len()..]);
        assert_ne!(appended.exit_code, 101, "{appended:?}");
    }
    shell.run_ok("salvage a -o one.log");
    assert_eq!(texts(&events(&shell, "one.log")), texts(&of_folder));
    let json = shell.run_ok("compact a -o d/ --latest --segment-size 4KiB --json").stdout_json();
    assert_eq!(json["segments"].as_u64(), Some(segments(&shell.path("d")).len() as u64));
    assert_eq!(shell.run_ok("salvage a -o two.log --json").stdout_json()["segments"], Value::Null);
}

#[test]
fn segments_are_divided_by_the_times_of_the_events() {
    let shell = Shell::new();
    let hour = 3_600_000;
    let event = |ms: u64| {
        format!(
            r#"{{"write_timestamp_ms":{ms},"event_type":"E","namespace":"n","schema_id":"s","schema_version":1,"payload":{{}}}}"#
        )
    };
    let start = 1_767_225_600_000;
    // One clock was in the future, and one far in the past.
    let times = [start, start + hour / 2, start + hour, 7_000_000_000_000, start + hour + 1, 1000, start + 3 * hour];
    fs::write(shell.path("events.ndjson"), times.map(event).join("\n")).unwrap();
    shell.run_ok("import events.ndjson -o a.log --keep-times");
    shell.run_ok("migrate a.log -o a/ --segment-age 1h");
    shell.run_ok("import events.ndjson -o b/ --segment-age 1h --keep-times");
    for log in ["a", "b"] {
        let info = shell.run_ok(&format!("info {log} --json")).stdout_json();
        let created = |segment: &Value| segment["created_at_ms"].as_u64().unwrap();
        let created: Vec<u64> = info["segments"].as_array().unwrap().iter().map(created).collect();
        assert_eq!(created[..2], [start, start + hour], "{log}");
        // The future counts as the present, so the segment after it is never older.
        assert!(created.len() == 3 && created[2] > start + 3 * hour && created[2] < times[3], "{log}: {created:?}");
        assert!(fs::read_to_string(shell.path(log).join("log.json")).unwrap().contains("3600000"));
        assert_eq!(events(&shell, log).len(), times.len());
    }
}

#[test]
fn an_early_time_does_not_make_the_segments_before_it_old() {
    let shell = Shell::new();
    let event = |ms: u64| {
        format!(
            r#"{{"write_timestamp_ms":{ms},"event_type":"E","namespace":"n","schema_id":"s","schema_version":1,"payload":{{}}}}"#
        )
    };
    // Every segment after the first one starts with an event of a clock that was far in the past.
    let start = 1_767_225_600_000;
    let times = std::iter::once(start).chain(std::iter::repeat_n(1000, 40));
    fs::write(shell.path("events.ndjson"), times.map(event).collect::<Vec<_>>().join("\n")).unwrap();
    shell.run_ok("import events.ndjson -o a/ --segment-size 1KiB --keep-times");
    shell.run_ok("salvage a -o b/ --segment-size 1KiB");
    for log in ["a", "b"] {
        let info = shell.run_ok(&format!("info {log} --json")).stdout_json();
        let segments = info["segments"].as_array().unwrap();
        assert!(segments.len() > 3, "{info}");
        assert!(segments.iter().all(|segment| segment["created_at_ms"].as_u64() == Some(start)), "{log}: {info}");
    }
}

#[test]
fn an_import_into_a_folder_keeps_offsets_where_the_segments_are_the_same() {
    let shell = shell_with_logs();
    let whole = events(&shell, "a");
    fs::write(shell.path("events.ndjson"), shell.run_ok("cat a").stdout).unwrap();
    for (size, new) in [("16KiB", "same/"), ("64KiB", "larger/")] {
        let line = format!("import events.ndjson -o {new} --segment-size {size} --keep-times");
        let json = shell.run_ok(&format!("{line} --json")).stdout_json();
        assert_eq!((json["offsets_kept"].as_u64(), json["offsets_moved"].as_u64()), (Some(300), Some(0)), "{json}");
        assert_eq!(events(&shell, new), whole, "{new}");
        // Where the new log has no segment, a gap takes the place of the header.
        let headers = segments(&shell.path("a")).len() - segments(&shell.path(new)).len();
        assert_eq!(json["holes_filled"].as_u64(), Some(headers as u64), "{json}");
    }
    assert_eq!(segments(&shell.path("same")), segments(&shell.path("a")));
    assert_clean_folder(&shell, "same", 16 << 10);
    // An export of one file has no holes for headers: the events after the first segment move, which is counted.
    shell.run_ok("generate b.log --format 2 --events 300 --aggregates 20");
    fs::write(shell.path("file.ndjson"), shell.run_ok("cat b.log").stdout).unwrap();
    let json = shell.run_ok("import file.ndjson -o c/ --segment-size 16KiB --keep-times --json").stdout_json();
    let copied = events(&shell, "c");
    let kept = copied.iter().zip(events(&shell, "b.log")).filter(|(new, old)| new.0 == old.0).count();
    assert_eq!(json["offsets_kept"].as_u64(), Some(kept as u64), "{json}");
    assert_eq!(json["offsets_moved"].as_u64(), Some(300 - kept as u64), "{json}");
    assert!((1..300).contains(&kept) && copied.len() == 300);
    assert_clean_folder(&shell, "c", 16 << 10);
    let bad = shell.run_with_input("import - -o bad/", b"{}\n");
    assert!(bad.exit_code == 1 && !shell.path("bad").exists(), "{bad:?}");
    let empty = shell.run_with_input("import - -o empty/", b"");
    assert_eq!((empty.exit_code, segments(&shell.path("empty"))), (0, vec![0]), "{empty:?}");
}

#[test]
fn a_folder_is_replaced_only_with_force_and_only_when_it_is_nothing_but_a_log() {
    let shell = shell_with_logs();
    let copies = ["salvage a.log", "migrate a.log", "compact a.log --latest", "import events.ndjson"];
    fs::write(shell.path("events.ndjson"), shell.run_ok("cat a").stdout).unwrap();
    fs::create_dir(shell.path("empty")).unwrap();
    fs::create_dir(shell.path("notes")).unwrap();
    fs::write(shell.path("notes/notes.txt"), "keep").unwrap();
    for copy in copies {
        fs::create_dir(shell.path("out")).unwrap();
        for name in names(&shell.path("a")) {
            fs::copy(shell.path("a").join(&name), shell.path("out").join(&name)).unwrap();
        }
        shell.run_ok("index update out");
        let before = names(&shell.path("out"));
        let refused = shell.run(&format!("{copy} -o out/"));
        assert!(refused.exit_code == 6 && refused.stderr.contains("already exists"), "{copy}: {refused:?}");
        for other in ["empty", "notes", "a.log"] {
            let refused = shell.run(&format!("{copy} -o {other} --segment-size 1MiB --force"));
            assert!(refused.exit_code != 0 && shell.path(other).exists(), "{copy} -o {other}: {refused:?}");
        }
        for kept in ["repairs", ".removed", "other.txt"] {
            fs::create_dir(shell.path("out").join(kept)).unwrap();
            let refused = shell.run(&format!("{copy} -o out/ --force"));
            assert!(refused.exit_code == 6 && refused.stderr.contains(kept), "{copy}, {kept}: {refused:?}");
            fs::remove_dir(shell.path("out").join(kept)).unwrap();
        }
        assert_eq!(names(&shell.path("out")), before, "{copy}");
        shell.run_ok(&format!("{copy} -o out/ --force --segment-size 32KiB"));
        assert_clean_folder(&shell, "out", 32 << 10);
        assert!(!names(&shell.path("out")).iter().any(|name| name.contains(".log.idx")), "old indexes are removed");
        // A file does not replace a folder.
        let refused = shell.run(&format!("{copy} -o out --force"));
        assert!(refused.exit_code != 0 && shell.path("out").is_dir(), "{copy}: {refused:?}");
        fs::remove_dir_all(shell.path("out")).unwrap();
    }
    // `create` fills an empty folder, as a library does, and the others name what is to be done.
    let refused = shell.run("migrate a.log -o empty/ --force");
    assert!(refused.exit_code == 6 && refused.stderr.contains("Remove the folder"), "{refused:?}");
    let refused = shell.run("migrate a.log -o a --force");
    assert!(refused.exit_code == 6 && refused.stderr.contains("end the name with /"), "{refused:?}");
    shell.run_ok("create empty/");
    assert_eq!(segments(&shell.path("empty")), [0]);
    assert_clean_folder(&shell, "empty", 256 << 20);
    assert_eq!(shell.run("create empty/").exit_code, 6);
    assert_eq!(shell.run("create notes/").exit_code, 6);
    for line in ["generate out/ --events 50", "create out/"] {
        shell.run_ok(line);
        assert_eq!(shell.run(line).exit_code, 6, "{line}");
        shell.run_ok(&format!("{line} --force"));
        fs::remove_dir_all(shell.path("out")).unwrap();
    }
    assert_eq!(fs::read_to_string(shell.path("notes/notes.txt")).unwrap(), "keep");
}

#[test]
fn no_output_is_in_the_folder_of_a_log_that_is_read() {
    let shell = shell_with_logs();
    let before = (names(&shell.path("a")), events(&shell, "a"));
    let first = "a/00000000000000000000.log";
    for (line, reason) in [
        ("salvage a -o a/ --force".to_owned(), "would replace"),
        ("salvage a -o a/new/ --force".to_owned(), "would be inside"),
        ("salvage a -o a/new.log --force".to_owned(), "would be inside"),
        (format!("salvage {first} -o a/new/"), "would be inside"),
        (format!("salvage {first} -o a/ --force"), "would contain"),
        ("salvage a.log --donor a -o a/new/".to_owned(), "would be inside"),
        ("compact a --latest -o a/x/".to_owned(), "would be inside"),
        ("salvage a -o b/ --map a/map.csv".to_owned(), "would be inside"),
        ("salvage a -o b/ --map b/map.csv".to_owned(), "would be inside"),
        ("salvage a -o b/ --map b".to_owned(), "would replace"),
    ] {
        let refused = shell.run(&line);
        assert!(refused.exit_code == 6 && refused.stderr.contains(reason), "{line}: {refused:?}");
        assert!(!shell.path("b").exists(), "{line}");
    }
    assert_eq!((names(&shell.path("a")), events(&shell, "a")), before);
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_written_leaves_nothing_and_an_old_one_stays() {
    let shell = shell_with_logs();
    fs::write(shell.path("events.ndjson"), shell.run_ok("cat a").stdout).unwrap();
    shell.run_ok("salvage a -o old/ --segment-size 16KiB");
    let before = (names(shell.folder.path()), events(&shell, "old"));
    for copy in ["salvage a -o", "migrate a.log -o", "compact a --latest -o", "import events.ndjson -o"] {
        for output in ["new/", "old/ --force"] {
            // The unit of the limit is 512 or 1024 bytes, which depends on the shell.
            let script = format!("ulimit -f 10; exec \"$0\" {copy} {output}");
            let mut limited = std::process::Command::new("sh");
            limited.args(["-c", &script, env!("CARGO_BIN_EXE_chronicle")]).current_dir(shell.folder.path());
            let outcome = CommandOutcome::from_output(limited.output().unwrap());
            let file = format!("{}00000000000000000000.log: cannot write", &output[..4]);
            assert!(outcome.exit_code == 1 && outcome.stderr.contains(&file), "{copy} {output}: {outcome:?}");
            assert_eq!((names(shell.folder.path()), events(&shell, "old")), before, "{copy} {output}");
        }
    }
    // What a killed process has left of a folder is removed by the next one.
    fs::create_dir(shell.path("new.4294967295-0.tmp")).unwrap();
    for name in ["lock", "00000000000000000000.log", "log.json"] {
        fs::write(shell.path("new.4294967295-0.tmp").join(name), "part").unwrap();
    }
    shell.run_ok("salvage a -o new/ --segment-size 16KiB");
    assert_clean_folder(&shell, "new", 16 << 10);
}
