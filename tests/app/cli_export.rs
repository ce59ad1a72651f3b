//! `export`: JSON lines and CSV, chosen columns, existing files, and damage.

use std::fs;

use super::shell::Shell;

#[test]
fn export_writes_the_lines_of_cat() {
    let shell = Shell::with_log();
    for filter in ["", " --filter type:Updated", " --limit 7"] {
        shell.run_ok(&format!("export a.log -o out.ndjson --force{filter}"));
        assert_eq!(
            fs::read_to_string(shell.path("out.ndjson")).unwrap(),
            shell.run_ok(&format!("cat a.log{filter}")).stdout
        );
    }
    // A file that is written in several pieces.
    shell.run_ok("generate big.log --events 5000");
    let report = shell.run_ok("export big.log -o big.ndjson --json").stdout_json();
    let written = fs::read_to_string(shell.path("big.ndjson")).unwrap();
    assert!(written.len() > 1 << 20 && written == shell.run_ok("cat big.log").stdout);
    assert_eq!((report["bytes"].as_u64(), report["events"].as_u64()), (Some(written.len() as u64), Some(5000)));
}

#[test]
fn export_writes_chosen_columns_with_quotes_where_they_are_needed() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let event = |payload: &str| {
        format!(
            r#"{{"event_type":"A,\"b\"","namespace":"n","schema_id":"S","schema_version":2,"aggregate_id":null,"payload":{payload}}}"#
        ) + "\n"
    };
    let input = event(r#"{"x":1.50,"t":"two\nlines"}"#) + &event(r#"{"x":[1, 2]}"#);
    assert_eq!(shell.run_with_input("append a.log", input.as_bytes()).exit_code, 0);
    shell.run_ok("export a.log -o out.csv --columns offset,type,v,agg,payload.x,payload.t");
    let csv = fs::read_to_string(shell.path("out.csv")).unwrap();
    let expected = "offset,type,v,agg,payload.x,payload.t\n16,\"A,\"\"b\"\"\",2,,1.50,\"two\nlines\"\n";
    assert!(csv.starts_with(expected) && csv.ends_with(",\"A,\"\"b\"\"\",2,,\"[1,2]\",\n"), "{csv}");
    shell.run_ok("export a.log -o all.csv");
    let all = fs::read_to_string(shell.path("all.csv")).unwrap();
    assert!(all.starts_with("offset,time,type,ns,schema,v,agg,payload\n") && all.contains("Z,\"A,"), "{all}");
    let wrong = shell.run("export a.log -o wrong.csv --columns ofset");
    assert!(wrong.exit_code == 2 && wrong.stderr.contains("the nearest is `offset`"), "{wrong:?}");
    let wrong = shell.run("export a.log -o wrong --format ndjson --columns type");
    assert!(wrong.exit_code == 2 && !shell.path("wrong").exists(), "{wrong:?}");
}

#[test]
fn export_replaces_a_file_only_with_force_and_never_its_log() {
    let shell = Shell::with_log();
    fs::write(shell.path("out.csv"), "kept").unwrap();
    assert_eq!(shell.run("export a.log -o out.csv").exit_code, 6);
    assert_eq!(fs::read_to_string(shell.path("out.csv")).unwrap(), "kept");
    shell.run_ok("export a.log -o out.csv --force --limit 1");
    assert_eq!(fs::read_to_string(shell.path("out.csv")).unwrap().lines().count(), 2);
    let before = fs::read(shell.path("a.log")).unwrap();
    assert_eq!(shell.run("export a.log -o a.log --force").exit_code, 6);
    assert_eq!(fs::read(shell.path("a.log")).unwrap(), before);
}

#[test]
fn export_skips_damage_and_with_strict_writes_nothing() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    let outcome = shell.run("export bad.log -o out.ndjson");
    assert!(outcome.exit_code == 3 && outcome.stdout.contains("out.ndjson: 299 events"), "{outcome:?}");
    let strict = shell.run("export bad.log -o strict.ndjson --strict");
    assert!(strict.exit_code == 3 && strict.stderr.contains("No file was written"), "{strict:?}");
    assert!(!shell.path("strict.ndjson").exists());
    assert!(
        fs::read_dir(shell.folder.path()).unwrap().all(|file| file.unwrap().path().extension() != Some("tmp".as_ref()))
    );
}
