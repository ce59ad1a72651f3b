//! Starts two commands on one log within microseconds of each other, for every pair of commands that take the writer's
//! lock or create a file.
//!
//! One command wins; the other waits, or is refused with the true reason. The result is what one order of the two
//! commands, or the winner alone, leaves. `CHRONICLE_RACE_ROUNDS` sets the number of rounds of each pair; `tests/races/run`
//! runs many of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{PipeReader, pipe};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chronicle::{EventLog, IndexState, OpenOptions, StoredEvent};

use super::shell::{CommandOutcome, Shell};

const ROUNDS: usize = 4;
/// The exit statuses of a command that was not refused: `undo` ends with the status of `verify`.
const DONE: [i32; 3] = [0, 3, 4];
const REFUSED: i32 = 6;
const EVENT: &str = "--type Updated --namespace accounts --schema Person --aggregate 1 --payload 1";
/// Bytes of the frame `{"state":"applied"}`, which ends the journal of a repair that is complete.
const APPLIED_FRAME_LEN: u64 = 27;

/// Two commands that start at the same time, in a folder that `set_up` has filled.
struct Race {
    name: &'static str,
    set_up: fn(&Shell),
    lines: [String; 2],
    refusals: &'static [Refusal],
}

/// A reason for which one of the two commands may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    /// The other command holds the writer's lock.
    Locked,
    /// The other command has changed the log since the plan was made.
    Changed,
    /// The other command has replaced the file.
    Replaced,
    /// The other command has created the file.
    Exists,
    /// The other command has undone the repair.
    Undone,
}

/// What one command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Done,
    Refused(Refusal),
}

/// What a reader finds after the commands have ended.
#[derive(Debug, PartialEq, Eq)]
struct FinalState {
    /// The length of the log, and its bytes without the times of its creation and of appended events.
    len: usize,
    kept_bytes: Vec<u8>,
    events: u64,
    damage: u64,
    gaps: u64,
}

impl Race {
    /// Returns every race. Commands with `--wait` are never refused because of the lock.
    fn all() -> Vec<Self> {
        let append = |options: &str| format!("append a.log {options} {EVENT}");
        let race = |name, set_up, lines: [&str; 2], refusals| Self {
            name,
            set_up,
            lines: lines.map(|line| line.replace("append", &append("")).trim().to_owned()),
            refusals,
        };
        let waiting = |race: Self| Self {
            lines: race.lines.map(|line| format!("{line} --wait 60")),
            refusals: if race.refusals.contains(&Refusal::Undone) {
                &[Refusal::Changed, Refusal::Undone]
            } else {
                &[Refusal::Changed]
            },
            ..race
        };
        let (repair, undo, create) = ("repair a.log --yes", "undo a.log 1 --yes", "create new.log");
        let (salvage, index) = ("salvage a.log -o new.log", "index update a.log");
        let locked: &[Refusal] = &[Refusal::Locked, Refusal::Changed];
        let undone: &[Refusal] = &[Refusal::Locked, Refusal::Changed, Refusal::Undone];
        let exists: &[Refusal] = &[Refusal::Exists, Refusal::Locked];
        let replaced: &[Refusal] = &[Refusal::Exists, Refusal::Locked, Refusal::Replaced];
        vec![
            race("repair, repair", damage, [repair, repair], locked),
            waiting(race("repair, repair, waiting", damage, [repair, repair], locked)),
            race("repair, undo", damage_after_repair, [repair, undo], undone),
            waiting(race("repair, undo, waiting", damage_after_repair, [repair, undo], undone)),
            race("undo, undo", damage_after_repair, [undo, undo], undone),
            waiting(race("undo, undo, waiting", damage_after_repair, [undo, undo], undone)),
            race("append, repair", damage, ["append", repair], locked),
            waiting(race("append, repair, waiting", damage, ["append", repair], locked)),
            race("append, repair of a torn tail", torn_tail, ["append", repair], locked),
            waiting(race("append, repair of a torn tail, waiting", torn_tail, ["append", repair], locked)),
            race("append, undo", damage_after_repair, ["append", undo], undone),
            race("append, append", damage, ["append", "append"], locked),
            waiting(race("append, append, waiting", torn_tail, ["append", "append"], locked)),
            race("append, append after a killed repair", killed_repair, ["append", "append"], locked),
            race("append, repair after a killed repair", killed_repair, ["append", repair], locked),
            waiting(race("repair, repair after a killed repair, waiting", killed_repair, [repair, repair], locked)),
            race("index update, index update", damage, [index, index], &[]),
            race("index rebuild, index update", indexed_damage, ["index rebuild a.log", index], &[]),
            race("index update, repair", damage, [index, repair], &[Refusal::Changed]),
            race("index rebuild, repair", indexed_damage, ["index rebuild a.log", repair], &[Refusal::Changed]),
            race("index rebuild, undo", damage_after_repair, ["index rebuild a.log", undo], &[Refusal::Changed]),
            race("index update, append", torn_tail, [index, "append"], &[Refusal::Changed]),
            race("create, create", damage, [create, create], exists),
            race("salvage, salvage", damage, [salvage, salvage], exists),
            race("salvage, salvage, replacing", damage_and_new, ["salvage a.log -o new.log --force"; 2], replaced),
        ]
    }
}

/// Flips a bit that a repair corrects, in the given number of the log's quarters.
fn flip_bit_in_quarter(shell: &Shell, quarter: usize) {
    let len = fs::read(shell.path("a.log")).unwrap().len();
    shell.flip_bit("a.log", len * quarter / 4);
}

fn damage(shell: &Shell) {
    shell.run_ok("generate a.log --events 60 --aggregates 5 --seed 3");
    let _ = fs::remove_file(shell.path("a.log.idx"));
    flip_bit_in_quarter(shell, 2);
}

fn indexed_damage(shell: &Shell) {
    damage(shell);
    shell.run_ok("index update a.log");
}

fn torn_tail(shell: &Shell) {
    damage(shell);
    flip_bit_in_quarter(shell, 2);
    let bytes = fs::read(shell.path("a.log")).unwrap();
    fs::write(shell.path("a.log"), &bytes[..bytes.len() - 5]).unwrap();
}

fn damage_after_repair(shell: &Shell) {
    indexed_damage(shell);
    shell.run("repair a.log --yes");
    flip_bit_in_quarter(shell, 3);
}

/// Leaves the state of a repair that was killed before its first write to the log.
fn killed_repair(shell: &Shell) {
    damage(shell);
    let bytes = fs::read(shell.path("a.log")).unwrap();
    shell.run("repair a.log --yes");
    fs::write(shell.path("a.log"), bytes).unwrap();
    let journal = fs::read_dir(shell.path("a.log.repairs")).unwrap().next().unwrap().unwrap().path();
    let journal = fs::OpenOptions::new().write(true).open(journal).unwrap();
    let len = journal.metadata().unwrap().len();
    journal.set_len(len - APPLIED_FRAME_LEN).unwrap();
}

fn damage_and_new(shell: &Shell) {
    damage(shell);
    shell.run_ok("generate new.log --events 5 --seed 4");
}

/// Copies every file of a folder with two levels.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn copy_of(template: &Shell) -> Shell {
    let shell = Shell::new();
    copy_folder(template.folder.path(), shell.folder.path());
    shell
}

/// Starts a command that runs once the other end of the `barrier` pipe is closed.
fn start_at_barrier(shell: &Shell, line: &str, barrier: &PipeReader) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "read _; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_chronicle")]);
    command.args(line.split_ascii_whitespace()).current_dir(shell.folder.path()).env("TZ", "UTC");
    command.stdin(barrier.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs both commands at the same time, and returns their process ids and outcomes.
fn run_race(shell: &Shell, lines: &[String; 2]) -> [(u32, CommandOutcome); 2] {
    let (barrier, release) = pipe().unwrap();
    let children = lines.each_ref().map(|line| start_at_barrier(shell, line, &barrier));
    drop(release);
    children.map(|child| (child.id(), CommandOutcome::from_output(child.wait_with_output().unwrap())))
}

/// Returns the state of the log that the commands of a race change. Checks that its index, if it has one, leads to the
/// events of the log.
fn final_state(shell: &Shell, race: &Race) -> FinalState {
    let path = shell.path(if race.lines[0].contains("new.log") { "new.log" } else { "a.log" });
    let bytes = fs::read(&path).unwrap();
    let log = EventLog::open_read_only(&path).unwrap();
    assert!(log.pending_repair().unwrap().is_none(), "{}: an unfinished repair is left", race.name);
    let index = log.view().index_state();
    let is_usable = matches!(index, IndexState::Fresh | IndexState::Behind { .. } | IndexState::Missing);
    assert!(is_usable, "{}: {index:?}", race.name);
    let without_index = OpenOptions::new().index_path(shell.path("none")).open_read_only(&path).unwrap();
    let offsets = |log: &EventLog| log.load_aggregate(1).unwrap().iter().map(StoredEvent::offset).collect::<Vec<_>>();
    assert_eq!(offsets(&log), offsets(&without_index), "{}: index {index:?}", race.name);
    let survey = log.verify().unwrap();
    let kept = bytes.len().min(fs::metadata(shell.path("a.log")).unwrap().len() as usize);
    let appended = if race.lines.iter().any(|line| line.starts_with("append")) { 400 } else { 0 };
    FinalState {
        len: bytes.len(),
        kept_bytes: bytes[16..kept.saturating_sub(appended).max(16)].to_vec(),
        events: survey.events,
        damage: survey.damage_total,
        gaps: survey.gaps,
    }
}

/// Returns how a command ended, and panics when it should not have ended like that.
fn ending_of(race: &Race, which: usize, outcomes: &[(u32, CommandOutcome); 2]) -> Ending {
    let (_, outcome) = &outcomes[which];
    let (other_pid, _) = outcomes[1 - which];
    let context = || format!("{}: `{}`: {outcome:?}", race.name, race.lines[which]);
    assert!(!outcome.stderr.contains("without the writer's lock"), "{}", context());
    if DONE.contains(&outcome.exit_code) {
        return Ending::Done;
    }
    assert_eq!(outcome.exit_code, REFUSED, "{}", context());
    let sentence = outcome.stderr.lines().find(|line| line.starts_with("chronicle: ")).unwrap_or_default();
    let other = format!("another process (pid {other_pid}) holds the writer's lock");
    let refusal = if sentence.contains(&other) || sentence.contains("another process holds the writer's lock") {
        Refusal::Locked
    } else if sentence.contains("found another file with its name") {
        Refusal::Replaced
    } else if sentence.contains("changed while in use: expected") {
        Refusal::Changed
    } else if sentence.contains("already exists") {
        Refusal::Exists
    } else if sentence.contains("was already undone") {
        Refusal::Undone
    } else {
        panic!("{}", context());
    };
    assert!(race.refusals.contains(&refusal), "{refusal:?} is not expected: {}", context());
    Ending::Refused(refusal)
}

/// Checks that every file in the folder is one that the commands leave when they run one after the other.
fn assert_no_litter(shell: &Shell, race: &Race) {
    for entry in fs::read_dir(shell.folder.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let is_expected = ["a.log", "a.log.idx", "a.log.repairs", "new.log", "new.log.idx"].contains(&name.as_str());
        assert!(is_expected, "{}: {name} is left", race.name);
    }
}

/// Runs a race, and returns how often each pair of endings occurred.
fn count_endings(race: &Race, rounds: usize) -> BTreeMap<[Ending; 2], usize> {
    let template = Shell::new();
    (race.set_up)(&template);
    let state_after = |order: &[usize]| {
        let shell = copy_of(&template);
        for which in order {
            shell.run(&race.lines[*which]);
        }
        final_state(&shell, race)
    };
    let (first, second) = (state_after(&[0]), state_after(&[1]));
    let both = [state_after(&[0, 1]), state_after(&[1, 0])];
    let mut counts = BTreeMap::new();
    for round in 0..rounds {
        let shell = copy_of(&template);
        let outcomes = run_race(&shell, &race.lines);
        let endings = [0, 1].map(|which| ending_of(race, which, &outcomes));
        let context = || format!("{}, round {round}: {outcomes:?}", race.name);
        let state = final_state(&shell, race);
        let is_expected = match endings {
            [Ending::Done, Ending::Done] => both.contains(&state),
            [Ending::Done, _] => state == first,
            [_, Ending::Done] => state == second,
            _ => panic!("both were refused: {}", context()),
        };
        assert!(is_expected, "another state than after the same commands in turn: {}", context());
        assert_no_litter(&shell, race);
        *counts.entry(endings).or_default() += 1;
    }
    counts
}

#[test]
fn of_two_commands_at_once_one_wins_and_the_other_has_a_true_reason() {
    let rounds = std::env::var("CHRONICLE_RACE_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let only = std::env::var("CHRONICLE_RACE_ONLY").unwrap_or_default();
    for race in Race::all().iter().filter(|race| race.name.contains(&only)) {
        let counts = count_endings(race, rounds);
        eprintln!("{} ({rounds} rounds)", race.name);
        for (endings, count) in counts {
            eprintln!("  {count:>6}  {endings:?}");
        }
    }
}
