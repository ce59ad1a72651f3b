//! Planning, saving, applying and undoing a repair: a repair loses no readable event, a refused plan changes nothing, and
//! an undo restores the bytes.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::Value;

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use super::readers::{readable_events, survey_log};
use super::sample_logs::{INDEX, LOG, SampleVersion, framed_log, log_paths, open_read_only, open_view, sample_log};
use crate::format::Finding;
use crate::inspect::SurveyOptions;
use crate::repair::{ApplyOptions, Plan, RepairOptions, apply, plan_repair, plan_undo};

const DONOR: &str = "/data/donor.log";

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let settings = input.byte();
    let plan_change = input.byte();
    let value_number = input.below(usize::MAX);
    let version = SampleVersion::of_bit(settings & 0x40);
    let sample = sample_log(version);
    let log = if plan_change & 0x80 != 0 {
        framed_log(sample, &mut input)
    } else {
        let mut log = sample.log.clone();
        input.edit(&mut log);
        log
    };
    let disk = MemoryDisk::with_files(&[(LOG, &log)]);
    if settings & 1 != 0 {
        disk.put(INDEX, &sample.index);
    }
    let mut options = RepairOptions::new();
    if settings & 2 != 0 {
        let donor_version = if plan_change & 0x40 == 0 { version } else { version.other() };
        disk.put(DONOR, &sample_log(donor_version).log);
        options = options.donor(DONOR);
    }
    options.accept_likely = settings & 4 != 0;
    options.gap_undecided = settings & 8 != 0;
    options.accept_large_gap = settings & 16 != 0;
    let Ok(view) = open_view(&disk, LOG) else { return };
    let plan = plan_repair(&view, &options, &mut |_| ControlFlow::Continue(()));
    assert!(disk.get(LOG).unwrap() == log, "planning writes nothing");
    let Ok(plan) = plan else { return };
    assert_eq!(Plan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    match plan_change % 3 {
        0 => check_forged_plan(&disk, &plan, value_number, plan_change),
        _ if !plan.is_empty() => check_plan(&disk, &plan, settings & 32 != 0),
        _ => {}
    }
}

/// Returns the readable events of the log on a disk; none when it cannot be opened.
fn events_on_disk(disk: &MemoryDisk) -> Vec<(u64, String)> {
    open_read_only(disk).map_or_else(|_| Vec::new(), |log| readable_events(&log))
}

/// Applies a plan as it was made, and undoes it.
fn check_plan(disk: &MemoryDisk, plan: &Plan, is_whole_log_checked: bool) {
    let (log, index, before) = (disk.get(LOG), disk.get(INDEX), events_on_disk(disk));
    let mut options = ApplyOptions::new();
    options.full_check = is_whole_log_checked;
    let repair = apply(&log_paths(disk), plan, options).unwrap_or_else(|error| panic!("{error}: {plan:?}"));
    let after = events_on_disk(disk);
    assert!(before.iter().all(|event| after.contains(event)), "an event is lost: {before:?}, {after:?}");
    assert_eq!(after.len() as u64, before.len() as u64 + plan.restored_events());
    let found = survey_log(&open_view(disk, LOG).unwrap(), &SurveyOptions::new()).findings;
    let damage = found.iter().filter(|finding| finding.kind.is_damage());
    // The kind can be another one, because the names of damage depend on the frames next to it.
    let damage: Vec<_> = damage.map(Finding::range).collect();
    let unrepaired: Vec<_> = plan.unrepaired.iter().map(|range| range.piece.start..range.piece.end).collect();
    assert_eq!(damage, unrepaired);
    let undo = plan_undo(&log_paths(disk), Some(repair.number)).unwrap();
    apply(&log_paths(disk), &undo, ApplyOptions::new()).unwrap();
    assert!(disk.get(LOG) == log, "the undo restores the bytes");
    assert!(disk.get(INDEX) == index, "the undo restores the index");
    let is_temporary = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "tmp");
    assert!(!disk.paths().iter().any(is_temporary), "{:?}", disk.paths());
}

/// Changes one value of a saved plan. Without a new digest it is refused; with one, the log is left as it was, or as an
/// undo can restore it.
fn check_forged_plan(disk: &MemoryDisk, plan: &Plan, value_number: usize, kind: u8) {
    let mut json: Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
    let count = change_value(&mut json, usize::MAX, kind).unwrap_err();
    if change_value(&mut json, value_number % count, kind).is_err() {
        return;
    }
    let text = json.to_string();
    if let Ok(parsed) = Plan::from_json(&text) {
        assert_eq!(parsed, *plan, "a changed plan has a valid digest");
    }
    let Ok(mut forged) = Plan::parse(text.as_bytes()) else { return };
    forged.seal();
    let log = disk.get(LOG).unwrap();
    match apply(&log_paths(disk), &forged, ApplyOptions::new()) {
        Err(_) => assert!(disk.get(LOG).unwrap() == log, "a refused plan has changed the log: {forged:?}"),
        Ok(repair) => {
            let undo = plan_undo(&log_paths(disk), Some(repair.number)).unwrap();
            apply(&log_paths(disk), &undo, ApplyOptions::new()).unwrap();
            assert!(disk.get(LOG).unwrap() == log, "the undo of a changed plan does not restore the log: {forged:?}");
        }
    }
}

/// Changes the `nth` text, number or truth value of a JSON value.
///
/// # Errors
/// The number of such values, when there are not more than `nth`.
fn change_value(json: &mut Value, nth: usize, kind: u8) -> Result<(), usize> {
    let mut count = 0;
    let mut visit = |child: &mut Value| match change_value(child, nth.saturating_sub(count), kind) {
        Ok(()) => true,
        Err(found) => {
            count += found;
            false
        }
    };
    let is_changed = match json {
        Value::Array(values) => values.iter_mut().any(&mut visit),
        Value::Object(fields) => fields.values_mut().any(&mut visit),
        _ if nth > 0 => return Err(1),
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            let offset = [1, 4, 1 << 10, 1 << 40][usize::from(kind / 3) % 4];
            *json = if kind & 1 == 0 { number.wrapping_add(offset) } else { number.wrapping_sub(offset) }.into();
            true
        }
        Value::String(text) => {
            let at = usize::from(kind) % (text.len() + 1);
            if text.is_char_boundary(at) {
                text.insert(at, '0');
                text.pop();
            }
            true
        }
        Value::Bool(value) => {
            *value = !*value;
            true
        }
        Value::Null => {
            *json = u64::from(kind).into();
            true
        }
    };
    if is_changed { Ok(()) } else { Err(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repair_of_a_log_that_ends_near_its_damaged_header_restores_it() {
        const TRUNCATE: u8 = 2;
        const SET_BYTE: u8 = 6;
        const VERSION_2: u8 = 0x40;
        for (version, cuts) in [(0, (0..16).step_by(1)), (VERSION_2, (0..80).step_by(5))] {
            for cut in cuts {
                for settings in 0..64 {
                    let edits = [TRUNCATE, 0, cut, 0, SET_BYTE, 0, cut / 2, 0xFF];
                    check(&[&[settings | version, 1, 0, 0], edits.as_slice()].concat());
                }
            }
        }
    }

    #[test]
    fn a_log_of_zeros_gets_its_header_from_the_index() {
        const ZEROS: u8 = 0;
        const TRUNCATE: u8 = 2;
        for version in [SampleVersion::V1, SampleVersion::V2] {
            let bit = if version == SampleVersion::V1 { 0 } else { 0x40 };
            for len in [64, 65, 96, 200] {
                for settings in [1, 9, 25, 57] {
                    let edits = [TRUNCATE, 0, len, 0, ZEROS, 0, 0, 255];
                    check(&[&[settings | bit, 1, 0, 0], edits.as_slice()].concat());
                }
            }
        }
    }

    #[test]
    fn each_value_of_a_plan_is_changed_by_one_number() {
        let json = serde_json::json!({"a": [1, "x"], "b": {"c": true, "d": null}});
        assert_eq!(change_value(&mut json.clone(), usize::MAX, 0), Err(4));
        let changed: Vec<Value> = (0..4)
            .map(|nth| {
                let mut json = json.clone();
                change_value(&mut json, nth, 0).unwrap();
                json
            })
            .collect();
        assert!(changed.iter().all(|other| *other != json));
        assert!((0..4).all(|nth| !changed[nth + 1..].contains(&changed[nth])), "{changed:?}");
    }
}
