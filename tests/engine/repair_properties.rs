//! What holds of every repair of every log: nothing readable is lost, every later offset stays, and undo brings the file
//! back, byte for byte; alone and several at once, next to each other too, with an index and without, by any wishes, with
//! any donor. What a plan leaves is found where it was, and nothing else is.

use std::sync::OnceLock;

use chronicle::StorageError;
use chronicle::repair::{ApplyOptions, FindingSelector, RepairOptions, apply, plan_undo};
use proptest::prelude::*;

use super::repairs::{log_paths, plan_from_donor};
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_log, finding_ranges, open_options, readable_offsets, survey_log};

const EVENTS: usize = 30;
const DONOR: &str = "/data/donor.log";

/// The bytes of a log, its index and where its events stand.
fn intact_log() -> &'static (Vec<u8>, Vec<u8>, Vec<u64>) {
    static WHOLE: OnceLock<(Vec<u8>, Vec<u8>, Vec<u64>)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let (disk, offsets) = disk_with_log(EVENTS, true);
        (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap(), offsets)
    })
}

/// One damage to bytes in their place.
#[derive(Debug, Clone)]
enum InjectedDamage {
    Bit { frame: usize, bit: usize },
    Byte { frame: usize, at: usize, to: u8 },
    Noise { frame: usize, at: usize, bytes: Vec<u8> },
    Length { frame: usize, to: u32 },
    Zeros { frame: usize, frames: usize },
    Header { at: usize, to: u8 },
}

fn injected_damage() -> impl Strategy<Value = InjectedDamage> {
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

/// What befalls the log's end.
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

fn apply_damage(bytes: &mut [u8], damage: &InjectedDamage) {
    let offsets = &intact_log().2;
    let end_of = |frame: usize| offsets.get(frame).map_or(bytes.len(), |end| *end as usize);
    let within = |frame: usize, at: usize| {
        let (start, end) = (offsets[frame] as usize, end_of(frame + 1));
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
            let at = offsets[*frame] as usize;
            bytes[at..at + 4].copy_from_slice(&to.to_be_bytes());
        }
        InjectedDamage::Zeros { frame, frames } => {
            let (start, end) = (offsets[*frame] as usize, end_of(frame + frames));
            bytes[start..end].fill(0);
        }
        InjectedDamage::Header { at, to } => bytes[*at] = *to,
    }
}

/// Events that stand as they were written: their offsets.
fn untouched_offsets(bytes: &[u8]) -> Vec<u64> {
    let (whole, _, offsets) = intact_log();
    let ends = offsets.iter().skip(1).map(|end| *end as usize).chain([whole.len()]);
    let frames = offsets.iter().zip(ends);
    frames
        .filter(|(start, end)| bytes.get(**start as usize..*end) == whole.get(**start as usize..*end))
        .map(|f| *f.0)
        .collect()
}

/// Another copy of the log.
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
    /// The bytes of it; none where there is no copy.
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

/// Which findings are meant, by their place among those found.
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
    /// The wishes for a log, on top of `wishes`: only what is found can be meant, and only what is offered chosen.
    fn repair_options(&self, disk: &SimDisk, donor: Option<&str>, mut wishes: RepairOptions) -> RepairOptions {
        wishes.forget_lost_end = self.forget;
        let starts: Vec<u64> =
            survey_log(disk).findings.iter().filter(|found| found.kind.is_damage()).map(|found| found.start).collect();
        if !starts.is_empty() {
            wishes.only = self.only.iter().map(|at| FindingSelector::Start(*at.get(&starts))).collect();
            wishes.except = self.except.iter().map(|at| FindingSelector::Start(*at.get(&starts))).collect();
        }
        for (place, number) in &self.choose {
            let Ok(plan) = plan_from_donor(disk, &wishes, donor) else { return wishes };
            let fixes = plan.unrepaired.iter().flat_map(|left| &left.alternatives);
            // What is left because nobody wants it repaired is not to be chosen for.
            let meant = |start| {
                (wishes.only.is_empty() || wishes.only.contains(&FindingSelector::Start(start)))
                    && !wishes.except.contains(&FindingSelector::Start(start))
            };
            let offered: Vec<(u64, usize)> = fixes
                .filter_map(|fix| Some((fix.choice.filter(|choose| meant(choose.0))?, fix.candidates.len().max(1))))
                .flat_map(|((start, first), many)| (first..first + many).map(move |n| (start, n)))
                .collect();
            if !offered.is_empty() {
                let (start, _) = *place.get(&offered);
                let there: Vec<_> = offered.into_iter().filter(|choice| choice.0 == start).collect();
                wishes.choices.push(*number.get(&there));
            }
        }
        wishes
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn a_repair_loses_nothing_readable_moves_nothing_and_can_be_taken_back(
        damages in prop::collection::vec(injected_damage(), 0..5),
        end in log_end(),
        indexed in any::<bool>(),
        accept_likely in any::<bool>(),
        gap_undecided in any::<bool>(),
        copy in donor_copy(),
        picked in finding_selection(),
    ) {
        let (bytes, index, _) = intact_log();
        let mut damaged = bytes.clone();
        for damage in &damages {
            apply_damage(&mut damaged, damage);
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
            // Nothing says any more that it was a log.
            return Ok(());
        }
        // The whole event behind a torn end of exactly its size is none that was written there.
        let before = readable_offsets(&disk);
        let standing = untouched_offsets(&damaged);
        prop_assert!(standing.iter().all(|at| before.contains(at)), "an event that stands is not read");

        let donor = copy.bytes().map(|bytes| {
            disk.put(DONOR, &bytes);
            DONOR
        });
        let wishes = RepairOptions { accept_likely, gap_undecided, ..RepairOptions::default() };
        let wishes = picked.repair_options(&disk, donor, wishes);
        let plan = match plan_from_donor(&disk, &wishes, donor) {
            // Flags that forbid writing, and no index that knows a frame of the log and says that they are damage.
            Err(StorageError::UnknownFlags { .. }) => return Ok(()),
            plan => plan.unwrap(),
        };
        if !plan.is_empty() {
            let terms = ApplyOptions { full_check: true, ..ApplyOptions::default() };
            apply(&log_paths(&disk), &plan, terms).unwrap();
        }
        let after = readable_offsets(&disk);
        prop_assert!(before.iter().all(|at| after.contains(at)), "an event was lost: {before:?}, {after:?}");
        let survey = survey_log(&disk);
        let left: Vec<_> = plan.unrepaired.iter().map(|left| &left.piece).collect();
        let left: Vec<_> = left.iter().map(|piece| (piece.kind.as_str(), piece.start, piece.end)).collect();
        let mut damage = finding_ranges(&survey);
        damage.retain(|found| !matches!(found.0, "gap" | "clock"));
        prop_assert_eq!(damage, left, "{:?}", plan.steps);
        prop_assert_eq!(after.len() as u64, before.len() as u64 + plan.restored_events());
        let repaired = disk.get(LOG).unwrap();
        for step in &plan.steps {
            prop_assert!(step.action.name() != "restore_length" || untouched_offsets(&repaired).contains(&step.start));
        }

        if !plan.is_empty() {
            let undo = plan_undo(&log_paths(&disk), None).unwrap();
            apply(&log_paths(&disk), &undo, ApplyOptions::default()).unwrap();
        }
        prop_assert_eq!(disk.get(LOG).unwrap(), damaged);
        if indexed {
            prop_assert_eq!(disk.get(INDEX).unwrap(), index.clone());
        }
    }
}
