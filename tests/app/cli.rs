//! The commands, run as a script runs them: exit statuses, what goes to stdout, what to stderr.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder to run commands in.
pub(super) struct Shell {
    pub(super) folder: tempfile::TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(super) struct CommandOutcome {
    pub(super) exit_code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Shell {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With `a.log` in it: 300 events, always the same.
    pub(super) fn with_log() -> Self {
        let shell = Self::new();
        shell.run_ok("generate a.log --events 300 --aggregates 20");
        shell
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chronicle"));
        command.args(line.split_ascii_whitespace()).current_dir(self.folder.path()).env("TZ", "UTC");
        command.stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, line: &str) -> CommandOutcome {
        CommandOutcome::from_output(self.command(line).output().unwrap())
    }

    /// Runs what has to end with 0.
    pub(super) fn run_ok(&self, line: &str) -> CommandOutcome {
        let ran = self.run(line);
        assert_eq!(ran.exit_code, 0, "{line}: {ran:?}");
        ran
    }

    pub(super) fn run_with_input(&self, line: &str, input: &[u8]) -> CommandOutcome {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let ran = CommandOutcome::from_output(child.wait_with_output().unwrap());
        let _ = writer.join().unwrap();
        ran
    }

    /// Plants a damage in a copy of `a.log`; the truth about it.
    pub(super) fn plant_damage(&self, kind: &str, copy: &str) -> Value {
        self.run_ok(&format!("drill a.log -o {copy} --kind {kind}")).stdout_json()
    }

    pub(super) fn flip_bit(&self, name: &str, at: usize) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        bytes[at] ^= 0x10;
        fs::write(self.path(name), bytes).unwrap();
    }
}

impl CommandOutcome {
    pub(super) fn from_output(output: Output) -> Self {
        let code = output.status.code().unwrap_or(-1);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { exit_code: code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(super) fn stdout_json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

#[test]
fn verify_tells_damage_and_index_by_its_exit_status() {
    let shell = Shell::with_log();
    for (kind, expected) in
        [("checksum", 4), ("torn_tail", 4), ("truncated", 3), ("header", 4), ("garbage", 3), ("gap", 0), ("clock", 0)]
    {
        let copy = format!("{kind}.log");
        shell.plant_damage(kind, &copy);
        assert_eq!(shell.run(&format!("verify {copy}")).exit_code, expected, "{kind}");
    }
    assert_eq!(shell.run("verify gap.log --no-gaps").exit_code, 3);

    assert_eq!(shell.run("verify a.log").exit_code, 0, "a missing index is everyday");
    assert_eq!(shell.run("verify a.log --require-fresh").exit_code, 5);
    shell.run_ok("index update a.log");
    assert_eq!(shell.run("verify a.log --require-fresh").exit_code, 0);
    fs::copy(shell.path("a.log.idx"), shell.path("checksum.log.idx")).unwrap();
    shell.run_ok("generate b.log --events 300 --seed 9");
    fs::copy(shell.path("a.log.idx"), shell.path("b.log.idx")).unwrap();
    assert_eq!(shell.run("verify b.log").exit_code, 5, "a foreign index");
    assert_eq!(shell.run("verify checksum.log").exit_code, 4, "damage is told before a stale index");
}

#[test]
fn verify_reads_the_whole_index() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let len = fs::metadata(shell.path("a.log.idx")).unwrap().len() as usize;
    for at in (0..len).step_by(len / 17) {
        shell.flip_bit("a.log.idx", at);
        let ran = shell.run("verify a.log --json");
        let state = ran.stdout_json()["index"]["state"].as_str().unwrap().to_owned();
        let known = state == "corrupt" || (state == "unsupported" && at < 16);
        assert!(ran.exit_code == 5 && known, "byte {at}: {ran:?}");
        assert_eq!(shell.run("index status a.log").exit_code, 5, "byte {at}");
        shell.flip_bit("a.log.idx", at);
    }
    assert_eq!(shell.run("index status a.log").exit_code, 0);
}

#[test]
fn verify_judges_frames_alone_and_says_so() {
    let shell = Shell::with_log();
    shell.plant_damage("invalid_event", "bad.log");
    let ran = shell.run_ok("verify bad.log --frames");
    assert!(
        ran.stdout.contains("300 frames; no damage") && ran.stdout.contains("frames and checksums only"),
        "{ran:?}"
    );
    assert_eq!(shell.run_ok("verify bad.log --frames --json").stdout_json()["frames_only"], true);
    assert_eq!(shell.run("verify bad.log").exit_code, 3);
}

#[test]
fn verify_looks_at_the_part_it_is_asked_for() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("checksum", "bad.log");
    let (start, end) = (truth["start"].as_u64().unwrap(), truth["end"].as_u64().unwrap());
    assert_eq!(shell.run(&format!("verify bad.log --until {start}")).exit_code, 0);
    assert_eq!(shell.run(&format!("verify bad.log --from {end}")).exit_code, 0);
    let ran = shell.run(&format!("verify bad.log --from 0x{start:x} --json"));
    assert_eq!((ran.exit_code, ran.stdout_json()["findings_total"].as_u64()), (4, Some(1)));
    let inside = shell.run(&format!("verify bad.log --from {}", end + 1));
    assert_eq!(inside.exit_code, 2, "{inside:?}");
    assert!(inside.stderr.contains(&format!("is inside the frame at {end}..")), "{inside:?}");
}

#[test]
fn every_finding_is_a_line_when_asked_for() {
    let shell = Shell::with_log();
    let ran = shell.run("verify a.log --ndjson");
    assert_eq!((ran.exit_code, ran.stdout.as_str()), (0, ""));
    shell.run_ok("demo d");
    let ran = shell.run("verify d/demo.log --ndjson");
    let kinds: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            let found: Value = serde_json::from_str(line).unwrap();
            found["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ran.exit_code, 3);
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    assert_eq!(kinds.last().unwrap(), "torn_tail");
}

#[test]
fn index_status_update_and_rebuild_do_what_the_state_needs() {
    let shell = Shell::with_log();
    let state = || {
        let ran = shell.run("index status a.log --json");
        (ran.stdout_json()["index"]["state"].as_str().unwrap().to_owned(), ran.exit_code)
    };
    assert_eq!(state(), ("missing".into(), 5));
    shell.run_ok("index update a.log");
    assert_eq!(state(), ("fresh".into(), 0));
    // A writer that is killed leaves the index behind.
    let more = fs::read(shell.path("a.log")).unwrap();
    fs::OpenOptions::new().append(true).open(shell.path("a.log")).unwrap().write_all(&more[16..]).unwrap();
    assert_eq!(state(), ("behind".into(), 5));
    let updated = shell.run_ok("index update a.log --json").stdout_json();
    assert_eq!((&updated["before"]["state"], &updated["index"]["events"]), (&"behind".into(), &600.into()));
    shell.flip_bit("a.log.idx", 5000);
    assert_eq!(state(), ("corrupt".into(), 5));
    shell.run_ok("index update a.log");
    assert_eq!(state(), ("fresh".into(), 0));
    shell.run_ok("index rebuild a.log");
    assert_eq!(state(), ("fresh".into(), 0));

    shell.plant_damage("truncated", "cut.log");
    let refused = shell.run("index update cut.log");
    assert_eq!(refused.exit_code, 6, "{refused:?}");
    assert!(refused.stderr.contains("AHEAD") && refused.stderr.contains("chronicle repair"), "{refused:?}");
    assert_eq!(shell.run_ok("index rebuild cut.log --json").stdout_json()["index"]["state"], "ahead");
}

#[test]
fn the_index_stands_where_it_is_wanted() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log --index elsewhere.idx");
    assert!(shell.path("elsewhere.idx").exists() && !shell.path("a.log.idx").exists());
    assert_eq!(shell.run("--index elsewhere.idx verify a.log --require-fresh").exit_code, 0);
    assert_eq!(shell.run("verify a.log --require-fresh").exit_code, 5);
}

#[test]
fn cat_prints_what_was_stored_and_tells_what_is_missing() {
    let shell = Shell::with_log();
    let whole = shell.run_ok("cat a.log");
    assert_eq!((whole.stdout.lines().count(), whole.stderr.as_str()), (300, ""));
    let line: Value = serde_json::from_str(whole.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(line["offset"], 16);
    assert!(line["event"]["write_timestamp_ms"].is_u64());
    for (kind, code, lines) in [("checksum", 3, 299), ("gap", 0, 299), ("torn_tail", 3, 299), ("header", 3, 300)] {
        let copy = format!("{kind}.log");
        let truth = shell.plant_damage(kind, &copy);
        let ran = shell.run(&format!("cat {copy}"));
        assert_eq!((ran.exit_code, ran.stdout.lines().count()), (code, lines), "{kind}: {}", ran.stderr);
        let place = format!("{}..{}", truth["start"], truth["end"]);
        assert!(
            ran.stderr.lines().count() == 1 && ran.stderr.starts_with(&place) && ran.stderr.contains(kind),
            "{}",
            ran.stderr
        );
        let told: Value = serde_json::from_str(&shell.run(&format!("cat {copy} --json")).stderr).unwrap();
        assert_eq!((&told["kind"], &told["start"]), (&truth["kind"], &truth["start"]));
    }
    shell.plant_damage("truncated", "cut.log");
    let ran = shell.run("cat cut.log");
    assert!(ran.exit_code == 3 && ran.stderr.contains("truncated"), "{ran:?}");
}

fn offset_of_line(line: &str) -> u64 {
    serde_json::from_str::<Value>(line).unwrap()["offset"].as_u64().unwrap()
}

#[test]
fn cat_stops_where_it_is_told_to() {
    let shell = Shell::with_log();
    let truth = shell.plant_damage("checksum", "bad.log");
    let all = shell.run_ok("cat a.log").stdout;
    let offsets: Vec<u64> = all.lines().map(offset_of_line).collect();
    let strict = shell.run("cat bad.log --strict");
    let before = offsets.iter().filter(|offset| **offset < truth["start"].as_u64().unwrap()).count();
    assert_eq!((strict.exit_code, strict.stdout.lines().count()), (3, before));
    assert_eq!(shell.run_ok("cat a.log --limit 7").stdout.lines().count(), 7);
    assert_eq!(shell.run_ok("cat a.log --limit 0").stdout, "");
    let part = shell.run_ok(&format!("cat a.log --from {} --until {}", offsets[10], offsets[20])).stdout;
    assert_eq!(part.lines().map(offset_of_line).collect::<Vec<_>>(), offsets[10..20]);
}

#[test]
fn cat_filters_in_the_words_of_the_screen() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum", "bad.log");
    let all = shell.run_ok("cat a.log").stdout;
    let of_five = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["event"]["aggregate_id"] == 5;
    let expected: Vec<&str> = all.lines().filter(of_five).collect();
    assert!(expected.len() > 1);
    let ran = shell.run("cat a.log --filter agg:5");
    assert_eq!((ran.exit_code, ran.stdout.lines().collect::<Vec<_>>()), (0, expected));
    let damaged = shell.run("cat bad.log --filter agg:999999");
    assert!(damaged.exit_code == 3 && damaged.stdout.is_empty() && damaged.stderr.contains("checksum"), "{damaged:?}");
    let quiet = shell.run("cat bad.log --filter -is:damaged");
    assert!(quiet.exit_code == 0 && quiet.stderr.is_empty(), "{quiet:?}");
    let broken = shell.run("cat a.log --filter agg:x");
    assert!(broken.exit_code == 2 && broken.stderr.contains("agg:x"), "{broken:?}");
}

#[test]
fn cat_passes_over_what_the_index_rules_out_and_prints_the_same() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 3000 --aggregates 20");
    shell.plant_damage("checksum", "bad.log");
    for log in ["a.log", "bad.log"] {
        shell.run(&format!("index rebuild {log}"));
        let all = shell.run(&format!("cat {log}")).stdout;
        let offsets: Vec<u64> = all.lines().map(offset_of_line).collect();
        let (from, until) = (offsets[700], offsets[2100]);
        let time = |i: usize| serde_json::from_str::<Value>(all.lines().nth(i).unwrap()).unwrap();
        let time = |i: usize| time(i)["event"]["write_timestamp_ms"].as_u64().unwrap();
        let stamp = |i| jiff::Timestamp::from_millisecond(time(i).cast_signed()).unwrap();
        let span = format!("after:{}\u{20}before:{}", stamp(1500), stamp(1700));
        for filter in ["type:None", "type:Returned", "ns:orders\u{20}schema:Payment", &span, "offset:0x8000.."] {
            for rest in ["", "--limit 9", &format!("--from {from} --until {until}"), "--strict"] {
                let run = |more: &str| {
                    let mut command = shell.command(&format!("cat {log} {rest} {more}"));
                    let ran = CommandOutcome::from_output(command.args(["--filter", filter]).output().unwrap());
                    (ran.exit_code, ran.stdout, ran.stderr)
                };
                assert_eq!(run(""), run("--index none.idx"), "{log} {filter} {rest}");
            }
        }
    }
    // So is what aggregates have, one event at a time.
    for log in ["a.log", "bad.log"] {
        for filter in ["agg:7", "agg:7\u{20}agg:12"] {
            let known = shell.command(&format!("cat {log} --filter")).arg(filter).output().unwrap();
            let plain = shell.command(&format!("cat {log} --index none.idx --filter")).arg(filter).output().unwrap();
            assert!(known.stdout.len() > 1000);
            assert_eq!((known.status, known.stdout, known.stderr), (plain.status, plain.stdout, plain.stderr));
        }
    }
    // Where nobody reads, nobody meets what came since.
    let at = shell.run_ok("cat a.log").stdout.lines().nth(1000).map(offset_of_line).unwrap();
    shell.flip_bit("a.log", at as usize + 60);
    let codes = ["", "--strict", "--index none.idx"]
        .map(|more| shell.run(&format!("cat a.log --filter type:None {more}")).exit_code);
    assert_eq!(codes, [0, 3, 3]);
    assert_eq!(shell.run("cat a.log --filter is:damaged").exit_code, 3);
}

#[test]
fn a_closed_pipe_is_success() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 20000");
    let mut child = shell.command("cat a.log").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
    assert!(first.starts_with("{\"offset\":16,"));
}

#[test]
fn nothing_is_written_over_without_force() {
    let shell = Shell::with_log();
    let before = fs::read(shell.path("a.log")).unwrap();
    for line in ["create a.log", "generate a.log --events 5", "drill a.log -o a.log --kind gap"] {
        let ran = shell.run(line);
        assert_eq!(ran.exit_code, 6, "{line}: {ran:?}");
        assert_eq!(fs::read(shell.path("a.log")).unwrap(), before, "{line}");
    }
    fs::hard_link(shell.path("a.log"), shell.path("same.log")).unwrap();
    assert_eq!(shell.run("drill a.log -o same.log --kind gap --force").exit_code, 6, "the log itself is no copy of it");
    assert_eq!(fs::read(shell.path("a.log")).unwrap(), before);
    fs::remove_file(shell.path("same.log")).unwrap();

    shell.run_ok("index update a.log");
    shell.run_ok("generate a.log --events 5 --seed 3 --force");
    assert_ne!(fs::read(shell.path("a.log")).unwrap(), before);
    assert!(!shell.path("a.log.idx").exists(), "the index of what was replaced is gone with it");
    shell.run_ok("create a.log --force");
    assert_eq!(fs::metadata(shell.path("a.log")).unwrap().len(), 16);
    fs::create_dir(shell.path("folder")).unwrap();
    let ran = shell.run("create folder --force");
    assert!(ran.exit_code == 1 && shell.path("folder").is_dir(), "{ran:?}");
}

#[test]
fn the_same_recipe_gives_the_same_log() {
    let shell = Shell::with_log();
    shell.run_ok("generate b.log --events 300 --aggregates 20 --start-time 2026-01-01T00:00Z");
    assert!(fs::read(shell.path("a.log")).unwrap() == fs::read(shell.path("b.log")).unwrap());
    let made = shell.run_ok("generate c.log --size 100KiB --json").stdout_json();
    assert_eq!(made["bytes"].as_u64(), Some(fs::metadata(shell.path("c.log")).unwrap().len()));
    assert!((101_000..=102_400).contains(&made["bytes"].as_u64().unwrap()));
}

#[test]
fn every_drill_is_found_as_its_truth_says() {
    let shell = Shell::with_log();
    let help = shell.run_ok("drill --help").stdout;
    let start = help.find("Possible values:").unwrap();
    let kinds: Vec<&str> =
        help[start..].lines().filter_map(|line| line.trim().strip_prefix("- ")?.split(':').next()).collect();
    assert!(kinds.len() > 15, "{kinds:?}");
    for kind in kinds {
        let truth = shell.plant_damage(kind, "copy.log");
        let found = shell.run("verify copy.log --json").stdout_json();
        assert_eq!(found["findings_total"], 1, "{kind}");
        for key in ["kind", "damage", "start", "end"] {
            assert_eq!(found["findings"][0][key], truth[key], "{kind}: {key}");
        }
        let _ = (fs::remove_file(shell.path("copy.log")), fs::remove_file(shell.path("copy.log.idx")));
    }
}

#[test]
fn the_demonstration_can_be_had_twice() {
    let shell = Shell::new();
    let made = shell.run_ok("demo --json").stdout_json();
    let found = shell.run("verify chronicle-demo/demo.log --json").stdout_json();
    let range = |found: &Value| (found["kind"].clone(), found["start"].clone(), found["end"].clone());
    let ranges = |list: &Value| list.as_array().unwrap().iter().map(range).collect::<Vec<_>>();
    assert_eq!(ranges(&found["findings"]), ranges(&made["findings"]));
    assert_eq!(found["index"]["state"], "behind");
    let again = shell.run_ok("demo");
    assert!(
        again.stderr.contains("using the existing demo log") && again.stderr.contains("chronicle verify"),
        "{again:?}"
    );
}

#[test]
fn without_a_terminal_the_screen_names_what_to_use() {
    let shell = Shell::with_log();
    for line in ["a.log", "open a.log", "--no-scan a.log"] {
        let ran = shell.run(line);
        assert_eq!(ran.exit_code, 2, "{line}: {ran:?}");
        assert!(ran.stderr.contains("chronicle verify a.log") && ran.stdout.is_empty(), "{ran:?}");
    }
}

#[test]
fn completions_and_the_manual_come_from_the_command_line_itself() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish"] {
        let script = shell.run_ok(&format!("completions {name}")).stdout;
        assert!(script.contains("require-fresh"), "{name}");
    }
    let page = shell.run_ok("man").stdout;
    for word in [".TH chronicle 1", "index rebuild", "require\\-fresh", "EXIT STATUSES", "checksum_noise"] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn usage_is_told_apart_from_failure() {
    let shell = Shell::with_log();
    let cases =
        ["", "verfy", "verify", "verify a.log --until x", "generate b.log --size 1XB", "drill a.log -o b --kind x"];
    for line in cases {
        let ran = shell.run(line);
        assert!(ran.exit_code == 2 && ran.stdout.is_empty() && !ran.stderr.is_empty(), "{line}: {ran:?}");
        let ran = shell.run(&format!("--json {line}"));
        let error: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!((ran.exit_code, &error["exit"]), (2, &2.into()), "{line}: {ran:?}");
    }
    assert!(shell.run("verfy").stderr.contains("'verify'"), "the nearest command is named");
    assert_eq!(shell.run("--version").exit_code, 0);
}

#[test]
fn what_is_no_log_is_named_for_what_it_is() {
    let shell = Shell::with_log();
    fs::write(shell.path("empty.log"), "").unwrap();
    fs::write(shell.path("nine.log"), "CHRN\0\x01\0\0\0").unwrap();
    fs::write(shell.path("text.log"), "just some text that is longer than a header").unwrap();
    fs::write(shell.path("newer.log"), b"CHRN\0\x02\0\0\0\0\0\0\0\0\0\0").unwrap();
    fs::write(shell.path("flags.log"), b"CHRN\0\x01\0\x01\0\0\0\0\0\0\0\0").unwrap();
    let cases = [
        ("empty.log", "found a file of 0 bytes"),
        ("nine.log", "found a file of 9 bytes"),
        ("text.log", "expected 43 48 52 4e"),
        ("newer.log", "expected 1, found 2"),
        ("flags.log", "unknown flags"),
        (".", "expected a regular file, found a folder"),
        ("nothing.log", "No such file"),
    ];
    for (name, expected) in cases {
        for command in ["verify", "info", "cat", "append", "index status", "index rebuild"] {
            let ran = shell.run(&format!("{command} {name}"));
            assert_eq!(ran.exit_code, 1, "{command} {name}: {ran:?}");
            assert!(ran.stderr.contains(expected) && ran.stderr.ends_with(".\n"), "{command} {name}: {ran:?}");
            assert_eq!(ran.stdout, "");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_without_waiting_for_it() {
    let shell = Shell::new();
    let made = Command::new("mkfifo").arg(shell.path("pipe.log")).status().unwrap();
    assert!(made.success());
    for command in ["verify", "cat", "append", "create --force"] {
        let ran = shell.run(&format!("{command} pipe.log"));
        assert!(ran.exit_code == 1 && ran.stderr.contains("regular file"), "{command}: {ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_log_that_may_not_be_read_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;

    let shell = Shell::with_log();
    fs::set_permissions(shell.path("a.log"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(shell.path("a.log")).is_ok() {
        eprintln!("this user may read everything: a refused permission is not tested");
        return;
    }
    let ran = shell.run("verify a.log");
    assert!(ran.exit_code == 1 && ran.stderr.contains("cannot open"), "{ran:?}");
}

#[test]
fn looking_writes_nothing() {
    let shell = Shell::with_log();
    shell.plant_damage("torn_tail", "torn.log");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(shell.folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        names.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let before = names();
    for command in ["verify", "info", "cat", "index status"] {
        shell.run(&format!("{command} torn.log"));
    }
    assert!(names() == before);
}

/// The project's own path to something that may not be there.
pub(super) fn sibling_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

#[test]
fn verify_goes_on_from_where_it_was_saved() {
    let shell = Shell::with_log();
    let all = shell.run_ok("verify a.log --since-last");
    assert!(all.stdout.contains("no earlier verification"), "{}", all.stdout);
    assert!(!shell.path("a.log.idx").exists(), "only --save writes");
    let saved = shell.run_ok("verify a.log --save");
    assert!(saved.stdout.contains("index fresh"), "one pass verifies and builds: {}", saved.stdout);
    let end = fs::metadata(shell.path("a.log")).unwrap().len();
    let mark = |shell: &Shell| shell.run_ok("info a.log --json").stdout_json()["verified"].clone();
    let first = mark(&shell);
    assert_eq!(first["to"], end);
    // A writer that closes moves the mark; an index of before does not know of it.
    let index = fs::read(shell.path("a.log.idx")).unwrap();
    shell.run_ok(r#"append a.log --type T --namespace n --schema s --payload {"n":1}"#);
    assert!(mark(&shell)["to"].as_u64() > Some(end));
    fs::write(shell.path("a.log.idx"), index).unwrap();
    // Damage before the mark is not looked at again, what came since is.
    shell.flip_bit("a.log", 100);
    let since = shell.run_ok("verify a.log --since-last --json").stdout_json();
    assert_eq!((&since["from"], &since["events"]), (&Value::from(end), &Value::from(1)));
    assert_eq!(shell.run("verify a.log").exit_code, 4);
    // What is added keeps the date of what is older; a look at all of it has a date of its own.
    shell.run_ok("verify a.log --since-last --save");
    let longer = mark(&shell);
    assert!(longer["to"].as_u64() > Some(end) && longer["at_ms"] == first["at_ms"], "{first} {longer}");
    assert_eq!(shell.run("verify a.log --save").exit_code, 4);
    assert!(mark(&shell)["at_ms"].as_u64() > first["at_ms"].as_u64());
    assert_eq!(shell.run("verify a.log --save --frames").exit_code, 2);
}

#[test]
fn what_is_known_to_be_damaged_is_verified_again_until_it_is_sound() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 2000");
    shell.run_ok("index update a.log");
    let sound = fs::read(shell.path("a.log")).unwrap();
    // Damage that came after the index, below its mark: who verifies keeps it with the mark.
    let mut damaged = sound.clone();
    damaged[300_000..300_300].fill(b'Z');
    fs::write(shell.path("a.log"), damaged).unwrap();
    let plan = shell.run("repair a.log --dry-run --json").stdout;
    assert!(plan.contains(r#""given_up":{"at_least":2"#), "{plan}");
    assert_eq!(shell.run_ok("verify a.log --since-last").exit_code, 0, "nobody has met it yet");
    assert_eq!(shell.run("verify a.log --save").exit_code, 3);
    for line in ["verify a.log --since-last", "verify a.log --since-last --save", "verify a.log --since-last"] {
        let since = shell.run(line);
        assert!(since.exit_code == 3 && since.stdout.contains("1 damaged"), "{line}: {}", since.stdout);
        assert!(since.stdout.contains("verified again: 1 earlier range"), "{line}: {}", since.stdout);
    }
    assert_eq!(shell.run("repair a.log --dry-run --json").stdout, plan, "the index still knows what lay there");
    fs::write(shell.path("a.log"), &sound).unwrap();
    shell.run_ok("verify a.log --since-last --save");
    let since = shell.run_ok("verify a.log --since-last");
    assert!(!since.stdout.contains("verified again"), "{}", since.stdout);
    // So is damage that the index was built over.
    shell.flip_bit("a.log", 300_000);
    shell.run_ok("index rebuild a.log");
    assert_eq!(shell.run("verify a.log --since-last").exit_code, 4);
}

#[test]
fn the_mark_moves_only_over_what_was_looked_at_and_told() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 300");
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    bytes[60..90].fill(0xA7);
    fs::write(shell.path("a.log"), &bytes).unwrap();
    let all = shell.run("verify a.log --ndjson");
    let end =
        all.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["end"].as_u64().unwrap()).max();
    let end = end.unwrap();
    shell.run_ok(&format!("verify a.log --from {end} --save"));
    let mark = |shell: &Shell| shell.run_ok("info a.log --json").stdout_json()["verified"].clone();
    assert!(mark(&shell).is_null(), "{}", mark(&shell));
    assert_eq!(shell.run("verify a.log --since-last").exit_code, 3);
    // From the first frame on is all of it, and has a date of its own.
    assert_eq!(shell.run("verify a.log --save").exit_code, 3);
    let first = mark(&shell);
    assert_eq!(shell.run("verify a.log --from 16 --save").exit_code, 3);
    let second = mark(&shell);
    assert!(first["to"] == second["to"] && first["at_ms"].as_u64() < second["at_ms"].as_u64(), "{first} {second}");
}

#[test]
fn a_log_that_lost_its_end_is_verified_from_a_frame_before_that_on() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 300");
    shell.run_ok("index rebuild a.log");
    let bytes = fs::read(shell.path("a.log")).unwrap();
    fs::write(shell.path("a.log"), &bytes[..bytes.len() - 700]).unwrap();
    let (all, since) = (shell.run("verify a.log --json"), shell.run("verify a.log --since-last --json"));
    assert_eq!((all.exit_code, since.exit_code), (3, 3));
    let (all, since) = (all.stdout_json(), since.stdout_json());
    assert_eq!(all["findings"], since["findings"]);
    assert!(since["from"].as_u64() < Some(bytes.len() as u64 - 700), "{since}");
}

#[test]
fn a_range_in_which_nothing_lies_is_no_usage() {
    let shell = Shell::with_log();
    let end = fs::metadata(shell.path("a.log")).unwrap().len();
    for line in ["--from 99999999", "--from 654 --until 100", "--from 654 --until 654"] {
        let ran = shell.run(&format!("verify a.log {line}"));
        assert_eq!(ran.exit_code, 2, "{line}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.is_empty() || !ran.stdout.contains("damage"), "{line}: {}", ran.stdout);
    }
    shell.run_ok(&format!("verify a.log --from {end}"));
}

#[cfg(unix)]
#[test]
fn the_verdict_stands_where_it_cannot_be_kept() {
    let shell = Shell::with_log();
    shell.flip_bit("a.log", 100);
    let kept = shell.run("verify a.log --save --index nowhere/a.idx");
    let told = shell.run("verify a.log --index nowhere/a.idx");
    assert_eq!((kept.exit_code, told.exit_code), (1, 4));
    assert!(kept.stdout == told.stdout && kept.stderr.contains("nowhere"), "{}{}", kept.stdout, kept.stderr);
    let json = shell.run("verify a.log --save --json --index nowhere/a.idx");
    assert_eq!((json.exit_code, json.stdout_json()["findings_total"].as_u64()), (1, Some(1)));
}

#[test]
fn any_number_of_threads_and_any_memory_give_the_same_answer_and_the_same_index() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --size 50MiB --aggregates 5000");
    shell.flip_bit("a.log", 20_000_000);
    shell.flip_bit("a.log", 45_000_000);
    let mut seen: Option<(CommandOutcome, CommandOutcome, Vec<u8>, Vec<u8>)> = None;
    for (threads, memory) in [(1, "256MiB"), (3, "1MiB")] {
        let ran = shell.run(&format!("verify a.log --ndjson --threads {threads}"));
        let plan = shell.run(&format!("repair a.log --dry-run --json --threads {threads}"));
        shell.run_ok(&format!("salvage a.log -o b.log --force --threads {threads}"));
        let copy = fs::read(shell.path("b.log")).unwrap();
        shell.run_ok(&format!("index rebuild a.log --threads {threads} --memory {memory}"));
        let index = fs::read(shell.path("a.log.idx")).unwrap();
        fs::remove_file(shell.path("a.log.idx")).unwrap();
        if let Some((known, known_plan, known_copy, known_index)) = &seen {
            assert_eq!((ran.exit_code, &ran.stdout), (known.exit_code, &known.stdout));
            assert_eq!((plan.exit_code, &plan.stdout), (known_plan.exit_code, &known_plan.stdout));
            // All but the time at which it was created.
            assert!(copy[16..] == known_copy[16..], "{} and {} bytes", copy.len(), known_copy.len());
            // All but the time at which it was verified, and so the checksum of its first page.
            assert!(index[4096..] == known_index[4096..], "{} and {} bytes", index.len(), known_index.len());
        }
        seen.get_or_insert((ran, plan, copy, index));
    }
    assert_eq!(
        seen.map(|(ran, plan, ..)| (ran.exit_code, ran.stdout.lines().count(), plan.exit_code)),
        Some((4, 2, 4))
    );
}

#[test]
fn a_broken_index_says_what_its_head_still_knows_of_a_lost_end() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let (log, index) = (fs::read(shell.path("a.log")).unwrap(), fs::read(shell.path("a.log.idx")).unwrap());
    fs::write(shell.path("a.log"), &log[..log.len() / 2]).unwrap();
    shell.flip_bit("a.log.idx", index.len() - 10);
    let said = format!("its head is intact and covers {} bytes, more than the log has", log.len());
    for look in ["verify a.log", "index status a.log"] {
        let ran = shell.run(look);
        assert!(ran.stdout.contains("CORRUPT") && ran.stdout.contains(&said), "{look}: {ran:?}");
    }
    // Of an end that is there nothing needs to be said.
    fs::write(shell.path("a.log"), &log).unwrap();
    assert!(!shell.run("verify a.log").stdout.contains("its head is intact"));
}

#[test]
fn what_is_verified_again_starts_where_a_frame_does_though_bytes_were_lost_before_it() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 100");
    let whole = fs::read(shell.path("a.log")).unwrap();
    let offset = |line: &str| serde_json::from_str::<Value>(line).unwrap()["offset"].as_u64().unwrap() as usize;
    let offsets: Vec<usize> = shell.run_ok("cat a.log").stdout.lines().map(offset).collect();
    fs::write(shell.path("a.log"), &whole[..offsets[99]]).unwrap();
    shell.run_ok("index update a.log");
    let lost = offsets[98] + 100;
    fs::write(shell.path("a.log"), [&whole[..lost], &whole[lost + 10..]].concat()).unwrap();
    let found = |line: &str| {
        let report = shell.run(line).stdout_json();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|found| (found["start"].as_u64(), found["end"].as_u64())).collect::<Vec<_>>()
    };
    let all = found("verify a.log --json --save");
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(found("verify a.log --json --since-last"), all);
}
