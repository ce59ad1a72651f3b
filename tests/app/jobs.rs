//! Ten jobs that users do with the screen, from the first key to the answer. Each test counts its keys.

use std::fs;
use std::path::Path;

use super::shell::Shell;
use super::tui::{TestTerminal, shell_with_damage};

const SCREEN_SIZE: (u16, u16) = (120, 40);
/// Clears a line of text in a form or a prompt.
const CTRL_U: &str = "\x15";

/// A user who does one job in a terminal.
struct Job {
    terminal: TestTerminal,
    keys: usize,
}

impl Job {
    fn start(shell: &Shell, line: &str) -> Self {
        Self { terminal: TestTerminal::open(shell, line, SCREEN_SIZE), keys: 0 }
    }

    /// Presses keys of one byte each.
    fn press(&mut self, keys: &str) {
        self.keys += keys.len();
        self.terminal.press(keys);
    }

    fn see(&mut self, text: &str) {
        self.terminal.wait_for_text(text);
    }

    /// Waits for a line that contains all of the texts.
    fn see_line(&mut self, texts: &[&str]) {
        self.terminal.wait_until(&format!("a line with {texts:?}"), |screen| {
            screen.contents().lines().any(|line| texts.iter().all(|text| line.contains(text)))
        });
    }

    /// Moves to the button that confirms a dialog, and presses it.
    fn confirm(&mut self, button: &str) {
        self.see("Cancel");
        self.keys += self.terminal.press_until_text("\t", &format!("[> {button} <]"));
        self.press("\r");
    }

    /// Quits the program, and checks that the job took at most this number of keys before that.
    fn end(mut self, keys: usize) {
        let used = self.keys;
        self.terminal.press("q");
        assert_eq!(self.terminal.wait_for_exit(), 0);
        assert!(used <= keys, "the job took {used} keys");
    }
}

/// Creates a log with these events, each given as time, aggregate and payload.
fn import(shell: &Shell, log: &str, events: &[(&str, u64, &str)]) {
    let lines: Vec<String> = events
        .iter()
        .map(|(time, aggregate, payload)| {
            let time_ms = jiff::Timestamp::as_millisecond(time.parse().unwrap());
            format!(
                r#"{{"write_timestamp_ms":{time_ms},"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":{aggregate},"payload":{payload}}}"#
            )
        })
        .collect();
    fs::write(shell.path("events"), lines.join("\n")).unwrap();
    shell.run_ok(&format!("import events -o {log} --keep-times"));
}

fn file_bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn job_1_what_is_wrong() {
    let shell = shell_with_damage();
    let finding = &shell.run("verify bad.log --json").stdout_json()["findings"][0];
    let start = finding["start"].as_u64().unwrap();
    let mut job = Job::start(&shell, "bad.log");
    // The number of damaged ranges is shown without a key.
    job.see("× 1 damaged");
    job.press("e");
    job.see_line(&[">×", &start.to_string(), "correct bits (proven)"]);
    job.see("checksum mismatch (stored");
    job.end(1);
}

#[test]
fn job_2_repair_and_undo() {
    let shell = shell_with_damage();
    let damaged = file_bytes(&shell.path("bad.log"));
    let mut job = Job::start(&shell, "bad.log");
    job.see("× 1 damaged");
    job.see("verified 100 %");
    job.press("X");
    job.confirm("Repair");
    job.see("Repair 1 done; u undoes it");
    job.see("no damage");
    job.see("verified 100 %");
    assert_eq!(
        file_bytes(&shell.path("bad.log")),
        file_bytes(&shell.path("a.log")),
        "the proven fix restores the bytes"
    );
    job.press("u");
    job.see("Undo repair 1?");
    job.confirm("Undo");
    job.see("Repair 1 undone");
    job.see("× 1 damaged");
    assert_eq!(file_bytes(&shell.path("bad.log")), damaged);
    job.end(10);
}

#[test]
fn job_3_the_life_of_one_aggregate() {
    let shell = Shell::new();
    let events = [
        ("2026-03-01T10:00:00Z", 7, r#"{"name":"Ana"}"#),
        ("2026-03-01T11:00:00Z", 8, r#"{"name":"Other"}"#),
        ("2026-03-01T12:00:00Z", 7, r#"{"name":"Ana","city":"Porto"}"#),
        ("2026-03-01T13:00:00Z", 7, r#"{"name":"Ana"}"#),
    ];
    import(&shell, "people.log", &events);
    let mut job = Job::start(&shell, "people.log");
    job.see("4 events");
    job.press("j");
    job.see("\"name\": \"Ana\"");
    job.press("@");
    job.see("filter (1 of 3 hits): agg:7");
    job.terminal.wait_until("only events of this aggregate", |screen| {
        let rows = screen.contents().lines().filter(|line| line.contains("  Updated  ")).count();
        rows == 3 && !screen.contents().contains("Other")
    });
    job.press("[");
    job.see("[Aggregate]");
    job.see("+ city: \"Porto\"");
    job.see("- city: \"Porto\"");
    job.end(3);
}

#[test]
fn job_4_when_a_name_changed_between_two_times() {
    let shell = Shell::new();
    let events = [
        ("2026-03-01T09:00:00Z", 7, r#"{"name":"Ana"}"#),
        ("2026-03-02T09:00:00Z", 7, r#"{"name":"Ana Sousa"}"#),
        ("2026-03-03T09:00:00Z", 7, r#"{"name":"Ana Sousa","city":"Porto"}"#),
        ("2026-03-04T09:30:00Z", 7, r#"{"name":"Ana Lima","city":"Porto"}"#),
        ("2026-03-05T09:00:00Z", 7, r#"{"name":"Ana Reis","city":"Porto"}"#),
    ];
    import(&shell, "people.log", &events);
    let mut job = Job::start(&shell, "people.log");
    job.see("5 events");
    job.press("f");
    job.see("filter: ");
    let filter = "agg:7 time:2026-03-03..2026-03-04";
    job.press(&format!("{filter}\r"));
    job.see("filter (1 of 2 hits): agg:7 time:");
    job.see_line(&[">", "366", "Ana Sousa"]);
    job.press("[");
    job.see("[Aggregate]");
    job.see("~ name: \"Ana Sousa\" → \"Ana Lima\"");
    // The event with that change is the second one of the list, with its time.
    job.see("09:30:00.000");
    job.end(3 + filter.len());
}

#[test]
fn job_5_events_by_type_in_the_last_hour() {
    let shell = Shell::new();
    let times = ["09:00", "09:10", "09:20", "11:59", "12:00", "12:40", "13:00"];
    let times = times.map(|time| format!("2026-03-01T{time}:00Z"));
    let events: Vec<_> = times.iter().map(|time| (time.as_str(), 7, "{}")).collect();
    import(&shell, "people.log", &events);
    let mut job = Job::start(&shell, "people.log");
    job.see("7 events");
    job.press("p");
    job.see("last hour of the log");
    // Three of the seven events are from the hour before the last event, whose start is included.
    job.see_line(&["Updated", " 3 ", "100.0 %", "13:00:00"]);
    let statistics = shell.run_ok("stats people.log --by type --filter after:end-1h --json").stdout_json();
    assert_eq!((&statistics["groups"][0]["key"], &statistics["groups"][0]["events"]), (&"Updated".into(), &3.into()));
    job.end(1);
}

#[test]
fn job_6_export_for_a_ticket() {
    let shell = shell_with_damage();
    let start = shell.run("verify bad.log --json").stdout_json()["findings"][0]["start"].to_string();
    let mut job = Job::start(&shell, "bad.log");
    job.see("× 1 damaged");
    job.press("e");
    job.see_line(&[">×", &start]);
    job.press("yc");
    job.see("Sent command");
    job.press("yf");
    job.see("Wrote command to ");
    let contents = job.terminal.contents();
    let path = contents.split_once("Wrote command to ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let command = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let (program, arguments) = command.trim().split_once(' ').unwrap();
    assert_eq!(program, "chronicle");
    let shown = shell.run(arguments);
    assert_eq!(shown.exit_code, 3, "the command shows damage: {shown:?}");
    assert!(shown.stdout.contains("checksum") && shown.stdout.contains(&start), "{shown:?}");
    job.end(5);
}

#[test]
fn job_7_lost_events_are_taken_from_a_backup() {
    let shell = Shell::with_log();
    let mut damaged = file_bytes(&shell.path("a.log"));
    damaged[5000..7000].fill(0);
    fs::create_dir(shell.path("backup")).unwrap();
    fs::rename(shell.path("a.log"), shell.path("backup/a.log")).unwrap();
    fs::write(shell.path("a.log"), &damaged).unwrap();
    let mut job = Job::start(&shell, "a.log");
    job.see("× 1 damaged");
    job.see("verified 100 %");
    // The path of the backup is completed from its first letters.
    job.press("C");
    job.see(":compare");
    job.press("ba");
    job.see("> backup/");
    job.press("\r");
    job.see("> a.log");
    job.press("\r");
    job.see("[7 Compare]");
    job.see_line(&["×", "lost here", "here: damaged"]);
    job.press("X");
    job.see("proven");
    job.confirm("Repair");
    job.see("Repair 1 done");
    job.see("a.log is identical to this log, byte for byte");
    assert_eq!(file_bytes(&shell.path("a.log")), file_bytes(&shell.path("backup/a.log")));
    job.press("u");
    job.see("Undo repair 1?");
    job.confirm("Undo");
    job.see_line(&["lost here"]);
    assert_eq!(file_bytes(&shell.path("a.log")), damaged);
    job.end(14);
}

#[test]
fn job_8_a_live_log_is_watched() {
    let shell = Shell::with_log();
    let append = |kind: &str| {
        shell.run_ok(&format!("append a.log --type {kind} --namespace n --schema S --aggregate 7 --payload {{}}"));
    };
    let mut job = Job::start(&shell, "a.log");
    job.see("300 events");
    job.press("F");
    job.see("FOLLOW");
    append("First");
    job.see_line(&[">", "First"]);
    job.press("k");
    job.see("paused");
    append("Second");
    job.see("302 events");
    assert!(!job.terminal.contents().lines().any(|line| line.contains('>') && line.contains("Second")));
    job.press("G");
    job.see_line(&[">", "Second"]);
    append("Third");
    job.see_line(&[">", "Third"]);
    job.end(3);
}

#[test]
fn job_9_the_cost_of_both_durability_modes() {
    let shell = Shell::with_log();
    let mut job = Job::start(&shell, "a.log");
    job.see("300 events");
    job.press("a");
    job.see("Append a test event");
    job.press("\t\t\t\t\t\t\t");
    job.see(">count");
    job.press(&format!("{CTRL_U}20\r"));
    job.see("Write to this log?");
    job.confirm("Append");
    job.see("buffered: 20 appends in this session");
    job.press("\x1b[Z");
    job.see(">durability");
    job.press(" ");
    job.see("(•) synced");
    job.press("\r");
    job.see("synced: 20 appends in this session");
    job.see("buffered: 20 appends in this session");
    job.see("340 events");
    job.terminal.press("\x1b");
    job.terminal.wait_until("the form is closed", |screen| !screen.contents().contains("Append a test event"));
    job.end(20);
}

#[test]
fn job_10_why_the_index_is_stale() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    // `append` saves the index at its end. With the index from before it, the log is as after a killed writer.
    let index = file_bytes(&shell.path("a.log.idx"));
    shell.run_ok("append a.log --type Late --namespace n --schema S --aggregate 7 --payload {}");
    fs::write(shell.path("a.log.idx"), index).unwrap();
    let covered_to = shell.run("index status a.log --json").stdout_json()["index"]["log_end_offset"].as_u64().unwrap();
    let behind = file_bytes(&shell.path("a.log")).len() as u64 - covered_to;
    let mut job = Job::start(&shell, "a.log");
    job.see("index BEHIND");
    job.press("4");
    job.see("the log has grown since the index was saved");
    job.see_line(&["BEHIND", &format!("{behind} B"), "1 event"]);
    job.press("r");
    job.see("index fresh");
    assert_eq!(shell.run_ok("index status a.log").exit_code, 0);
    job.end(2);
}
