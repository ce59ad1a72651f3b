//! Compares sample logs written by an independent implementation with the expected findings, events, fixes and repairs
//! in `truth.json`. The tests are skipped if the samples are not present.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chronicle::inspect::{LogView, Survey, SurveyOptions, SurveyUpdate, survey};
use chronicle::repair::{ApplyOptions, FixFinder, ProposedFix, RepairOptions, apply, plan_repair, plan_undo};
use chronicle::storage::OsDisk;
use chronicle::{EventLog, OpenOptions};
use serde_json::Value;

pub(super) fn load_samples() -> Option<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    let Ok(truth) = fs::read_to_string(folder.join("truth.json")) else {
        eprintln!("{} does not exist: the samples are not tested", folder.display());
        return None;
    };
    Some((folder, serde_json::from_str(&truth).unwrap()))
}

#[test]
fn every_sample_has_the_expected_findings() {
    let Some((folder, truth)) = load_samples() else { return };
    for (name, truth) in truth.as_object().unwrap() {
        let view = LogView::open(Arc::new(OsDisk), &folder.join(name), None).unwrap();
        let survey = survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        let found: Vec<_> = survey.findings.iter().map(|f| (f.kind.name().to_owned(), f.start, f.end)).collect();
        let expected: Vec<_> = truth["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| (f["kind"].as_str().unwrap().to_owned(), f["start"].as_u64().unwrap(), f["end"].as_u64().unwrap()))
            .collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(survey.events, truth["readable_events"].as_u64().unwrap(), "{name}");
        assert_eq!(u64::from(view.log().version().number()), truth["version"].as_u64().unwrap(), "{name}");
    }
}

#[test]
fn every_readable_event_of_every_sample_is_replayed() {
    let Some((folder, truth)) = load_samples() else { return };
    for (name, truth) in truth.as_object().unwrap() {
        let log = EventLog::open_read_only(folder.join(name)).unwrap();
        let offsets: Vec<_> =
            log.replay(0).unwrap().filter_map(|event| event.ok().map(|e| e.offset().to_string())).collect();
        assert_eq!(offsets.len() as u64, truth["readable_events"].as_u64().unwrap(), "{name}");
        let sum = crc32fast::hash(offsets.join(",").as_bytes());
        assert_eq!(u64::from(sum), truth["readable_offsets_crc32"].as_u64().unwrap(), "{name}");
    }
}

fn survey_with_fixes(path: &Path) -> (Survey, Vec<ProposedFix>) {
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let (mut finder, mut fixes) = (FixFinder::new(&view).unwrap(), Vec::new());
    let survey = survey(&view, &SurveyOptions::new(), None, &mut |step| {
        if let SurveyUpdate::Finding(finding) = step {
            fixes.append(&mut finder.push(finding).unwrap());
        }
        ControlFlow::Continue(())
    });
    fixes.append(&mut finder.finish());
    (survey.unwrap(), fixes)
}

fn replayed_offsets(path: &Path) -> Vec<u64> {
    let log = EventLog::open_read_only(path).unwrap();
    log.replay(0).unwrap().filter_map(|event| event.ok().map(|event| event.offset())).collect()
}

#[test]
fn every_finding_of_every_sample_has_the_expected_fix() {
    let Some((folder, truth)) = load_samples() else { return };
    for (name, truth) in truth.as_object().unwrap() {
        let (_, proposed) = survey_with_fixes(&folder.join(name));
        for (proposed, truth) in proposed.iter().zip(truth["findings"].as_array().unwrap()) {
            let context = format!("{name} at {}", proposed.finding.start);
            let fix = proposed.fix.as_ref();
            assert_eq!(fix.map(|fix| fix.action.name()), truth["fix"].as_str(), "{context}");
            let certainty = fix.and_then(|fix| fix.certainty).map(chronicle::repair::Certainty::name);
            assert_eq!(certainty, truth["certainty"].as_str(), "{context}");
        }
    }
}

#[test]
fn every_sample_is_repaired_and_restored_byte_for_byte_by_undo() {
    let Some((folder, truth)) = load_samples() else { return };
    let temporary = tempfile::tempdir().unwrap();
    for (name, truth) in truth.as_object().unwrap() {
        let path = temporary.path().join(name);
        fs::copy(folder.join(name), &path).unwrap();
        let (bytes, before) = (fs::read(&path).unwrap(), replayed_offsets(&path));
        let view = LogView::open(Arc::new(OsDisk), &path, None).unwrap();
        let options = RepairOptions::new().accept_likely();
        let plan = plan_repair(&view, &options, &mut |_| ControlFlow::Continue(()));
        if truth["version"] == 0 {
            let error = plan.unwrap_err();
            assert!(matches!(error, chronicle::StorageError::Version0ReadOnly { .. }), "{name}: {error}");
            continue;
        }
        let (plan, paths) = (plan.unwrap(), OpenOptions::new().log_paths(&path).unwrap());
        if plan.is_empty() {
            assert_eq!(truth["events_after_repair"], truth["readable_events"], "{name}");
            continue;
        }
        apply(&paths, &plan, ApplyOptions::new().full_check()).unwrap();
        let after = replayed_offsets(&path);
        assert_eq!(after.len() as u64, truth["events_after_repair"].as_u64().unwrap(), "{name}");
        assert!(before.iter().all(|at| after.contains(at)), "{name}: an event was lost");
        let (survey, _) = survey_with_fixes(&path);
        assert_eq!(survey.damage_total as usize, plan.unrepaired.len(), "{name}");
        let undo = plan_undo(&paths, None).unwrap();
        apply(&paths, &undo, ApplyOptions::new()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
    }
}
