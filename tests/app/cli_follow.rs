//! `cat --follow` and `watch`: appended events, damage, the end by a signal or a closed pipe, and files that are cut or
//! replaced.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::shell::{CommandOutcome, Shell};

/// A command that runs until it is stopped, with its output as lines.
struct RunningCommand {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl RunningCommand {
    fn start(shell: &Shell, line: &str) -> Self {
        let mut command = shell.command(line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits for the next line of stdout; an empty text at its end.
    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Waits for the next line of stderr; an empty text at its end.
    fn next_error_line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    fn next_json(&mut self) -> Value {
        let line = self.next_line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Sends the signal of Ctrl-c, and waits for the end.
    fn interrupt(self) -> CommandOutcome {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        self.wait()
    }

    fn wait(mut self) -> CommandOutcome {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let outcome = CommandOutcome::from_output(self.child.wait_with_output().unwrap());
        CommandOutcome { stdout, stderr, ..outcome }
    }
}

fn append(shell: &Shell, log: &str, kind: &str) {
    let event = format!(
        r#"{{"event_type":"{kind}","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":1,"payload":{{}}}}"#
    );
    let outcome = shell.run_with_input(&format!("append {log}"), (event + "\n").as_bytes());
    assert_eq!(outcome.exit_code, 0, "{outcome:?}");
}

#[test]
fn appended_events_are_printed_under_a_filter_until_ctrl_c() {
    let shell = Shell::with_log();
    let mut follow = RunningCommand::start(&shell, "cat a.log --follow --filter type:New");
    append(&shell, "a.log", "Old");
    append(&shell, "a.log", "New");
    assert_eq!(follow.next_json()["event"]["event_type"], "New");
    append(&shell, "a.log", "New");
    assert_eq!(follow.next_json()["event"]["event_type"], "New");
    let outcome = follow.interrupt();
    assert_eq!((outcome.exit_code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""));
}

#[test]
fn following_prints_what_cat_prints_and_ends_at_the_limit() {
    let shell = Shell::with_log();
    let all = shell.run_ok("cat a.log").stdout;
    assert_eq!(shell.run_ok("cat a.log --follow --limit 300").stdout, all);
    shell.plant_damage("checksum", "bad.log");
    let plain = shell.run("cat bad.log");
    let follow = shell.run("cat bad.log --follow --limit 299");
    assert_eq!((follow.exit_code, follow.stdout, follow.stderr), (3, plain.stdout, plain.stderr));
    assert_eq!(shell.run("cat bad.log --follow --strict").exit_code, 3);
    let stream = shell.run("cat - --follow");
    assert!(stream.exit_code == 2 && stream.stderr.contains("--follow needs a log in a file"), "{stream:?}");
}

#[test]
fn damage_at_the_end_is_reported_and_the_events_after_it_are_printed() {
    let shell = Shell::with_log();
    let len = fs::metadata(shell.path("a.log")).unwrap().len();
    let mut follow = RunningCommand::start(&shell, &format!("cat a.log --follow --from {len}"));
    append(&shell, "a.log", "First");
    assert_eq!(follow.next_json()["event"]["event_type"], "First");
    let first_frame = fs::read(shell.path("a.log")).unwrap()[len as usize..].to_vec();
    let append_bytes =
        |bytes: &[u8]| OpenOptions::new().append(true).open(shell.path("a.log")).unwrap().write_all(bytes).unwrap();
    append_bytes(&[0; 4000]);
    let report = follow.next_error_line();
    assert!(report.contains("zeros"), "{report}");
    // Damage that was at the end is not reported again when an event is after it.
    append_bytes(&first_frame);
    assert_eq!(follow.next_json()["event"]["event_type"], "First");
    append_bytes(&[0; 4000]);
    let report = follow.next_error_line();
    assert!(report.contains("zeros"), "{report}");
    // The next writer sets the zeros aside, so that the file is shorter, also with the event.
    append(&shell, "a.log", "Second");
    assert_eq!(follow.next_json()["event"]["event_type"], "Second");
    let outcome = follow.interrupt();
    assert_eq!((outcome.exit_code, outcome.stderr.as_str()), (0, ""));
}

#[test]
fn a_closed_pipe_ends_a_follow_that_waits() {
    let shell = Shell::with_log();
    let mut follow = RunningCommand::start(&shell, "cat a.log --follow --limit 400");
    // After the last event of the log, the command waits and prints nothing more.
    for _ in 0..300 {
        follow.next_json();
    }
    let RunningCommand { child, stdout, mut stderr } = follow;
    drop(stdout);
    let mut errors = String::new();
    stderr.read_to_string(&mut errors).unwrap();
    let outcome = CommandOutcome::from_output(child.wait_with_output().unwrap());
    assert_eq!((outcome.exit_code, errors.as_str()), (0, ""));
}

#[test]
fn a_log_that_is_cut_or_replaced_ends_a_follow_with_its_status() {
    let shell = Shell::with_log();
    let len = fs::metadata(shell.path("a.log")).unwrap().len();
    for (change, reason) in
        [("cut", "truncated: the file was cut from"), ("replaced", "replaced: another file has this name")]
    {
        let name = format!("{change}.log");
        fs::copy(shell.path("a.log"), shell.path(&name)).unwrap();
        let mut follow = RunningCommand::start(&shell, &format!("cat {name} --follow"));
        for _ in 0..300 {
            follow.next_json();
        }
        if change == "cut" {
            OpenOptions::new().write(true).open(shell.path(&name)).unwrap().set_len(len / 2).unwrap();
        } else {
            fs::rename(shell.path("a.log"), shell.path(&name)).unwrap();
        }
        let outcome = follow.wait();
        assert!(outcome.exit_code == 3 && outcome.stderr.contains(reason), "{outcome:?}");
    }
}

#[test]
fn the_help_shows_a_line_of_the_output() {
    let shell = Shell::with_log();
    let help = shell.run_ok("cat --help").stdout;
    let shown: Value =
        serde_json::from_str(help.lines().find(|line| line.contains("{\"offset\":1223")).unwrap()).unwrap();
    let printed: Value = serde_json::from_str(&shell.run_ok("cat a.log --limit 1").stdout).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((keys(&shown), keys(&shown["event"])), (keys(&printed), keys(&printed["event"])));
}

#[test]
fn watch_reports_damage_and_the_state_of_the_index_and_ends_with_the_worst_status() {
    let shell = Shell::with_log();
    shell.run_ok("index rebuild a.log");
    let mut watch = RunningCommand::start(&shell, "watch a.log --json");
    append(&shell, "a.log", "T");
    let len = fs::metadata(shell.path("a.log")).unwrap().len();
    OpenOptions::new().append(true).open(shell.path("a.log")).unwrap().write_all(&[0xff; 40]).unwrap();
    let mut reports = vec![watch.next_json()];
    while reports.last().unwrap()["event"] != "damage" {
        reports.push(watch.next_json());
    }
    let damage = reports.last().unwrap();
    assert_eq!((&damage["finding"]["start"], &damage["finding"]["damage"]), (&len.into(), &true.into()));
    let outcome = watch.interrupt();
    assert!(matches!(outcome.exit_code, 3 | 4), "{outcome:?}");
    assert_eq!(outcome.exit_code, shell.run("verify a.log").exit_code);
    let stale = shell.run("watch a.log --for 0");
    assert!(stale.stdout.contains(" index       index BEHIND 40 B"), "{stale:?}");
}

#[test]
fn watch_reports_a_cut_and_another_file_once_and_reads_on() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "other.log");
    fs::copy(shell.path("a.log"), shell.path("kept.log")).unwrap();
    OpenOptions::new().append(true).open(shell.path("a.log")).unwrap().write_all(&[0xff; 40]).unwrap();
    let mut watch = RunningCommand::start(&shell, "watch a.log --json");
    append(&shell, "other.log", "T");
    // This report shows that the command has opened the file that is replaced next.
    assert_eq!(watch.next_json()["event"], "damage");
    fs::rename(shell.path("other.log"), shell.path("a.log")).unwrap();
    assert_eq!(watch.next_json()["event"], "replaced");
    assert_eq!(watch.next_json()["finding"]["kind"], "checksum");
    let len = fs::metadata(shell.path("a.log")).unwrap().len();
    OpenOptions::new().write(true).open(shell.path("a.log")).unwrap().set_len(len - 10).unwrap();
    assert_eq!(watch.next_json()["event"], "truncated");
    // The damage before the cut was reported, although the log is read from its start again.
    let damage = watch.next_json();
    assert_eq!((&damage["event"], &damage["finding"]["kind"]), (&"damage".into(), &"torn_tail".into()));
    fs::remove_file(shell.path("a.log")).unwrap();
    assert_eq!(watch.next_json()["event"], "missing");
    // The file is observed several times while this command runs.
    shell.run_ok("watch kept.log --for 1");
    fs::rename(shell.path("kept.log"), shell.path("a.log")).unwrap();
    assert_eq!(watch.next_json()["event"], "replaced");
    let outcome = watch.interrupt();
    assert_eq!((outcome.exit_code, outcome.stdout.as_str()), (3, ""));
}

#[test]
fn watch_gives_a_program_the_facts_and_reports_its_failure() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("checksum", "bad.log");
    let outcome = shell.run("watch bad.log --for 0 --exec /usr/bin/env");
    let facts = outcome.stderr.lines().filter(|line| line.starts_with("CHRONICLE_")).collect::<Vec<_>>();
    let fact = |name: &str| {
        let start = format!("CHRONICLE_{name}=");
        facts
            .iter()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_else(|| panic!("{name}: {outcome:?}"))
            .to_owned()
    };
    assert_eq!((fact("EVENT"), fact("KIND")), ("damage".into(), "checksum".into()));
    assert_eq!((fact("START"), fact("END")), (truth["start"].to_string(), truth["end"].to_string()));
    assert!(fact("LOG").ends_with("bad.log") && fact("MESSAGE").contains("checksum"));
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    assert_eq!(outcome.exit_code, shell.run("verify bad.log").exit_code);
    for (name, place) in [("./missing", ""), ("no-such-program", " in the folders of PATH"), ("./bad.log", "")] {
        let refused = shell.run(&format!("watch bad.log --for 0 --exec {name}"));
        let sentence = format!("--exec: expected a program, found no executable file {name}{place}");
        assert!(refused.exit_code == 2 && refused.stderr.contains(&sentence), "{refused:?}");
        assert_eq!(refused.stdout, "", "nothing is read before the program is found");
    }
    assert_eq!(shell.run("watch a.log --for 0 --exec env").exit_code, 0, "a name in a folder of PATH");
    fs::write(shell.path("script"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(shell.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
    let failed = shell.run("watch bad.log --for 0 --exec ./script");
    assert!(failed.stderr.contains("--exec ./script: it cannot be started"), "{failed:?}");
    let quiet = shell.run("watch a.log --for 0");
    assert_eq!((quiet.exit_code, quiet.stdout, quiet.stderr), (0, String::new(), String::new()));
}

#[test]
fn a_lost_end_that_a_repair_gives_up_does_not_end_a_follow_or_a_watch() {
    let shell = Shell::new();
    shell.run_ok("generate accounts --events 120 --aggregates 5 --segment-size 4KiB");
    shell.run_ok("index update accounts");
    let files = fs::read_dir(shell.path("accounts")).unwrap().map(|entry| entry.unwrap().path());
    let last = files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().unwrap();
    fs::remove_file(last).unwrap();
    let events = shell.run("cat accounts").stdout.lines().count();
    let mut follow = RunningCommand::start(&shell, "cat accounts --follow");
    let mut watch = RunningCommand::start(&shell, "watch accounts --json");
    (0..events).for_each(|_| assert!(follow.next_line().contains("event_type")));
    assert!(follow.next_error_line().contains("truncated"));
    assert_eq!(watch.next_json()["finding"]["kind"], "truncated");
    shell.run("repair accounts --yes");
    append(&shell, "accounts", "New");
    assert_eq!(follow.next_json()["event"]["event_type"], "New");
    assert!(follow.next_error_line().contains("lost"));
    let outcome = follow.interrupt();
    assert_eq!((outcome.exit_code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""));
    let mut report = watch.next_json();
    while report["finding"]["kind"] != "lost" {
        report = watch.next_json();
    }
    assert_eq!(watch.interrupt().exit_code, 3);
}
