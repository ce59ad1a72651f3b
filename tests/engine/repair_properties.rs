//! Property tests of repairs with random damage, index, options and donor: no readable event is lost, every later
//! offset stays, an undo restores the file byte for byte, and exactly the findings that a plan leaves unrepaired
//! remain.

use std::sync::OnceLock;

use chronicle::StorageError;
use chronicle::repair::{ApplyOptions, CandidateChoice, FindingSelector, RepairOptions, apply, plan_undo};
use proptest::prelude::*;

use super::repairs::{log_paths, plan_from_donor};
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_indexed_log, finding_ranges, open_options, readable_offsets, survey_log};

const EVENTS: usize = 30;
const DONOR: &str = "/data/donor.log";

/// Returns the bytes of a log, the bytes of its index, and the offsets of its events.
fn intact_log() -> &'static (Vec<u8>, Vec<u8>, Vec<u64>) {
    static WHOLE: OnceLock<(Vec<u8>, Vec<u8>, Vec<u64>)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let (disk, offsets) = disk_with_indexed_log(EVENTS);
        (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap(), offsets)
    })
}

/// Damage that changes bytes in place. Frames are counted in a file, and begin again after the last one.
#[derive(Debug, Clone)]
pub(super) enum InjectedDamage {
    Bit { frame: usize, bit: usize },
    Byte { frame: usize, at: usize, to: u8 },
    Noise { frame: usize, at: usize, bytes: Vec<u8> },
    Length { frame: usize, to: u32 },
    Zeros { frame: usize, frames: usize },
    Header { at: usize, to: u8 },
}

pub(super) fn injected_damage() -> impl Strategy<Value = InjectedDamage> {
    let frame = 0..EVENTS;
    prop_oneof![
        (frame.clone(), any::<usize>()).prop_map(|(frame, bit)| InjectedDamage::Bit { frame, bit }),
        (frame.clone(), any::<usize>(), any::<u8>()).prop_map(|(frame, at, to)| InjectedDamage::Byte { frame, at, to }),
        (frame.clone(), any::<usize>(), prop::collection::vec(any::<u8>(), 1..600))
            .prop_map(|(frame, at, bytes)| InjectedDamage::Noise { frame, at, bytes }),
        (frame.clone(), prop_oneof![any::<u32>(), 0u32..400])
            .prop_map(|(frame, to)| InjectedDamage::Length { frame, to }),
        (frame, 1usize..4).prop_map(|(frame, frames)| InjectedDamage::Zeros { frame, frames }),
        (0usize..16, any::<u8>()).prop_map(|(at, to)| InjectedDamage::Header { at, to }),
    ]
}

/// Damage at the end of the log.
#[derive(Debug, Clone, Copy)]
enum LogEnd {
    Whole,
    Cut(usize),
    TornFrame(usize),
    Zeros(usize),
}

fn log_end() -> impl Strategy<Value = LogEnd> {
    prop_oneof![
        Just(LogEnd::Whole),
        (1usize..3000).prop_map(LogEnd::Cut),
        (1usize..200).prop_map(LogEnd::TornFrame),
        (1usize..5000).prop_map(LogEnd::Zeros),
    ]
}

/// Damages a file whose frames start at these positions in it. There is at least one, and the file has all of them.
pub(super) fn apply_damage(bytes: &mut [u8], offsets: &[u64], damage: &InjectedDamage) {
    let end_of = |frame: usize| offsets.get(frame).map_or(bytes.len(), |end| *end as usize);
    let start_of = |frame: usize| offsets[frame % offsets.len()] as usize;
    let within = |frame: usize, at: usize| {
        let (start, end) = (start_of(frame), end_of(frame % offsets.len() + 1));
        start + at % (end - start)
    };
    match damage {
        InjectedDamage::Bit { frame, bit } => {
            let at = within(*frame, bit / 8);
            bytes[at] ^= 1 << (bit % 8);
        }
        InjectedDamage::Byte { frame, at, to } => {
            let at = within(*frame, *at);
            bytes[at] = *to;
        }
        InjectedDamage::Noise { frame, at, bytes: noise } => {
            let at = within(*frame, *at);
            for (byte, noise) in bytes[at..].iter_mut().zip(noise) {
                *byte = *noise;
            }
        }
        InjectedDamage::Length { frame, to } => {
            let at = start_of(*frame);
            bytes[at..at + 4].copy_from_slice(&to.to_be_bytes());
        }
        InjectedDamage::Zeros { frame, frames } => {
            let (start, end) = (start_of(*frame), end_of(frame % offsets.len() + frames));
            bytes[start..end].fill(0);
        }
        InjectedDamage::Header { at, to } => bytes[*at] = *to,
    }
}

/// Returns the offsets of the events whose bytes are unchanged.
fn untouched_offsets(bytes: &[u8]) -> Vec<u64> {
    let (whole, _, offsets) = intact_log();
    let ends = offsets.iter().skip(1).map(|end| *end as usize).chain([whole.len()]);
    let frames = offsets.iter().zip(ends);
    frames
        .filter(|(start, end)| bytes.get(**start as usize..*end) == whole.get(**start as usize..*end))
        .map(|f| *f.0)
        .collect()
}

/// The donor given to the repair.
#[derive(Debug, Clone, Copy)]
enum DonorCopy {
    None,
    Identical,
    CreatedAnotherTime,
    ShorterBy(usize),
}

fn donor_copy() -> impl Strategy<Value = DonorCopy> {
    prop_oneof![
        Just(DonorCopy::None),
        Just(DonorCopy::Identical),
        Just(DonorCopy::CreatedAnotherTime),
        (1usize..3000).prop_map(DonorCopy::ShorterBy),
    ]
}

impl DonorCopy {
    /// Returns the bytes of the donor; `None` without a donor.
    fn bytes(self) -> Option<Vec<u8>> {
        let mut bytes = intact_log().0.clone();
        match self {
            Self::None => return None,
            Self::Identical => {}
            Self::CreatedAnotherTime => bytes[15] ^= 1,
            Self::ShorterBy(by) => bytes.truncate(bytes.len() - by),
        }
        Some(bytes)
    }
}

/// The findings that the options select, by their position in the list of findings.
#[derive(Debug, Clone)]
struct FindingSelection {
    only: Vec<prop::sample::Index>,
    except: Vec<prop::sample::Index>,
    choose: Vec<(prop::sample::Index, prop::sample::Index)>,
    forget: bool,
}

fn finding_selection() -> impl Strategy<Value = FindingSelection> {
    let some = || prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    let choose = prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..3);
    let all = (some(), some(), choose, any::<bool>());
    all.prop_map(|(only, except, choose, forget)| FindingSelection { only, except, choose, forget })
}

impl FindingSelection {
    /// Adds the selection to `options`. It names only existing findings and offered candidates; others would be
    /// refused.
    fn repair_options(&self, disk: &SimDisk, donor: Option<&str>, mut options: RepairOptions) -> RepairOptions {
        options.forget_lost_end = self.forget;
        let starts: Vec<u64> =
            survey_log(disk).findings.iter().filter(|found| found.kind.is_damage()).map(|found| found.start).collect();
        if !starts.is_empty() {
            options.only = self.only.iter().map(|at| FindingSelector::Start(*at.get(&starts))).collect();
            options.except = self.except.iter().map(|at| FindingSelector::Start(*at.get(&starts))).collect();
        }
        for (start_index, number) in &self.choose {
            let Ok(plan) = plan_from_donor(disk, &options, donor) else { return options };
            let fixes = plan.unrepaired.iter().flat_map(|range| &range.alternatives);
            // A choice for a finding that is not selected would be refused.
            let is_selected = |start| {
                (options.only.is_empty() || options.only.contains(&FindingSelector::Start(start)))
                    && !options.except.contains(&FindingSelector::Start(start))
            };
            let offered: Vec<CandidateChoice> = fixes
                .filter_map(|fix| {
                    Some((fix.choice.filter(|choice| is_selected(choice.finding_start))?, fix.candidates.len().max(1)))
                })
                .flat_map(|(first, count)| {
                    let numbers = first.candidate_number..first.candidate_number + count;
                    numbers.map(move |number| CandidateChoice::new(first.finding_start, number))
                })
                .collect();
            if !offered.is_empty() {
                let start = start_index.get(&offered).finding_start;
                let for_start: Vec<_> = offered.into_iter().filter(|choice| choice.finding_start == start).collect();
                options.choices.push(*number.get(&for_start));
            }
        }
        options
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn a_repair_loses_no_event_moves_no_event_and_can_be_undone(
        damages in prop::collection::vec(injected_damage(), 0..5),
        end in log_end(),
        indexed in any::<bool>(),
        accept_likely in any::<bool>(),
        gap_undecided in any::<bool>(),
        copy in donor_copy(),
        selection in finding_selection(),
    ) {
        let (bytes, index, _) = intact_log();
        let mut damaged = bytes.clone();
        for damage in &damages {
            apply_damage(&mut damaged, &intact_log().2, damage);
        }
        match end {
            LogEnd::Whole => {}
            LogEnd::Cut(by) => damaged.truncate(damaged.len().saturating_sub(by).max(20)),
            LogEnd::TornFrame(len) => damaged.extend_from_slice(&bytes[16..16 + len]),
            LogEnd::Zeros(len) => damaged.resize(damaged.len() + len, 0),
        }
        let disk = SimDisk::with_files(&[(LOG, &damaged)]);
        if indexed {
            disk.put(INDEX, index);
        }
        if open_options(&disk).open_read_only(LOG).is_err() {
            // The file is no longer recognised as a log.
            return Ok(());
        }
        // A torn tail may contain a complete frame that was not written at that offset, so that `before` can be larger.
        let before = readable_offsets(&disk);
        let unchanged = untouched_offsets(&damaged);
        prop_assert!(unchanged.iter().all(|at| before.contains(at)), "an unchanged event is not read");

        let donor = copy.bytes().map(|bytes| {
            disk.put(DONOR, &bytes);
            DONOR
        });
        let mut options = RepairOptions::new();
        options.accept_likely = accept_likely;
        options.gap_undecided = gap_undecided;
        let options = selection.repair_options(&disk, donor, options);
        let plan = match plan_from_donor(&disk, &options, donor) {
            // The flags forbid writing, and no index proves that they are damaged.
            Err(StorageError::UnknownFlags { .. }) => return Ok(()),
            plan => plan.unwrap(),
        };
        if !plan.is_empty() {
            let apply_options = ApplyOptions::new().full_check();
            apply(&log_paths(&disk), &plan, apply_options).unwrap();
        }
        let after = readable_offsets(&disk);
        prop_assert!(before.iter().all(|at| after.contains(at)), "an event was lost: {before:?}, {after:?}");
        let survey = survey_log(&disk);
        let unrepaired: Vec<_> = plan.unrepaired.iter().map(|range| &range.piece).collect();
        let unrepaired: Vec<_> =
            unrepaired.iter().map(|piece| (piece.kind.as_str(), piece.start, piece.end)).collect();
        let mut damage = finding_ranges(&survey);
        damage.retain(|found| !matches!(found.0, "gap" | "clock"));
        prop_assert_eq!(damage, unrepaired, "{:?}", plan.steps);
        prop_assert_eq!(after.len() as u64, before.len() as u64 + plan.restored_events());
        let repaired = disk.get(LOG).unwrap();
        for step in &plan.steps {
            prop_assert!(step.action.name() != "restore_length" || untouched_offsets(&repaired).contains(&step.start));
        }

        if !plan.is_empty() {
            let undo = plan_undo(&log_paths(&disk), None).unwrap();
            apply(&log_paths(&disk), &undo, ApplyOptions::new()).unwrap();
        }
        prop_assert_eq!(disk.get(LOG).unwrap(), damaged);
        if indexed {
            prop_assert_eq!(disk.get(INDEX).unwrap(), index.clone());
        }
    }
}
