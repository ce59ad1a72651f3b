//! What holds of every repair of every log: nothing readable is lost, every later offset stays, and undo brings the file
//! back, byte for byte; alone and several at once, next to each other too, with an index and without.

use std::sync::OnceLock;

use chronicle::StorageError;
use chronicle::repair::{Terms, Wishes, apply, plan_undo};
use proptest::prelude::*;

use super::repairs::{plan, site};
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_log, found, look, options, readable};

const EVENTS: usize = 30;

/// The bytes of a log, its index and where its events stand.
fn whole() -> &'static (Vec<u8>, Vec<u8>, Vec<u64>) {
    static WHOLE: OnceLock<(Vec<u8>, Vec<u8>, Vec<u64>)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let (disk, offsets) = disk_with_log(EVENTS, true);
        (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap(), offsets)
    })
}

/// One damage to bytes in their place.
#[derive(Debug, Clone)]
enum Damage {
    Bit { frame: usize, bit: usize },
    Byte { frame: usize, at: usize, to: u8 },
    Noise { frame: usize, at: usize, bytes: Vec<u8> },
    Length { frame: usize, to: u32 },
    Zeros { frame: usize, frames: usize },
    Header { at: usize, to: u8 },
}

fn damage() -> impl Strategy<Value = Damage> {
    let frame = 0..EVENTS;
    prop_oneof![
        (frame.clone(), any::<usize>()).prop_map(|(frame, bit)| Damage::Bit { frame, bit }),
        (frame.clone(), any::<usize>(), any::<u8>()).prop_map(|(frame, at, to)| Damage::Byte { frame, at, to }),
        (frame.clone(), any::<usize>(), prop::collection::vec(any::<u8>(), 1..600))
            .prop_map(|(frame, at, bytes)| Damage::Noise { frame, at, bytes }),
        (frame.clone(), prop_oneof![any::<u32>(), 0u32..400]).prop_map(|(frame, to)| Damage::Length { frame, to }),
        (frame, 1usize..4).prop_map(|(frame, frames)| Damage::Zeros { frame, frames }),
        (0usize..16, any::<u8>()).prop_map(|(at, to)| Damage::Header { at, to }),
    ]
}

/// What befalls the log's end.
#[derive(Debug, Clone, Copy)]
enum End {
    Whole,
    Cut(usize),
    Torn(usize),
    Zeros(usize),
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Whole),
        (1usize..3000).prop_map(End::Cut),
        (1usize..200).prop_map(End::Torn),
        (1usize..5000).prop_map(End::Zeros),
    ]
}

fn apply_damage(bytes: &mut [u8], damage: &Damage) {
    let offsets = &whole().2;
    let end_of = |frame: usize| offsets.get(frame).map_or(bytes.len(), |end| *end as usize);
    let within = |frame: usize, at: usize| {
        let (start, end) = (offsets[frame] as usize, end_of(frame + 1));
        start + at % (end - start)
    };
    match damage {
        Damage::Bit { frame, bit } => {
            let at = within(*frame, bit / 8);
            bytes[at] ^= 1 << (bit % 8);
        }
        Damage::Byte { frame, at, to } => {
            let at = within(*frame, *at);
            bytes[at] = *to;
        }
        Damage::Noise { frame, at, bytes: noise } => {
            let at = within(*frame, *at);
            for (byte, noise) in bytes[at..].iter_mut().zip(noise) {
                *byte = *noise;
            }
        }
        Damage::Length { frame, to } => {
            let at = offsets[*frame] as usize;
            bytes[at..at + 4].copy_from_slice(&to.to_be_bytes());
        }
        Damage::Zeros { frame, frames } => {
            let (start, end) = (offsets[*frame] as usize, end_of(frame + frames));
            bytes[start..end].fill(0);
        }
        Damage::Header { at, to } => bytes[*at] = *to,
    }
}

/// Events that stand as they were written: their offsets.
fn untouched(bytes: &[u8]) -> Vec<u64> {
    let (whole, _, offsets) = whole();
    let ends = offsets.iter().skip(1).map(|end| *end as usize).chain([whole.len()]);
    let frames = offsets.iter().zip(ends);
    frames
        .filter(|(start, end)| bytes.get(**start as usize..*end) == whole.get(**start as usize..*end))
        .map(|f| *f.0)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn a_repair_loses_nothing_readable_moves_nothing_and_can_be_taken_back(
        damages in prop::collection::vec(damage(), 0..5),
        end in end(),
        indexed in any::<bool>(),
        accept_likely in any::<bool>(),
        fence_undecided in any::<bool>(),
    ) {
        let (bytes, index, _) = whole();
        let mut damaged = bytes.clone();
        for damage in &damages {
            apply_damage(&mut damaged, damage);
        }
        match end {
            End::Whole => {}
            End::Cut(by) => damaged.truncate(damaged.len().saturating_sub(by).max(20)),
            End::Torn(len) => damaged.extend_from_slice(&bytes[16..16 + len]),
            End::Zeros(len) => damaged.resize(damaged.len() + len, 0),
        }
        let disk = SimDisk::with(&[(LOG, &damaged)]);
        if indexed {
            disk.put(INDEX, index);
        }
        if options(&disk).open_read_only(LOG).is_err() {
            // Nothing says any more that it was a log.
            return Ok(());
        }
        // The whole event behind a torn end of exactly its size is none that was written there.
        let before = readable(&disk);
        let standing = untouched(&damaged);
        prop_assert!(standing.iter().all(|at| before.contains(at)), "an event that stands is not read");

        let wishes = Wishes { accept_likely, fence_undecided, ..Wishes::default() };
        let plan = match plan(&disk, &wishes) {
            // Flags that forbid writing, and no index that knows a frame of the log and says that they are damage.
            Err(StorageError::UnknownFlags { .. }) => return Ok(()),
            plan => plan.unwrap(),
        };
        if !plan.is_empty() {
            let terms = Terms { full_check: true, ..Terms::default() };
            apply(&site(&disk), &plan, terms).unwrap();
        }
        let after = readable(&disk);
        prop_assert!(before.iter().all(|at| after.contains(at)), "an event was lost: {before:?}, {after:?}");
        let survey = look(&disk);
        let left: Vec<_> = plan.left.iter().map(|left| (left.piece.start, left.piece.end)).collect();
        for (kind, start, end) in found(&survey) {
            let known = left.iter().any(|(from, to)| *from <= start && end <= *to) || matches!(kind, "gap" | "clock");
            prop_assert!(known, "{kind} at {start}..{end} is left, and the plan does not say so: {left:?}");
        }
        for left in &plan.left {
            let still = |(kind, start, end): &(&str, u64, u64)| {
                (*kind, *start, *end) == (left.piece.kind.as_str(), left.piece.start, left.piece.end)
            };
            let told = found(&survey);
            prop_assert!(told.iter().any(still), "{:?} was left, and is not found any more: {told:?}", left.piece);
        }
        prop_assert_eq!(after.len() as u64, before.len() as u64 + plan.restored());
        let repaired = disk.get(LOG).unwrap();
        for step in &plan.steps {
            prop_assert!(step.action.name() != "restore_length" || untouched(&repaired).contains(&step.start));
        }

        if !plan.is_empty() {
            let undo = plan_undo(&site(&disk), None).unwrap();
            apply(&site(&disk), &undo, Terms::default()).unwrap();
        }
        prop_assert_eq!(disk.get(LOG).unwrap(), damaged);
        if indexed {
            prop_assert_eq!(disk.get(INDEX).unwrap(), index.clone());
        }
    }
}
