//! Tests of saved plans: a value that was changed is refused, and nothing that a plan merely shows decides what an undo
//! restores.

use serde_json::Value;

use chronicle::StorageError;
use chronicle::internal::format::journal;
use chronicle::internal::format::{FrameFormat, frame};
use chronicle::repair::{ApplyOptions, Plan, PlanError, RepairOptions, apply, plan_undo};

use super::repairs::{damaged_log, log_paths, plan};
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG};

/// Returns the path of every value in a JSON tree that is neither an object nor an array with elements.
fn leaf_paths(value: &Value, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| leaf_paths(member, &format!("{path}/{key}"), paths));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(n, item)| leaf_paths(item, &format!("{path}/{n}"), paths));
        }
        _ => paths.push(path.to_owned()),
    }
}

/// Returns values that differ from `value`.
fn other_values(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let mut chars: Vec<char> = text.chars().collect();
            let last = chars.pop().map_or('0', |last| if last == '0' { '1' } else { '0' });
            let flipped: String = chars.into_iter().chain([last]).collect();
            vec![flipped.into(), format!("{text}00").into(), Value::Null]
        }
        Value::Number(number) => match number.as_u64() {
            Some(number) => vec![number.wrapping_add(1).into(), u64::MAX.into(), 0.into()],
            None => vec![0.5.into(), 0.into()],
        },
        Value::Null => vec![1.into(), "x".into()],
        Value::Bool(value) => vec![(!value).into()],
        Value::Array(_) => vec![Value::Array(vec![1.into()])],
        Value::Object(_) => vec![Value::Null],
    }
}

/// Returns a plan with all kinds of steps and with findings that are left, and every altered form of its JSON.
fn altered_plans() -> (SimDisk, Vec<(String, String)>) {
    let (disk, _) = damaged_log();
    let plan = plan(&disk, &RepairOptions::new()).unwrap();
    let tree: Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
    let mut paths = Vec::new();
    leaf_paths(&tree, "", &mut paths);
    assert!(paths.len() > 60, "{paths:?}");
    let mut altered = Vec::new();
    for path in paths {
        let original = tree.pointer(&path).unwrap();
        for other in other_values(original).into_iter().filter(|other| other != original) {
            let mut tree = tree.clone();
            *tree.pointer_mut(&path).unwrap() = other.clone();
            altered.push((format!("{path} = {other}"), tree.to_string()));
        }
    }
    (disk, altered)
}

#[test]
fn a_saved_plan_with_any_other_value_is_refused_when_it_is_read() {
    let (_, altered) = altered_plans();
    for (change, json) in altered {
        assert!(Plan::from_json(&json).is_err(), "{change}");
        // A program that parses the JSON itself is refused by `apply`.
        if let Ok(plan) = serde_json::from_str::<Plan>(&json) {
            let (disk, _) = damaged_log();
            let before = (disk.get(LOG), disk.get(INDEX), disk.names());
            let error = apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap_err();
            assert!(matches!(error, StorageError::Refused { .. }), "{change}: {error}");
            assert_eq!((disk.get(LOG), disk.get(INDEX), disk.names()), before, "{change}");
        }
    }
}

#[test]
fn a_changed_plan_with_a_new_digest_is_refused_or_writes_what_was_planned_and_can_be_undone() {
    let (disk, altered) = altered_plans();
    let before = (disk.get(LOG), disk.get(INDEX));
    let repaired_disk = disk.next_process();
    let intact = plan(&disk, &RepairOptions::new()).unwrap();
    apply(&log_paths(&repaired_disk), &intact, ApplyOptions::new()).unwrap();
    let (mut refused, mut applied) = (0, 0);
    for (change, json) in altered {
        let Ok(mut plan) = serde_json::from_str::<Plan>(&json) else { continue };
        plan.seal();
        let disk = disk.next_process();
        if apply(&log_paths(&disk), &plan, ApplyOptions::new()).is_err() {
            refused += 1;
            assert_eq!((disk.get(LOG), disk.get(INDEX)), before, "{change}");
            assert!(!disk.names().iter().any(|name| name.ends_with(".journal")), "{change}: {:?}", disk.names());
            continue;
        }
        applied += 1;
        assert_eq!(disk.get(LOG), repaired_disk.get(LOG), "{change}");
        let undo = plan_undo(&log_paths(&disk), None).unwrap_or_else(|error| panic!("{change}: {error}"));
        apply(&log_paths(&disk), &undo, ApplyOptions::new()).unwrap();
        assert_eq!((disk.get(LOG), disk.get(INDEX)), before, "{change}");
    }
    assert!(refused > 30 && applied > 10, "{refused} refused, {applied} applied");
}

#[test]
fn an_undo_restores_the_bytes_of_the_journal_and_not_those_that_its_plan_shows() {
    let (disk, _) = damaged_log();
    let before = disk.get(LOG).unwrap();
    let plan = plan(&disk, &RepairOptions::new()).unwrap();
    apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
    let name = disk.names().into_iter().find(|name| name.ends_with(".journal")).unwrap();
    let bytes = disk.get(&name).unwrap();
    // Writes the journal again, with other bytes in every `before` of the plan's edits.
    let mut changed = bytes[..journal::HEADER_LEN].to_vec();
    let (mut rest, mut edits) = (&bytes[journal::HEADER_LEN..], 0);
    while let frame::DecodeResult::Complete(found) = frame::decode(rest, FrameFormat::V1, 0) {
        let mut payload = found.payload().to_vec();
        if payload.first() == Some(&journal::PLAN_LETTER) {
            let mut tree: Value = serde_json::from_slice(&payload[1..]).unwrap();
            for step in tree["steps"].as_array_mut().unwrap() {
                let written = step.pointer_mut("/write/edits").and_then(Value::as_array_mut);
                for edit in written.into_iter().flatten() {
                    let hex = edit["before"].as_str().unwrap();
                    edit["before"] = "0".repeat(hex.len()).into();
                    edits += 1;
                }
            }
            let json = tree.to_string();
            assert_eq!(json.len(), payload.len() - 1);
            payload = [&[journal::PLAN_LETTER], json.as_bytes()].concat();
        }
        frame::encode(&payload, &mut changed);
        rest = &rest[found.len() as usize..];
    }
    assert!(edits > 0);
    disk.overwrite(&name, &changed);
    let undo = plan_undo(&log_paths(&disk), None).unwrap();
    apply(&log_paths(&disk), &undo, ApplyOptions::new()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), before);
}

#[test]
fn the_error_of_a_changed_plan_has_both_digests() {
    let (disk, _) = damaged_log();
    let mut plan = plan(&disk, &RepairOptions::new()).unwrap();
    plan.estimated_lock_ms += 1;
    let error = Plan::from_json(&plan.to_json().unwrap()).unwrap_err();
    let PlanError::Altered { stored, computed } = &error else { panic!("{error}") };
    assert!(stored != computed && error.to_string().contains(stored) && error.to_string().contains(computed));
}
