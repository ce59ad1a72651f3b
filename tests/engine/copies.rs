//! Tests of salvage and migrate: the bytes of the new log, an unchanged source, and a kill or failure at every disk
//! call.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::internal::format::frame::{DecodeResult, decode};
use chronicle::internal::format::{FrameFormat, Version, frame};
use chronicle::repair::{CopyOptions, CopySummary, CopyUpdate, migrate, salvage};
use chronicle::storage::OsDisk;

use super::call_order::CallKind;
use super::samples::load_samples;
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, disk_with_indexed_log, frame_payloads, is_temporary, large_event, log_bytes, open_options, open_view,
    random_choices, survey_log,
};

pub(super) const NEW: &str = "/data/new.log";
pub(super) const MAP: &str = "/data/new.csv";
const DONOR: &str = "/data/donor.log";

fn copy_options() -> CopyOptions {
    CopyOptions::new(NEW).map(MAP)
}

/// Salvages a log of version 1, or migrates one of version 0.
fn copy_log(disk: &SimDisk, options: &CopyOptions) -> Result<CopySummary, StorageError> {
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None)?;
    let on = &mut |_: CopyUpdate| ControlFlow::Continue(());
    if view.log().version() == Version::V0 { migrate(&view, options, on) } else { salvage(&view, options, on) }
}

fn read_fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn read_map(disk: &SimDisk) -> Vec<String> {
    String::from_utf8(disk.get(MAP).unwrap()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_clean_log_is_copied_byte_for_byte() {
    let (bytes, offsets) = log_bytes(9);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let summary = copy_log(&disk, &copy_options()).unwrap();
    assert_eq!(disk.get(NEW).unwrap(), bytes);
    assert_eq!((summary.events_kept, summary.events_restored, summary.omitted_total), (9, 0, 0));
    assert_eq!(summary.bytes, bytes.len() as u64);
    let lines = offsets.iter().map(|offset| format!("{offset},{offset},kept"));
    assert_eq!(read_map(&disk), [vec!["old,new,how".to_owned()], lines.collect()].concat());
    assert_eq!(disk.names(), [LOG, MAP, NEW].map(str::to_owned), "no other file remains");
}

#[test]
fn only_events_are_copied_and_their_payloads_are_unchanged() {
    for name in
        ["v1-gaps.log", "v1-invalid-events.log", "v1-unusual-but-valid.log", "v1-zeros-middle.log", "v1-clock.log"]
    {
        let bytes = read_fixture(name);
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let survey = survey_log(&disk);
        let events: Vec<Vec<u8>> = open_options(&disk)
            .open_read_only(LOG)
            .unwrap()
            .replay(0)
            .unwrap()
            .filter_map(|event| event.ok().map(|event| event.json().as_bytes().to_vec()))
            .collect();
        let summary = copy_log(&disk, &copy_options()).unwrap();
        let new = frame_payloads(&disk.get(NEW).unwrap());
        assert!(events.iter().all(|event| new.contains(event)), "{name}");
        assert_eq!(new.len() as u64, summary.events_kept + summary.events_restored, "{name}");
        assert_eq!(summary.events_kept, events.len() as u64, "{name}");
        let count_of = |kind: &str| survey.findings.iter().filter(|found| found.kind.name() == kind).count() as u64;
        let left_out = survey.findings_total - count_of("clock") - count_of("header");
        assert_eq!(summary.omitted_total + summary.events_restored, left_out, "{name}");
        assert_eq!(read_map(&disk).len() as u64, 1 + new.len() as u64 + summary.omitted_total, "{name}");
        assert_eq!(disk.get(LOG).unwrap(), bytes, "{name}");
    }
}

#[test]
fn a_donor_restores_a_lost_end_if_its_last_frame_matches_the_index() {
    let (disk, offsets) = disk_with_indexed_log(6);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let cut = &whole[..offsets[3] as usize + 40];
    let mut other = whole.clone();
    // The last event is valid, but is not the one that the index covers.
    other.truncate(offsets[5] as usize);
    let last = other[offsets[4] as usize..].to_vec();
    other.extend_from_slice(&last);
    for (donor, restored) in [(&whole, 3), (&other, 0)] {
        let disk = SimDisk::with_files(&[(LOG, cut), (INDEX, &index), (DONOR, donor)]);
        let summary = copy_log(&disk, &copy_options().donor(DONOR)).unwrap();
        assert_eq!(
            (summary.events_kept, summary.events_restored, summary.damage_total),
            (3, restored, u64::from(restored == 0))
        );
        assert_eq!(disk.get(NEW).unwrap() == whole, restored == 3);
    }
}

#[test]
fn a_donor_restores_damage_only_if_it_is_proven_to_be_a_copy() {
    let (bytes, offsets) = log_bytes(9);
    let mut damaged = bytes.clone();
    // Two frames that no fix restores.
    damaged[offsets[3] as usize + 5..offsets[4] as usize + 60].fill(b'#');
    let run = |donor: &[u8]| {
        let disk = SimDisk::with_files(&[(LOG, &damaged), (DONOR, donor)]);
        let summary = copy_log(&disk, &copy_options().donor(DONOR)).unwrap();
        (disk, summary)
    };
    let (disk, summary) = run(&bytes);
    assert_eq!(disk.get(NEW).unwrap(), bytes);
    assert_eq!((summary.events_kept, summary.events_restored, summary.omitted_total), (7, 2, 0));
    assert!(read_map(&disk).contains(&format!("{0},{0},donor", offsets[3])));
    for (changed, restored, reason) in [
        (9, 0, "its header differs"),
        (offsets[2] as usize + 9, 0, "its frame before the range differs"),
        (offsets[5] as usize + 9, 0, "its frame after the range differs"),
        (offsets[4] as usize + 9, 1, "it is damaged there too, or its frames differ"),
    ] {
        let mut donor = bytes.clone();
        donor[changed] ^= 1;
        let (disk, summary) = run(&donor);
        assert_eq!((summary.events_kept, summary.events_restored), (7, restored), "{reason}");
        assert!(
            summary.omitted.iter().all(|range| range.donor_refusal == Some(reason)),
            "{reason}: {:?}",
            summary.omitted
        );
        assert_eq!(frame_payloads(&disk.get(NEW).unwrap()).len() as u64, 7 + restored, "{reason}");
    }
}

#[test]
fn a_copy_that_cannot_be_verified_is_removed() {
    let (bytes, _) = log_bytes(60);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    disk.refuse_reads(4096..8192);
    let summary = copy_log(&disk, &copy_options());
    // The device refuses to read that range of the copy too, so that the copy cannot be verified.
    assert!(summary.is_err());
    assert_eq!(disk.names(), [LOG.to_owned()]);
    disk.refuse_reads(0..0);
    assert_eq!(copy_log(&disk, &copy_options()).unwrap().events_kept, 60);
}

#[test]
fn the_new_header_keeps_the_time_of_creation_when_it_is_plausible() {
    let (bytes, _) = log_bytes(3);
    let created = |bytes: &[u8]| u64::from_be_bytes(bytes[8..16].try_into().unwrap());
    for (at, value, expected) in [(0, 0, created(&bytes)), (8, 0xFF, super::support::START_MS)] {
        let mut damaged = bytes.clone();
        damaged[at] = value;
        let disk = SimDisk::with_files(&[(LOG, &damaged)]);
        copy_log(&disk, &copy_options()).unwrap();
        let new = disk.get(NEW).unwrap();
        assert_eq!(new[..8], bytes[..8]);
        assert!(created(&new) >= expected && created(&new) < expected + 100_000_000, "{}", created(&new));
    }
}

#[test]
fn a_copy_ends_before_a_frame_that_is_being_written_and_reports_it() {
    let (bytes, offsets) = log_bytes(4);
    let disk = SimDisk::with_files(&[(LOG, &bytes[..bytes.len() - 9])]);
    disk.change_while_waiting(&bytes[..bytes.len() - 5]);
    let summary = copy_log(&disk, &copy_options()).unwrap();
    assert_eq!(summary.in_flight.map(|range| range.start), Some(offsets[3]));
    assert_eq!((summary.events_kept, summary.omitted_total), (3, 0));
    assert_eq!(disk.get(NEW).unwrap(), bytes[..offsets[3] as usize]);
}

#[test]
fn files_are_overwritten_only_with_replace_and_sources_never() {
    let (bytes, _) = log_bytes(3);
    for existing in [NEW, MAP] {
        let disk = SimDisk::with_files(&[(LOG, &bytes), (existing, b"something")]);
        assert!(
            matches!(copy_log(&disk, &copy_options()), Err(StorageError::AlreadyExists { path }) if path == Path::new(existing))
        );
        assert_eq!(disk.get(existing).unwrap(), b"something");
        copy_log(&disk, &copy_options().replace()).unwrap();
        assert_eq!(disk.get(NEW).unwrap(), bytes);
    }
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &bytes)]);
    for wrong in [
        CopyOptions::new(LOG).map(MAP).replace(),
        copy_options().map(LOG).replace(),
        copy_options().map(NEW),
        CopyOptions::new(DONOR).map(MAP).donor(DONOR).replace(),
    ] {
        assert!(matches!(copy_log(&disk, &wrong), Err(StorageError::Refused { .. })), "{wrong:?}");
    }
    assert_eq!((disk.get(LOG).unwrap(), disk.names().len()), (bytes, 2));
}

#[test]
fn salvage_and_migrate_refuse_the_other_version_and_cancelling_leaves_no_file() {
    let (bytes, _) = log_bytes(3);
    let on = &mut |_: CopyUpdate| ControlFlow::Continue(());
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    assert!(matches!(migrate(&open_view(&disk).unwrap(), &copy_options(), on), Err(StorageError::Refused { .. })));
    let stopped = salvage(&open_view(&disk).unwrap(), &copy_options(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StorageError::Cancelled)));
    assert_eq!(disk.names(), [LOG.to_owned()]);
    let disk = SimDisk::with_files(&[(LOG, &read_fixture("v0-clean.log"))]);
    assert!(matches!(salvage(&open_view(&disk).unwrap(), &copy_options(), on), Err(StorageError::Refused { .. })));
    assert_eq!(disk.names(), [LOG.to_owned()]);
}

#[test]
fn migration_renames_one_key_and_keeps_every_other_byte() {
    for name in ["v0-clean.log", "v0-older-name-torn.log"] {
        let bytes = read_fixture(name);
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let summary = copy_log(&disk, &copy_options()).unwrap();
        let new = frame_payloads(&disk.get(NEW).unwrap());
        let (mut at, mut old) = (0, Vec::new());
        while let DecodeResult::Complete(frame) = decode(&bytes[at..], FrameFormat::V0, at as u64) {
            old.push(String::from_utf8(frame.payload().to_vec()).unwrap().replacen(
                "{\"timestamp_ms\"",
                "{\"write_timestamp_ms\"",
                1,
            ));
            at += frame.len() as usize;
        }
        let new: Vec<String> = new.into_iter().map(|payload| String::from_utf8(payload).unwrap()).collect();
        assert_eq!(new, old, "{name}");
        assert_eq!(summary.events_kept, old.len() as u64, "{name}");
        assert_eq!(summary.damage_total, u64::from(at < bytes.len()), "{name}");
        assert!(survey_log(&SimDisk::with_files(&[(LOG, &disk.get(NEW).unwrap())])).findings.is_empty(), "{name}");
    }
}

#[test]
fn every_sample_is_copied_with_every_readable_and_restorable_event() {
    let Some((folder, truth)) = load_samples() else { return };
    let target = tempfile::tempdir().unwrap();
    for (name, truth) in truth.as_object().unwrap() {
        let source = fs::read(folder.join(name)).unwrap();
        let view = LogView::open(Arc::new(OsDisk), &folder.join(name), None).unwrap();
        let output = target.path().join(name);
        let on = &mut |_: CopyUpdate| ControlFlow::Continue(());
        let options = CopyOptions::new(output.clone()).accept_likely();
        let summary =
            if truth["version"] == 0 { migrate(&view, &options, on) } else { salvage(&view, &options, on) }.unwrap();
        assert_eq!(summary.events_kept, truth["readable_events"].as_u64().unwrap(), "{name}");
        let restored = summary.events_kept + summary.events_restored;
        assert_eq!(restored, truth["events_after_repair"].as_u64().unwrap(), "{name}");
        // Every fix that the log itself offers is applied.
        let unapplied =
            summary.omitted.iter().filter(|range| range.best_certainty.is_some_and(|c| c.name() != "choice")).count();
        assert_eq!(unapplied, 0, "{name}");
        let copy = LogView::open(Arc::new(OsDisk), &output, None).unwrap();
        let survey = survey(&copy, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!((survey.damage_total, survey.events), (0, restored), "{name}");
        assert_eq!(fs::read(folder.join(name)).unwrap(), source, "{name}");
    }
}

#[test]
fn a_copy_that_is_killed_or_fails_is_absent_or_complete_and_the_log_unchanged() {
    let (clean, offsets) = log_bytes(5);
    let mut damaged = clean.clone();
    damaged[offsets[2] as usize + 9..offsets[2] as usize + 90].fill(0);
    for (source, options) in
        [(damaged, copy_options()), (read_fixture("v0-older-name-torn.log"), copy_options().replace())]
    {
        let disk = SimDisk::with_files(&[(LOG, &source)]);
        assert_copy_is_atomic(&disk, &options, |disk, options| copy_log(disk, options).map(drop));
    }
}

/// Runs a copy of [`LOG`] with a kill or a failure at every disk call. The new log, with its map, is then absent or complete, and
/// the log is unchanged. Files are at the paths of the new log when the options replace them.
pub(super) fn assert_copy_is_atomic(
    disk: &SimDisk,
    options: &CopyOptions,
    copy: impl Fn(&SimDisk, &CopyOptions) -> Result<(), StorageError>,
) {
    let (source, replace, old) = (disk.get(LOG).unwrap(), options.replace, b"an older file".as_slice());
    if replace {
        disk.put(NEW, old);
        disk.put(&format!("{NEW}.idx"), b"its index");
        disk.put(MAP, b"its map");
    }
    let copied = disk.next_process();
    copy(&copied, options).unwrap();
    let (new, map) = (copied.get(NEW).unwrap(), copied.get(MAP).unwrap());
    let calls = copied.calls();
    assert!(calls >= 8, "{calls} calls");
    let (mut absent, mut whole) = (0, 0);
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(5), DiskFault::Error(28), DiskFault::ShortWrite] {
            for seed in 0..8 {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let result = copy(&disk, options);
                let context = format!("{fault:?} at call {call} of {calls}, seed {seed}: {result:?}");
                if fault != DiskFault::Kill && result.is_err() && disk.faulted_call() != Some(CallKind::Remove) {
                    let temporary_file = disk.names().into_iter().find(|name| is_temporary(name));
                    assert_eq!(temporary_file, None, "{context}");
                }
                for after in [disk.next_process(), disk.power_cut(random_choices(seed))] {
                    assert_eq!(after.get(LOG).unwrap(), source, "{context}");
                    let current = after.get(NEW);
                    let before = current.is_none() || replace && current.as_deref() == Some(old);
                    assert!(
                        before || current.as_ref() == Some(&new),
                        "{context}: {:?}",
                        current.map(|bytes| bytes.len())
                    );
                    // A new log always has its map.
                    let (mapped, old_map) = (after.get(MAP), replace.then(|| b"its map".to_vec()));
                    assert!(
                        mapped.as_ref() == Some(&map) || before && mapped == old_map || !replace && before,
                        "{context}"
                    );
                    // The index of the replaced log never exists next to the new log.
                    let index = after.get(&format!("{NEW}.idx"));
                    assert!(index.is_none() || before && index.as_deref() == Some(b"its index"), "{context}");
                    // After a failure everything is restored, unless only the last sync failed.
                    let placed = disk.get(NEW).as_ref() == Some(&new);
                    if replace && fault != DiskFault::Kill && result.is_err() && !placed {
                        assert_eq!((mapped, index), (old_map, Some(b"its index".to_vec())), "{context}");
                    }
                    assert!(result.is_err() || !before, "{context}");
                    (absent, whole) = (absent + u32::from(before), whole + u32::from(!before));
                    // The next copy succeeds.
                    let again = options.clone().replace();
                    copy(&after, &again).unwrap();
                    assert_eq!(after.get(NEW).unwrap(), new, "{context}");
                }
            }
        }
    }
    assert!(absent > 0 && whole > 0, "{absent} absent, {whole} whole");
}

#[test]
fn a_copy_whose_bytes_differ_when_read_again_is_refused() {
    let (bytes, _) = log_bytes(3);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let on_update = &mut |update: CopyUpdate| {
        // In the second half of the progress, all bytes are written and the copy is read again.
        if let CopyUpdate::Progress(progress) = update
            && progress.position >= progress.total / 2
            && let Some(name) = disk.names().into_iter().find(|name| name.starts_with(NEW) && is_temporary(name))
        {
            disk.append_as_other_process(&name, &{
                let mut foreign = Vec::new();
                frame::encode(b"{}", &mut foreign);
                foreign
            });
        }
        ControlFlow::Continue(())
    };
    let result = salvage(&open_view(&disk).unwrap(), &copy_options(), on_update);
    assert!(matches!(result, Err(StorageError::Changed { .. })), "{result:?}");
    assert_eq!(disk.names(), [LOG.to_owned()]);
}

#[test]
fn a_file_created_at_the_target_during_the_copy_is_not_overwritten() {
    let (bytes, _) = log_bytes(3);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let result = salvage(&open_view(&disk).unwrap(), &copy_options(), &mut |_| {
        disk.put(NEW, b"of another program");
        ControlFlow::Continue(())
    });
    assert!(matches!(result, Err(StorageError::AlreadyExists { .. })), "{result:?}");
    assert_eq!((disk.get(NEW).unwrap(), disk.names().len()), (b"of another program".to_vec(), 2));

    // The file system of this machine renames without replacing in one call, so it is tested too.
    let folder = tempfile::tempdir().unwrap();
    let (log, new) = (folder.path().join("a.log"), folder.path().join("new.log"));
    fs::write(&log, &bytes).unwrap();
    let view = LogView::open(Arc::new(OsDisk), &log, None).unwrap();
    let options = CopyOptions::new(new.clone());
    let result = salvage(&view, &options, &mut |_| {
        fs::write(&new, b"of another program").unwrap();
        ControlFlow::Continue(())
    });
    assert!(matches!(result, Err(StorageError::AlreadyExists { .. })), "{result:?}");
    assert_eq!(
        (fs::read(&new).unwrap(), fs::read_dir(folder.path()).unwrap().count()),
        (b"of another program".to_vec(), 2)
    );
}

#[test]
fn the_progress_of_a_copy_never_goes_back_and_ends_at_its_total() {
    let (whole, _) = log_bytes(400);
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[1000..middle].fill(b'#');
    // A salvaged log is shorter than the log, and a migrated one is longer.
    for bytes in [whole, damaged, read_fixture("v0-older-name-torn.log")] {
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let view = open_view(&disk).unwrap();
        let mut reports = Vec::new();
        let on = &mut |update: CopyUpdate| {
            if let CopyUpdate::Progress(progress) = update {
                reports.push((progress.position, progress.total));
            }
            ControlFlow::Continue(())
        };
        if view.log().version() == Version::V0 {
            migrate(&view, &copy_options(), on).unwrap();
        } else {
            salvage(&view, &copy_options(), on).unwrap();
        }
        let total = 3 * bytes.len() as u64;
        assert!(reports.len() >= 3 && reports.iter().all(|report| report.1 == total), "{reports:?}");
        assert!(reports.is_sorted() && reports.last() == Some(&(total, total)), "{reports:?}");
    }
}

#[test]
fn a_copy_can_be_cancelled_within_a_long_range_of_the_log_and_of_a_donor() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let offsets: Vec<u64> = (0..14).map(|n| log.append(&large_event(n, 700 << 10)).unwrap()).collect();
    drop(log);
    let whole = disk.get(LOG).unwrap();
    let mut damaged = whole.clone();
    damaged[offsets[1] as usize + 40..offsets[12] as usize + 40].fill(b'#');
    for (bytes, options, range) in
        [(&whole, copy_options(), "the log"), (&damaged, copy_options().donor(DONOR), "a donor")]
    {
        let disk = SimDisk::with_files(&[(LOG, bytes), (DONOR, &whole)]);
        let (names, view) = (disk.names(), open_view(&disk).unwrap());
        let written = |disk: &SimDisk| {
            let new = disk.names().into_iter().find(|name| name.starts_with(NEW) && is_temporary(name));
            new.map_or(0, |name| disk.get(&name).unwrap().len())
        };
        let mut sizes = Vec::new();
        salvage(&view, &options, &mut |_| {
            sizes.push(written(&disk));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(disk.get(NEW).unwrap(), whole, "{range}");
        // A mebibyte is copied between two reports, and one is buffered. The file grows by whole events.
        let growth = sizes.windows(2).map(|pair| pair[1] - pair[0].min(pair[1])).max();
        assert!(growth.is_some_and(|bytes| bytes < 3 << 20), "{range}: {growth:?} bytes between two reports");
        for last in (0..sizes.len()).step_by(sizes.len() / 5) {
            let disk = SimDisk::with_files(&[(LOG, bytes), (DONOR, &whole)]);
            let mut reports = 0..last;
            let stopped = salvage(&open_view(&disk).unwrap(), &options, &mut |_| match reports.next() {
                Some(_) => ControlFlow::Continue(()),
                None => ControlFlow::Break(()),
            });
            assert!(matches!(stopped, Err(StorageError::Cancelled)), "{range}, report {last}: {stopped:?}");
            assert_eq!(disk.names(), names, "{range}, report {last}");
        }
    }
}

#[test]
fn without_file_identities_only_the_log_and_the_donor_themselves_are_refused() {
    let (whole, _) = log_bytes(9);
    let disk = SimDisk::with_files(&[(LOG, &whole), (DONOR, &whole), (NEW, b"an older file")]);
    disk.hide_identities();
    copy_log(&disk, &copy_options().donor(DONOR).replace()).unwrap();
    assert_eq!(disk.get(NEW).unwrap(), whole);
    for options in [CopyOptions::new(LOG).replace(), CopyOptions::new(DONOR).donor(DONOR).replace()] {
        assert!(matches!(copy_log(&disk, &options), Err(StorageError::Refused { .. })), "{options:?}");
    }
    // Two handles cannot be told apart, so a log is opened for append as before.
    open_options(&disk).open(LOG).unwrap();
}

#[test]
fn a_folder_is_complete_or_absent_wherever_the_copy_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (source, new, map) = (folder.path().join("a.log"), folder.path().join("new"), folder.path().join("map.csv"));
    let mut log = chronicle::EventLog::create(&source).unwrap();
    for n in 0..60 {
        log.append(&large_event(1, 5000 + n)).unwrap();
    }
    log.close().unwrap();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let view = LogView::open(Arc::new(OsDisk), &source, None).unwrap();
    let options = CopyOptions::new(&new).map(&map).segment_size(32 << 10);
    let mut cancelled_at = 0;
    let summary = loop {
        let mut updates = 0;
        let copied = salvage(&view, &options, &mut |_| {
            updates += 1;
            if updates > cancelled_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match copied {
            Ok(summary) => break summary,
            Err(error) => assert!(matches!(error, StorageError::Cancelled), "{error}"),
        }
        assert_eq!(names(), before, "cancelled at update {cancelled_at}");
        cancelled_at += 1;
    };
    assert!(cancelled_at > 5, "{cancelled_at}");
    assert_eq!((summary.events_kept, summary.damage_total), (60, 0));
    let segments = fs::read_dir(&new)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "log"));
    assert_eq!(summary.segments, Some(segments.count() as u64));
    assert!(summary.segments > Some(8), "{summary:?}");
    let refused = salvage(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(refused, StorageError::AlreadyExists { .. }), "{refused}");
    salvage(&view, &options.replace(), &mut |_| ControlFlow::Continue(())).unwrap();
    // A path that ends with / is a folder too, and a version 2 that is given keeps its identity.
    let id = chronicle::LogId::from_bytes(*b"0123456789abcdef");
    let other = CopyOptions::new(folder.path().join("other/")).format(chronicle::NewLogFormat::V2(id));
    migrate(&view, &other, &mut |_| ControlFlow::Continue(())).unwrap();
    let other = chronicle::EventLog::open_read_only(folder.path().join("other")).unwrap();
    assert_eq!(other.header().and_then(|header| header.segment).map(|segment| segment.log_id), Some(id));
    assert_eq!(other.view().segment_bases(), [0]);
}
