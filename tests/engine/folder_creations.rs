//! Tests of the creation of logs in folders: after a failure at any disk call nothing is left, after a kill or a power cut there is
//! the whole new log or none under its name, and the next run clears what is left.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use chronicle::repair::{CompactRule, CopyOptions, compact, migrate, salvage};
use chronicle::storage::Disk;
use chronicle::{LogId, NewLogFormat, OpenOptions, StorageError};

use super::call_order::{CallKind, order_violations};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{LOG, disk_with_log, event, large_event, open_options, open_read_only, random_choices};

const NEW: &str = "/data/new";
/// A folder that exists and is empty.
const EMPTY: &str = "/data/empty";
const MAP: &str = "/data/new.csv";
const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");
const EVENTS: usize = 12;

/// A command that creates a log in a folder.
struct Creation {
    name: &'static str,
    run: fn(&SimDisk) -> Result<(), StorageError>,
    folder: &'static str,
    /// The number of events of the new log.
    events: usize,
}

const CREATIONS: &[Creation] = &[
    Creation { name: "create", run: |disk| options(disk).create(NEW).map(drop), folder: NEW, events: 0 },
    Creation {
        name: "create in an empty folder",
        run: |disk| options(disk).create(EMPTY).map(drop),
        folder: EMPTY,
        events: 0,
    },
    Creation {
        name: "salvage",
        run: |disk| salvage(open_read_only(disk).view(), &copy_options(), &mut |_| ControlFlow::Continue(())).map(drop),
        folder: NEW,
        events: EVENTS,
    },
    Creation {
        name: "migrate",
        run: |disk| migrate(open_read_only(disk).view(), &copy_options(), &mut |_| ControlFlow::Continue(())).map(drop),
        folder: NEW,
        events: EVENTS,
    },
    Creation {
        name: "compact",
        run: |disk| {
            let log = open_read_only(disk);
            let index = log.index()?;
            compact(log.view(), &copy_options(), &CompactRule::new().latest(&index), &mut |_| ControlFlow::Continue(()))
                .map(drop)
        },
        folder: NEW,
        events: 3,
    },
    #[cfg(feature = "app")]
    Creation { name: "generate", run: |disk| generate_log(disk, 20).map(drop), folder: NEW, events: 20 },
];

fn options(disk: &SimDisk) -> OpenOptions {
    open_options(disk).format(NewLogFormat::V2(ID)).segment_size(1024)
}

fn copy_options() -> CopyOptions {
    CopyOptions::new(NEW).map(MAP).segment_size(1024).format(NewLogFormat::V2(ID))
}

#[cfg(feature = "app")]
fn generate_log(disk: &SimDisk, events: u64) -> Result<(), StorageError> {
    use chronicle::internal::format::Version;
    use chronicle::internal::sample::{GeneratorOptions, LogLength, generate_segments};
    let length = LogLength::Events(events);
    let options = GeneratorOptions { length, version: Version::V2, ..GeneratorOptions::default() };
    generate_segments(disk, Path::new(NEW), &options, 1024, &mut |_| ControlFlow::Continue(())).map(drop)
}

/// Creates a disk with a log in one file, and an empty folder.
fn new_disk() -> SimDisk {
    let (disk, _) = disk_with_log(EVENTS);
    disk.report_entries();
    disk.create_log_folder(Path::new(EMPTY)).unwrap();
    disk.sync_folder(Path::new("/data")).unwrap();
    disk.next_process()
}

/// Returns the names of the files in a folder, each with its size.
fn sizes(disk: &SimDisk, folder: &str) -> BTreeMap<String, usize> {
    let inside = disk.names().into_iter().filter(|name| Path::new(name).parent() == Some(Path::new(folder)));
    inside.map(|path| (path[folder.len() + 1..].to_owned(), disk.get(&path).unwrap().len())).collect()
}

/// Returns the paths in `/data` that were not there before.
fn added(disk: &SimDisk, before: &[std::path::PathBuf]) -> Vec<std::path::PathBuf> {
    let now = disk.list(Path::new("/data")).unwrap();
    now.into_iter().filter(|path| !before.contains(path)).collect()
}

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

/// True for the name of a segment, and not for that of its index.
fn is_segment(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "log")
}

/// A command that creates the log in a folder.
type LogCreation = dyn Fn(&SimDisk) -> Result<(), StorageError>;

/// Counts the events of the log in a folder.
fn events(disk: &SimDisk, folder: &str) -> usize {
    let log = options(disk).open_read_only(folder).unwrap();
    log.replay(0).unwrap().collect::<Result<Vec<_>, _>>().unwrap().len()
}

#[test]
fn a_creation_of_a_folder_that_fails_leaves_nothing_and_succeeds_when_repeated() {
    let disk = new_disk();
    let before = disk.list(Path::new("/data")).unwrap();
    for Creation { name, run, folder, events: count } in CREATIONS {
        let probe = disk.next_process();
        run(&probe).unwrap();
        let (calls, complete) = (probe.calls(), sizes(&probe, folder));
        assert!(calls >= 6 && events(&probe, folder) == *count, "{name}: {calls} calls");
        assert_eq!(order_violations(&probe.recorded_calls(), Path::new("/no log")), [""; 0], "{name}");
        let mut refused = 0;
        for call in 0..calls {
            for fault in [DiskFault::Error(5), DiskFault::Error(28), DiskFault::ShortWrite] {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let result = run(&disk);
                let context = format!("{name}: {fault:?} at call {call} of {calls}: {result:?}");
                if result.is_ok() {
                    assert_eq!(sizes(&disk, folder), complete, "{context}");
                    continue;
                }
                refused += 1;
                // In a folder that existed, a complete log stays that could not be opened for append.
                if *folder == EMPTY && sizes(&disk, EMPTY) == complete {
                    options(&disk.next_process()).open(EMPTY).unwrap();
                    continue;
                }
                if disk.faulted_call() != Some(CallKind::Remove) {
                    assert_eq!(added(&disk, &before), [""; 0].map(std::path::PathBuf::from), "{context}");
                    assert!(sizes(&disk, EMPTY).is_empty(), "{context}");
                }
                run(&disk.next_process()).unwrap_or_else(|error| panic!("{context}: {error}"));
            }
        }
        assert!(refused > 6, "{name}: {refused} failures");
    }
}

#[test]
fn a_creation_of_a_folder_that_is_killed_leaves_the_whole_log_or_what_the_next_run_clears() {
    let disk = new_disk();
    for Creation { name, run, folder, events: count } in CREATIONS {
        let probe = disk.next_process();
        run(&probe).unwrap();
        let (calls, complete) = (probe.calls(), sizes(&probe, folder));
        let (mut cleared, mut whole) = (0, 0);
        for call in 0..calls {
            let disk = disk.next_process();
            disk.fail(call, DiskFault::Kill);
            let _ = run(&disk);
            for seed in 0..4 {
                for after in [disk.next_process(), disk.power_cut(random_choices(seed))] {
                    let context = format!("{name}: killed at call {call} of {calls}, seed {seed}");
                    let found = sizes(&after, folder);
                    let is_log = found.keys().any(|name| is_segment(name));
                    // In a folder that existed, temporary files, the lock and the settings can be left.
                    assert!(
                        found == complete || !is_log && (found.is_empty() || *folder == EMPTY),
                        "{context}: {found:?}"
                    );
                    assert!(*folder == EMPTY || is_log || after.identity(Path::new(folder)).is_err(), "{context}");
                    let left = |disk: &SimDisk| {
                        disk.list(Path::new("/data")).unwrap().iter().filter(|p| is_temporary(p)).count()
                    };
                    cleared += usize::from(left(&after) > 0 || !is_log && !found.is_empty());
                    let mut result = run(&after);
                    // The map of a copy has its name before the log has, and is kept like any file.
                    if !is_log && matches!(&result, Err(StorageError::AlreadyExists { path }) if path == Path::new(MAP))
                    {
                        after.remove(Path::new(MAP)).unwrap();
                        result = run(&after);
                    }
                    match result {
                        Ok(()) => {
                            assert!(!is_log, "{context}");
                            assert_eq!((left(&after), sizes(&after, folder)), (0, complete.clone()), "{context}");
                        }
                        Err(StorageError::AlreadyExists { .. }) => {
                            whole += 1;
                            assert!(is_log, "{context}: {found:?}");
                        }
                        Err(error) => panic!("{context}: {error}"),
                    }
                    assert_eq!(events(&after, folder), *count, "{context}");
                    options(&after).open(folder).unwrap().append_sync(&event(1, 1)).unwrap();
                    assert_eq!(open_read_only(&after).replay(0).unwrap().count(), EVENTS, "{context}");
                }
            }
        }
        assert!(cleared > 0 && whole > 0, "{name}: {cleared} cleared, {whole} whole");
    }
}

#[test]
fn a_folder_that_is_replaced_is_there_whole_under_one_of_two_names_wherever_the_copy_is_killed() {
    let disk = new_disk();
    let mut old = options(&disk).create(NEW).unwrap();
    old.append_sync(&event(1, 1)).unwrap();
    drop(old);
    let copy = |disk: &SimDisk| {
        salvage(open_read_only(disk).view(), &copy_options().replace(), &mut |_| ControlFlow::Continue(())).map(drop)
    };
    let old = sizes(&disk, NEW);
    let probe = disk.next_process();
    copy(&probe).unwrap();
    let (calls, new) = (probe.calls(), sizes(&probe, NEW));
    assert!(new != old && probe.list(Path::new("/data")).unwrap().len() == 4, "{:?}", probe.list(Path::new("/data")));
    let mut found_states = [0; 3];
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(5), DiskFault::Error(28)] {
            let disk = disk.next_process();
            disk.fail(call, fault);
            let result = copy(&disk);
            for seed in 0..4 {
                for after in [disk.next_process(), disk.power_cut(random_choices(seed))] {
                    let context = format!("{fault:?} at call {call} of {calls}, seed {seed}: {result:?}");
                    let (now, paths) = (sizes(&after, NEW), after.list(Path::new("/data")).unwrap());
                    let kept = paths.iter().find(|path| path.extension().is_some_and(|extension| extension == "old"));
                    let kept = kept.map(|path| sizes(&after, path.to_str().unwrap()));
                    let state = [now == new, now == old, now.is_empty() && kept.as_ref() == Some(&old)];
                    let state = state.iter().position(|is_state| *is_state);
                    found_states[state.unwrap_or_else(|| panic!("{context}: {now:?}, {kept:?}"))] += 1;
                    assert!(result.is_err() || state == Some(0), "{context}");
                    // Without a kill, the old log has its name again.
                    let is_restored = now == old || now == new;
                    assert!(
                        fault == DiskFault::Kill || is_restored || disk.faulted_call() == Some(CallKind::Rename),
                        "{context}"
                    );
                }
            }
        }
    }
    assert!(found_states.iter().all(|count| *count > 0), "{found_states:?}");
}

#[test]
fn a_folder_with_a_file_of_a_user_or_settings_of_a_log_with_a_history_is_no_place_for_a_log() {
    let disk = new_disk();
    options(&disk).create(NEW).unwrap().close().unwrap();
    let settings = disk.get(&format!("{NEW}/log.json")).unwrap();
    let cases: [(&str, &[u8], bool); 6] = [
        ("notes.txt", b"x", false),
        ("00000000000000000000.log.idx", b"x", false),
        ("log.json", b"{}", false),
        ("log.json", &settings, true),
        ("lock", b"", true),
        ("00000000000000000000.log.1-0.tmp", b"CHRN", true),
    ];
    for (name, bytes, is_unused) in cases {
        let disk = disk.next_process();
        disk.put(&format!("{EMPTY}/{name}"), bytes);
        let created = options(&disk).create(EMPTY);
        if is_unused {
            created.unwrap().append_sync(&event(1, 1)).unwrap();
            assert_eq!(
                sizes(&disk, EMPTY).keys().collect::<Vec<_>>(),
                ["00000000000000000000.log", "lock", "log.json"],
                "{name}"
            );
        } else {
            assert!(matches!(created.unwrap_err(), StorageError::AlreadyExists { .. }), "{name}");
            assert_eq!(disk.get(&format!("{EMPTY}/{name}")).unwrap(), bytes, "{name}");
        }
    }
}

#[test]
fn each_segment_of_a_new_folder_takes_the_same_calls_at_any_number_of_segments() {
    let runs: &[(&str, &LogCreation)] = &[
        #[cfg(feature = "app")]
        ("generate", &|disk| generate_log(disk, disk.names().len() as u64 * 3)),
        ("salvage", &|disk| {
            salvage(open_read_only(disk).view(), &copy_options(), &mut |_| ControlFlow::Continue(())).map(drop)
        }),
    ];
    for (name, run) in runs {
        let [few, many] = [40, 400].map(|count| {
            let disk = SimDisk::default();
            disk.report_entries();
            let mut log = open_options(&disk).create(LOG).unwrap();
            for n in 0..count {
                log.append(&large_event(1, 1000 + n)).unwrap();
            }
            drop(log);
            // The names are the measure of the length of a generated log.
            (1..count).for_each(|n| disk.put(&format!("/other/{n}"), b""));
            let calls = disk.calls();
            let work = disk.work_of(|| run(&disk).unwrap());
            let segments = sizes(&disk, NEW).keys().filter(|name| is_segment(name)).count();
            (segments, disk.calls() - calls, work.listed)
        });
        assert!(few.0 >= 20 && many.0 >= 10 * few.0 - 20, "{name}: {few:?}, {many:?}");
        // A segment is created, written and synced.
        assert_eq!(many.1 - few.1, 3 * (many.0 - few.0), "{name}: {few:?}, {many:?}");
        // The folder is listed a few times, never once for each segment.
        assert!(many.2 <= 4 * many.0, "{name}: {few:?}, {many:?}");
    }
}
