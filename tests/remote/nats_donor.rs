//! A NATS stream as a copy that is read: as the donor of a repair, in a comparison, and by itself.

use std::fs;

use super::nats_server::NatsServer;
use super::shell::Shell;

#[test]
fn a_damaged_range_and_a_lost_end_are_taken_from_the_stream() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    let whole = fs::read(shell.path("a.log")).unwrap();
    shell.run_ok("index update a.log");
    let mut damaged = whole.clone();
    damaged[40_000..41_000].fill(0);
    damaged.truncate(whole.len() - 3000);
    fs::write(shell.path("a.log"), damaged).unwrap();
    let planned = shell.run(&format!("repair a.log --donor {url} --dry-run"));
    assert_eq!(planned.stdout.matches("take_from_donor, proven").count(), 2, "{planned:?}");
    shell.run_ok(&format!("repair a.log --donor {url} --yes"));
    assert!(fs::read(shell.path("a.log")).unwrap() == whole);
}

#[test]
fn a_missing_segment_is_taken_from_the_stream_and_salvage_reads_it_too() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::new(), server.url("S"));
    shell.run_ok("generate s/ --events 2000 --segment-size 64KiB");
    shell.run_ok(&format!("replicate s {url} --once --create"));
    let mut segments: Vec<_> = fs::read_dir(shell.path("s")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    segments.sort();
    let (lost, damaged) = (fs::read(&segments[2]).unwrap(), fs::read(&segments[4]).unwrap());
    fs::remove_file(&segments[2]).unwrap();
    let mut bytes = damaged.clone();
    bytes[5000..5600].fill(0xff);
    fs::write(&segments[4], bytes).unwrap();
    let salvaged = shell.run(&format!("salvage s -o t/ --donor {url}"));
    // The header of the missing segment has no event.
    assert!(salvaged.exit_code == 3 && salvaged.stdout.contains("2 000 events"), "{salvaged:?}");
    shell.run_ok(&format!("repair s --donor {url} --yes"));
    assert!(fs::read(&segments[2]).unwrap() == lost && fs::read(&segments[4]).unwrap() == damaged);
}

#[test]
fn a_stream_is_compared_and_verified_like_a_file() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("A"));
    shell.run_ok(&format!("replicate a.log {url} --once --create"));
    assert!(shell.run_ok(&format!("diff a.log {url}")).stdout.contains("identical"));
    let verified = shell.run_ok(&format!("verify {url}")).stdout;
    assert!(verified.contains("300 events; no damage"), "{verified}");
    assert_eq!(shell.run_ok(&format!("cat {url}")).stdout, shell.run_ok("cat a.log").stdout);
    let event = r#"{"event_type":"T","namespace":"n","schema_id":"S","schema_version":1,"payload":{}}"#;
    assert_eq!(shell.run_with_input("append a.log", event.as_bytes()).exit_code, 0);
    assert_eq!(shell.run(&format!("diff a.log {url}")).exit_code, 3);
    let missing = shell.run(&format!("diff a.log {}", server.url("NONE")));
    assert!(missing.exit_code == 1 && missing.stderr.contains("no stream of this name"), "{missing:?}");
    for command in ["append", "index update", "undo", "compact --latest -o b.log", "erase --offset 16"] {
        let refused = shell.run(&format!("{command} {url}"));
        assert_eq!(refused.exit_code, 2, "{refused:?}");
        assert!(refused.stderr.contains("does not take"), "{command}: {}", refused.stderr);
    }
}

#[test]
fn a_corrupted_message_is_damage_of_the_copy_and_is_never_taken() {
    let Some(server) = NatsServer::start() else { return };
    let (shell, url) = (Shell::with_log(), server.url("BAD"));
    shell.run_ok(&format!("replicate a.log {} --once --create", server.url("A")));
    let mut client = server.client();
    client.api("STREAM.CREATE.BAD", r#"{"name":"BAD","subjects":["BAD.>"]}"#).unwrap();
    let mut offset = String::new();
    for sequence in 1..=300 {
        let (headers, mut body) = client.message("A", sequence);
        if sequence == 120 {
            offset = headers.iter().find_map(|line| line.strip_prefix("Chronicle-Offset: ")).unwrap().to_owned();
            body = body.replacen("\"schema_version\":", "\"schema_versiom\":", 1);
        }
        let lines: Vec<&str> = headers.iter().map(String::as_str).collect();
        client.request("BAD.n.T", &lines, body.as_bytes()).unwrap();
    }
    let verified = shell.run(&format!("verify {url}"));
    assert!(matches!(verified.exit_code, 3 | 4), "{verified:?}");
    assert!(verified.stdout.contains(&format!("{offset}..")) && verified.stdout.contains("checksum"), "{verified:?}");
    let refused = shell.run(&format!("restore {url} -o b.log"));
    assert!(refused.exit_code == 6 && refused.stderr.contains("sequence number 120"), "{refused:?}");
    // The log is damaged at the same event, so that the copy has nothing to give.
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    let at: usize = offset.parse().unwrap();
    bytes[at..at + 60].fill(0xff);
    fs::write(shell.path("a.log"), &bytes).unwrap();
    let planned = shell.run(&format!("repair a.log --donor {url} --dry-run"));
    assert!(!planned.stdout.contains("take_from_donor, proven"), "{planned:?}");
    let good = shell.run(&format!("repair a.log --donor {} --dry-run", server.url("A")));
    assert!(good.stdout.contains("take_from_donor, proven"), "{good:?}");
}
