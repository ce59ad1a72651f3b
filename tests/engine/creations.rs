//! Tests of the creation of files: after a failure at any disk call nothing is left, after a kill the next run clears
//! what is left, and a file is complete from the moment it has its name.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chronicle::repair::{CopyOptions, salvage};
use chronicle::storage::{Disk, OpenMode, OsDisk};
use chronicle::{EventLog, OpenOptions, StorageError, load_index, save_index};

use super::call_order::CallKind;
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, event, is_temporary, open_options, open_read_only,
    random_choices, readable_offsets,
};

const NEW: &str = "/data/new.log";
const MAP: &str = "/data/new.csv";

/// A command that creates files, with its new files.
struct Creation {
    name: &'static str,
    run: fn(&SimDisk) -> Result<(), StorageError>,
    /// The files that the command creates or replaces.
    files: &'static [&'static str],
}

/// Every creation of the engine on a simulated disk. Journals have tests of their own, because a repair keeps them.
const CREATIONS: &[Creation] = &[
    Creation { name: "create", run: |disk| open_options(disk).create(NEW).map(drop), files: &[NEW] },
    Creation {
        name: "create and close",
        run: |disk| open_options(disk).create(NEW)?.close(),
        files: &[NEW, "/data/new.log.idx"],
    },
    Creation { name: "open or create", run: |disk| open_options(disk).open_or_create(NEW).map(drop), files: &[NEW] },
    Creation { name: "save the first index", run: |disk| open_read_only(disk).save_index(), files: &[INDEX] },
    Creation {
        name: "save an index elsewhere",
        run: |disk| open_options(disk).index_path("/data/other.idx").open_read_only(LOG)?.save_index(),
        files: &["/data/other.idx"],
    },
    Creation {
        name: "salvage",
        run: |disk| {
            let options = CopyOptions::new(NEW).map(MAP);
            salvage(open_read_only(disk).view(), &options, &mut |_| std::ops::ControlFlow::Continue(())).map(drop)
        },
        files: &[NEW, MAP],
    },
    #[cfg(feature = "app")]
    Creation {
        name: "generate",
        run: |disk| {
            use chronicle::internal::sample::{GeneratorOptions, LogLength, generate};
            let options = GeneratorOptions { length: LogLength::Events(9), ..GeneratorOptions::default() };
            let on_progress = &mut |_| std::ops::ControlFlow::Continue(());
            generate(disk, Path::new(NEW), &options, on_progress).map(drop)
        },
        files: &[NEW],
    },
];

#[test]
fn a_creation_that_fails_leaves_nothing_and_succeeds_when_repeated() {
    let (disk, _) = disk_with_log(3);
    let before = disk.names();
    for Creation { name, run, files } in CREATIONS {
        let probe = disk.next_process();
        run(&probe).unwrap();
        let (calls, complete) = (probe.calls(), probe.names());
        assert!(calls >= 4, "{name}: {calls} calls");
        let mut refused = 0;
        for call in 0..calls {
            for fault in [DiskFault::Error(5), DiskFault::Error(28), DiskFault::ShortWrite] {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let result = run(&disk);
                let context = format!("{name}: {fault:?} at call {call} of {calls}: {result:?}");
                if result.is_ok() {
                    assert_eq!(disk.names(), complete, "{context}");
                    continue;
                }
                refused += 1;
                // A log that was created keeps its name when only its index cannot be saved at the end.
                let first_file_is_kept = *name == "create and close" && disk.get(NEW).is_some();
                let left = disk.names().into_iter().filter(|name| !before.contains(name));
                // A complete index stays when only the last sync of its folder failed.
                let only_sync_failed = disk.faulted_call() == Some(CallKind::SyncFolder);
                let is_kept_index = |left: &str| {
                    let len = |disk: &SimDisk| disk.get(left).map(|bytes| bytes.len());
                    only_sync_failed && left.contains(".idx") && !is_temporary(left) && len(&disk) == len(&probe)
                };
                let left = left.filter(|left| !(is_kept_index(left) || first_file_is_kept && left == NEW));
                let left: Vec<_> = left.collect();
                let remove_failed = disk.faulted_call() == Some(CallKind::Remove);
                assert!(left.is_empty() || remove_failed, "{context}: {left:?}");
                if first_file_is_kept {
                    assert!(open_options(&disk).open(NEW).is_ok(), "{context}");
                    continue;
                }
                run(&disk.next_process()).unwrap_or_else(|error| panic!("{context}: {error}"));
            }
        }
        assert!(refused > 3, "{name}: {refused} failures");
        assert!(files.iter().all(|file| complete.contains(&(*file).to_owned())), "{name}");
    }
}

#[test]
fn a_creation_that_is_killed_leaves_a_complete_file_or_what_the_next_run_clears() {
    let (disk, _) = disk_with_log(3);
    for Creation { name, run, files } in CREATIONS {
        let probe = disk.next_process();
        run(&probe).unwrap();
        let calls = probe.calls();
        let lens: Vec<usize> = files.iter().map(|file| probe.get(file).unwrap().len()).collect();
        let mut cleared = 0;
        for call in 0..calls {
            let disk = disk.next_process();
            disk.fail(call, DiskFault::Kill);
            let _ = run(&disk);
            for seed in 0..4 {
                for after in [disk.next_process(), disk.power_cut(random_choices(seed))] {
                    let context = format!("{name}: killed at call {call} of {calls}, seed {seed}");
                    for (file, len) in files.iter().zip(&lens) {
                        let found = after.get(file).map(|bytes| bytes.len());
                        assert!(found.is_none_or(|found| found == *len), "{context}: {file} has {found:?} bytes");
                    }
                    cleared += usize::from(after.names().iter().any(|name| is_temporary(name)));
                    let result = run(&after);
                    let exists = matches!(result, Err(StorageError::AlreadyExists { .. }));
                    assert!(
                        result.is_ok() || exists && files.iter().any(|file| after.get(file).is_some()),
                        "{context}"
                    );
                    if result.is_ok() {
                        let left: Vec<_> = after.names().into_iter().filter(|name| is_temporary(name)).collect();
                        assert!(left.is_empty(), "{context}: {left:?}");
                    }
                    assert_eq!(readable_offsets(&after).len(), 3, "{context}");
                }
            }
        }
        assert!(cleared > 0, "{name}: no kill left a temporary file");
    }
}

#[test]
fn of_creators_at_the_same_time_one_wins_and_readers_never_see_half_a_log() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..40 {
        let path = folder.path().join(format!("{round}.log"));
        let done = AtomicBool::new(false);
        let results: Vec<_> = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    match EventLog::open_read_only(&path) {
                        Ok(log) => assert_eq!(log.len().unwrap(), 16),
                        Err(error) => assert!(error.to_string().contains("No such file"), "{error}"),
                    }
                }
            });
            let creators: Vec<_> =
                (0..6)
                    .map(|number| {
                        let path = &path;
                        scope.spawn(move || {
                            if number % 2 == 0 { EventLog::create(path) } else { EventLog::open_or_create(path) }
                        })
                    })
                    .collect();
            let results = creators.into_iter().map(|creator| creator.join().unwrap()).collect();
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
            results
        });
        let winners = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(winners, 1, "round {round}: {results:?}");
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            let is_expected = matches!(error, StorageError::AlreadyExists { .. } | StorageError::Locked { .. });
            assert!(is_expected, "round {round}: {error}");
        }
        drop(results);
        EventLog::open(&path).unwrap().append_sync(&event(1, 1)).unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 40, "no temporary file is left");
}

#[test]
fn temporary_files_are_removed_only_if_they_are_abandoned() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    EventLog::create(at("a.log")).unwrap().close().unwrap();
    let names_kept = [
        "a.log.idx.01-0.tmp",
        "a.log.idx.x-0.tmp",
        "a.log.idx.7-0.tmp.old",
        "b.log.idx.7-0.tmp",
        "a.log.7-0.tmp",
        "notes.tmp",
    ];
    for name in names_kept.into_iter().chain(["a.log.idx.7-0.tmp", "a.log.idx.4000000000-12.tmp"]) {
        fs::write(at(name), name).unwrap();
    }
    let held = OsDisk.open(&at("a.log.idx.8-0.tmp"), OpenMode::Create).unwrap();
    assert!(held.try_lock().unwrap());
    fs::create_dir(at("a.log.idx.9-0.tmp")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(at("notes.tmp"), at("a.log.idx.10-0.tmp")).unwrap();

    EventLog::open_read_only(at("a.log")).unwrap().save_index().unwrap();
    let mut kept: Vec<&str> = names_kept.to_vec();
    kept.extend(["a.log", "a.log.idx", "a.log.idx.8-0.tmp", "a.log.idx.9-0.tmp"]);
    #[cfg(unix)]
    kept.push("a.log.idx.10-0.tmp");
    kept.sort_unstable();
    let mut found: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, kept);
    assert_eq!(fs::read_to_string(at("notes.tmp")).unwrap(), "notes.tmp");

    // Once the process that held the file is gone, the next save removes it.
    drop(held);
    EventLog::open_read_only(at("a.log")).unwrap().save_index().unwrap();
    assert!(!at("a.log.idx.8-0.tmp").exists());
}

#[test]
fn an_index_replaces_only_an_index() {
    let (disk, _) = disk_with_indexed_log(3);
    let index_bytes = disk.get(INDEX).unwrap();
    disk.put("/data/other.log", &disk.get(LOG).unwrap());
    disk.put("/data/old.log", b"\0\0\x01\x0d{\"a\":1}");
    disk.put("/data/0001-gap.journal", b"CHRJ and more");
    disk.put("/data/notes.txt", b"my notes");
    disk.put("/data/empty", b"");
    disk.put("/data/copy.idx", &index_bytes);
    disk.put("/data/damaged.idx", &[&index_bytes[..4], &[7; 40]].concat());
    for refused in [LOG, "/data/other.log", "/data/old.log", "/data/0001-gap.journal", "/data/notes.txt"] {
        let before = disk.get(refused);
        let mut log = open_options(&disk).index_path(refused).open_read_only(LOG).unwrap();
        let error = log.save_index().unwrap_err();
        assert!(matches!(error, StorageError::Refused { .. }), "{refused}: {error}");
        let index = log.index().unwrap();
        let disk_index = chronicle::internal::index::save(&disk, Path::new(refused), log.view().log(), &index);
        assert!(matches!(disk_index, Err(StorageError::Refused { .. })), "{refused}");
        // Closing a log that was created saves its index too.
        let _ = disk.remove(Path::new(NEW));
        let closed = open_options(&disk).index_path(refused).create(NEW).unwrap().close();
        assert!(matches!(closed, Err(StorageError::Refused { .. })), "{refused}");
        assert_eq!(disk.get(refused), before, "{refused}");
    }
    // A damaged index may have recorded a later end of the log, so only an explicit rebuild replaces it.
    let damaged = disk.get("/data/damaged.idx").unwrap();
    let refused = open_options(&disk).index_path("/data/damaged.idx").open_read_only(LOG).unwrap().save_index();
    assert!(matches!(refused, Err(StorageError::Refused { .. })), "{refused:?}");
    assert_eq!(disk.get("/data/damaged.idx").unwrap(), damaged);
    for replaced in ["/data/empty", "/data/copy.idx", "/data/absent.idx"] {
        open_options(&disk).index_path(replaced).open_read_only(LOG).unwrap().save_index().unwrap();
        assert_eq!(disk.get(replaced).unwrap().len(), index_bytes.len(), "{replaced}");
    }
    // The default name belongs to the index, so that an index with a damaged start can be rebuilt there.
    for damaged in [b"damaged, and longer than a header".to_vec(), vec![0; 4096]] {
        disk.overwrite(INDEX, &damaged);
        open_read_only(&disk).save_index().unwrap();
        assert_eq!(disk.get(INDEX).unwrap().len(), index_bytes.len());
    }
    let other_log = disk.get(LOG).unwrap();
    disk.overwrite(INDEX, &other_log);
    assert!(matches!(open_read_only(&disk).save_index(), Err(StorageError::Refused { .. })));
    assert_eq!(disk.get(INDEX).unwrap(), other_log);
}

#[test]
fn save_index_at_the_crate_root_replaces_only_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut log = OpenOptions::new().disk(Arc::new(OsDisk)).create(at("a.log")).unwrap();
    log.append_sync(&event(1, 1)).unwrap();
    let index = log.index().unwrap();
    fs::write(at("notes.txt"), "my notes").unwrap();
    for refused in ["notes.txt", "a.log"] {
        let before = fs::read(at(refused)).unwrap();
        assert!(matches!(save_index(&at(refused), &index), Err(StorageError::Refused { .. })), "{refused}");
        assert_eq!(fs::read(at(refused)).unwrap(), before);
    }
    save_index(&at("b.idx"), &index).unwrap();
    let loaded = load_index(&at("b.idx")).unwrap();
    save_index(&at("b.idx"), &loaded).unwrap();
    assert_eq!(load_index(&at("b.idx")).unwrap().coverage().events, 1);
}
