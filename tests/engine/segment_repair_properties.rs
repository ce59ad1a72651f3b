//! Property tests of repairs of a log in segments: random damage in any of its files, also files that were cut, got other bytes
//! or are gone. No readable event is lost, no offset changes, an undo restores every byte, and the findings do not depend on the
//! number of threads.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chronicle::repair::{
    ApplyOptions, FixFinder, LogPaths, Plan, ProposedFix, RepairAction, RepairOptions, apply, plan_repair, plan_undo,
};
use chronicle::storage::Disk;
use chronicle::{DamageKind, EventLog, Finding, StorageError};
use proptest::prelude::*;

use super::repair_properties::{InjectedDamage, apply_damage, injected_damage};
use super::retention::{FOLDER, options};
use super::sim_disk::SimDisk;
use super::support::event;

const EVENTS: usize = 40;
const DONOR: &str = "/data/donor";
/// Length of the header of a segment, in bytes.
const HEADER_LEN: u64 = 64;

/// An intact log: all files of its folder by their names, and the offsets of its events.
struct IntactLog {
    files: BTreeMap<String, Vec<u8>>,
    offsets: Vec<u64>,
}

impl IntactLog {
    /// The bases of the segments, ascending.
    fn bases(&self) -> Vec<u64> {
        self.files.keys().filter_map(|name| base_of(name)).collect()
    }

    /// Returns the positions of the frames in the file of the segment at `base`.
    fn positions(&self, base: u64) -> Vec<u64> {
        let end = base + self.files[&segment_name(base)].len() as u64;
        self.offsets.iter().filter(|offset| (base..end).contains(offset)).map(|offset| offset - base).collect()
    }
}

fn intact_log() -> &'static IntactLog {
    static INTACT: OnceLock<IntactLog> = OnceLock::new();
    INTACT.get_or_init(|| {
        let disk = SimDisk::default();
        let mut log = options(&disk).create(FOLDER).unwrap();
        let offsets = (0..EVENTS).map(|n| log.append_sync(&event(1 + n as u64 % 3, n)).unwrap()).collect();
        log.close().unwrap();
        IntactLog { files: files_of(&disk), offsets }
    })
}

fn segment_name(base: u64) -> String {
    format!("{base:020}.log")
}

fn base_of(name: &str) -> Option<u64> {
    name.strip_suffix(".log")?.parse().ok()
}

/// Returns the files in the folder of the log, but not in its folders.
fn files_of(disk: &SimDisk) -> BTreeMap<String, Vec<u8>> {
    let names =
        disk.names().into_iter().filter_map(|path| path.strip_prefix(FOLDER)?.strip_prefix('/').map(str::to_owned));
    let names = names.filter(|name| !name.contains('/'));
    names.map(|name| (name.clone(), disk.get(&format!("{FOLDER}/{name}")).unwrap())).collect()
}

/// Returns the bytes of all segments by their names.
fn segments_of(disk: &SimDisk) -> BTreeMap<String, Vec<u8>> {
    files_of(disk).into_iter().filter(|(name, _)| base_of(name).is_some()).collect()
}

/// Damage of the file of one segment.
#[derive(Debug, Clone)]
enum FileDamage {
    InPlace(InjectedDamage),
    Cut(prop::sample::Index),
    Inserted(prop::sample::Index, Vec<u8>),
    ZeroRange(prop::sample::Index, usize),
    Missing,
}

fn file_damage() -> impl Strategy<Value = FileDamage> {
    let position = any::<prop::sample::Index>;
    prop_oneof![
        4 => injected_damage().prop_map(FileDamage::InPlace),
        1 => position().prop_map(FileDamage::Cut),
        1 => (position(), prop::collection::vec(any::<u8>(), 1..300)).prop_map(|(at, bytes)| FileDamage::Inserted(at, bytes)),
        1 => (position(), 1usize..1500).prop_map(|(at, len)| FileDamage::ZeroRange(at, len)),
        1 => Just(FileDamage::Missing),
    ]
}

impl FileDamage {
    /// Damages the file of the segment at `base`; `None` is a file that is gone.
    fn apply(&self, file: &mut Option<Vec<u8>>, base: u64) {
        let Some(bytes) = file else { return };
        let positions = intact_log().positions(base);
        match self {
            // The file can have lost its frames already.
            Self::InPlace(damage) if bytes.len() >= intact_log().files[&segment_name(base)].len() => {
                apply_damage(bytes, &positions, damage);
            }
            Self::InPlace(_) => {}
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Inserted(at, added) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, added.iter().copied());
            }
            Self::ZeroRange(at, len) => {
                let at = at.index(bytes.len() + 1);
                let end = (at + len).min(bytes.len());
                bytes[at..end].fill(0);
            }
            Self::Missing => *file = None,
        }
    }
}

/// The donor that is given to the repair.
#[derive(Debug, Clone, Copy)]
enum DonorFolder {
    None,
    Identical,
    /// A copy without its last segments.
    Older(usize),
}

fn donor_folder() -> impl Strategy<Value = DonorFolder> {
    prop_oneof![Just(DonorFolder::None), Just(DonorFolder::Identical), (1usize..4).prop_map(DonorFolder::Older)]
}

impl DonorFolder {
    /// Puts the donor on the disk, and returns its path.
    fn put(self, disk: &SimDisk) -> Option<PathBuf> {
        let (files, bases) = (&intact_log().files, intact_log().bases());
        let kept = match self {
            Self::None => return None,
            Self::Identical => bases.len(),
            Self::Older(fewer) => bases.len() - fewer,
        };
        for base in &bases[..kept] {
            disk.put(&format!("{DONOR}/{}", segment_name(*base)), &files[&segment_name(*base)]);
        }
        Some(DONOR.into())
    }
}

fn log_paths(disk: &SimDisk) -> LogPaths {
    options(disk).log_paths(Path::new(FOLDER)).unwrap()
}

fn readable_offsets(log: &EventLog) -> Vec<u64> {
    log.replay(0).unwrap().filter_map(|event| event.ok().map(|event| event.offset())).collect()
}

/// Returns the findings of a verification, which are the same for one, two and five threads.
fn findings(disk: &SimDisk) -> Vec<Finding> {
    let verify = |threads| {
        let log = options(disk).threads(threads).open_read_only(FOLDER).unwrap();
        let view = log.view().clone().with_threads(threads);
        let options = chronicle::inspect::SurveyOptions::new().part_bytes(1500);
        chronicle::inspect::survey(&view, &options, None, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let one = verify(1);
    for threads in [2, 5] {
        let several = verify(threads);
        assert_eq!(several.findings, one.findings, "{threads} threads");
        assert_eq!((several.events, several.gaps, several.damage_total), (one.events, one.gaps, one.damage_total));
    }
    one.findings
}

fn plan(disk: &SimDisk, repair: &RepairOptions) -> Plan {
    let log = options(disk).open_read_only(FOLDER).unwrap();
    plan_repair(log.view(), repair, &mut |_| ControlFlow::Continue(())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn a_repair_of_segments_loses_no_event_moves_no_event_and_can_be_undone(
        damages in prop::collection::vec((any::<prop::sample::Index>(), file_damage()), 1..5),
        indexed in any::<bool>(),
        accept_likely in any::<bool>(),
        gap_undecided in any::<bool>(),
        donor in donor_folder(),
    ) {
        let intact = intact_log();
        let bases = intact.bases();
        let mut files: BTreeMap<u64, Option<Vec<u8>>> =
            bases.iter().map(|base| (*base, Some(intact.files[&segment_name(*base)].clone()))).collect();
        for (segment, damage) in &damages {
            let base = *segment.get(&bases);
            damage.apply(files.get_mut(&base).unwrap(), base);
        }
        let disk = SimDisk::default();
        for folder in [FOLDER, DONOR] {
            disk.create_folder(Path::new(folder), Path::new(folder)).unwrap();
        }
        for (base, bytes) in &files {
            if let Some(bytes) = bytes {
                disk.put(&format!("{FOLDER}/{}", segment_name(*base)), bytes);
            }
        }
        let other_files = intact.files.iter().filter(|(name, _)| base_of(name).is_none());
        for (name, bytes) in other_files.filter(|(name, _)| indexed || !name.contains(".log.idx")) {
            disk.put(&format!("{FOLDER}/{name}"), bytes);
        }
        let has_header = |(base, bytes): (&u64, &Option<Vec<u8>>)| {
            let header = &intact.files[&segment_name(*base)][..HEADER_LEN as usize];
            bytes.as_ref().is_some_and(|bytes| bytes.starts_with(header))
        };
        let Ok(log) = options(&disk).open_read_only(FOLDER) else {
            prop_assert!(!files.iter().any(has_header), "a log with a readable header is not opened");
            return Ok(());
        };
        let before = readable_offsets(&log);
        drop(log);
        let damaged = segments_of(&disk);
        for (base, bytes) in &files {
            let (good, positions) = (&intact.files[&segment_name(*base)], intact.positions(*base));
            let ends = positions.iter().skip(1).copied().chain([good.len() as u64]);
            for (start, end) in positions.iter().copied().zip(ends) {
                let range = start as usize..end as usize;
                let is_unchanged = bytes.as_ref().is_some_and(|bytes| bytes.get(range.clone()) == good.get(range));
                prop_assert!(!is_unchanged || before.contains(&(base + start)), "the unchanged event at {} is not read", base + start);
            }
        }
        prop_assert!(before.iter().all(|offset| intact.offsets.contains(offset)), "{:?}", before);
        let found = findings(&disk);

        let mut repair = RepairOptions::new();
        repair.accept_likely = accept_likely;
        repair.gap_undecided = gap_undecided;
        if let Some(donor) = donor.put(&disk) {
            repair = repair.donor(donor);
        }
        let plan = plan(&disk, &repair);
        let view = options(&disk).open_read_only(FOLDER).unwrap().view().clone();
        let mut finder = FixFinder::new(&view).unwrap();
        let mut fixes: Vec<ProposedFix> = found.iter().flat_map(|finding| finder.push(finding).unwrap()).collect();
        fixes.append(&mut finder.finish());
        for ProposedFix { finding, fix } in fixes.iter().filter(|_| repair.donors.is_empty()) {
            let is_in = |start: u64| (finding.start..=finding.end).contains(&start);
            let is_repaired = plan.steps.iter().flat_map(|step| &step.pieces).any(|piece| is_in(piece.start));
            let gives_up = fix.as_ref().is_some_and(|fix| fix.action == RepairAction::GiveUp);
            prop_assert!(!gives_up || is_repaired, "the fix of {:?} is not in the plan", finding);
            prop_assert!(fix.is_some() || finding.kind != DamageKind::Truncated || !is_repaired, "no fix of {:?}", finding);
        }
        if plan.is_empty() {
            return Ok(());
        }
        apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
        let after = readable_offsets(&options(&disk).open_read_only(FOLDER).unwrap());
        prop_assert!(before.iter().all(|at| after.contains(at)), "an event was lost: {:?}, {:?}, {:?}", before, after, found);
        prop_assert!(after.iter().all(|at| intact.offsets.contains(at)), "an event got another offset: {:?}", after);
        prop_assert_eq!(after.len() as u64, before.len() as u64 + plan.restored_events());
        findings(&disk);

        let undo = plan_undo(&log_paths(&disk), None).unwrap();
        apply(&log_paths(&disk), &undo, ApplyOptions::new()).unwrap();
        let undone = segments_of(&disk);
        prop_assert_eq!(undone.keys().collect::<Vec<_>>(), damaged.keys().collect::<Vec<_>>());
        for (name, bytes) in &damaged {
            prop_assert!(&undone[name] == bytes, "{} is not restored", name);
        }
        prop_assert_eq!(readable_offsets(&options(&disk).open_read_only(FOLDER).unwrap()), before);
    }
}

/// Puts the intact log on a disk, without indexes, and with the segment at `base` cut after `len` bytes.
fn log_with_cut_segment(base: u64, len: u64) -> SimDisk {
    let disk = SimDisk::default();
    disk.create_folder(Path::new(FOLDER), Path::new(FOLDER)).unwrap();
    for (name, bytes) in intact_log().files.iter().filter(|(name, _)| !name.contains(".log.idx")) {
        let kept = if *name == segment_name(base) { len as usize } else { bytes.len() };
        disk.put(&format!("{FOLDER}/{name}"), &bytes[..kept]);
    }
    disk
}

#[test]
fn a_file_that_was_cut_within_its_header_is_cut_there_again_by_an_undo() {
    let bases = intact_log().bases();
    let last = *bases.last().unwrap();
    let cuts = [bases[0], bases[2], last].into_iter().flat_map(|base| (0..=HEADER_LEN).map(move |len| (base, len)));
    for (base, len) in cuts.filter(|cut| *cut != (last, HEADER_LEN)) {
        let disk = log_with_cut_segment(base, len);
        let damaged = segments_of(&disk);
        let mut repair = RepairOptions::new();
        repair.accept_likely = true;
        let plan = plan(&disk, &repair);
        assert!(!plan.is_empty(), "{base}, cut after {len} bytes");
        apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
        let undo = plan_undo(&log_paths(&disk), None).unwrap();
        apply(&log_paths(&disk), &undo, ApplyOptions::new()).unwrap();
        assert!(segments_of(&disk) == damaged, "{base}, cut after {len} bytes");
    }
}

#[test]
fn nothing_is_appended_to_a_last_segment_that_was_cut_within_its_header() {
    let last = *intact_log().bases().last().unwrap();
    for len in 0..HEADER_LEN {
        let disk = log_with_cut_segment(last, len);
        let damaged = segments_of(&disk);
        let found = findings(&disk);
        let [cut] = found.as_slice() else { panic!("cut after {len} bytes: {found:?}") };
        assert_eq!((cut.kind, cut.range()), (DamageKind::Header, last..last + len));
        let refused = options(&disk).open(FOLDER).unwrap_err();
        assert!(matches!(refused, StorageError::Refused { .. }), "cut after {len} bytes: {refused}");
        assert!(segments_of(&disk) == damaged, "cut after {len} bytes");
        let mut repair = RepairOptions::new();
        repair.accept_likely = true;
        apply(&log_paths(&disk), &plan(&disk, &repair), ApplyOptions::new().full_check()).unwrap();
        assert_eq!(findings(&disk), []);
        let mut log = options(&disk).open(FOLDER).unwrap();
        let offset = log.append_sync(&event(1, 1)).unwrap();
        assert_eq!((offset, readable_offsets(&log).last()), (last + HEADER_LEN, Some(&offset)));
    }
}

#[test]
fn every_event_of_the_intact_log_is_in_a_segment() {
    let intact = intact_log();
    assert!(intact.bases().len() > 5);
    let positions: usize = intact.bases().iter().map(|base| intact.positions(*base).len()).sum();
    assert_eq!(positions, EVENTS);
    assert!(intact.bases().iter().all(|base| intact.positions(*base)[0] == HEADER_LEN));
}
