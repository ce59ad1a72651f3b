//! Fixtures: committed log files of every format version, with the expected findings and offsets in `truth.json`.
//!
//! The files are never regenerated. A failure means that the program reads existing logs differently than before.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::sim_disk::SimDisk;
use super::support::{LOG, finding_ranges, readable_offsets, survey_log};

#[test]
fn every_fixture_has_the_expected_findings_and_events() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let truth: Value = serde_json::from_str(&fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
    let truth = truth.as_object().unwrap();
    assert!(truth.len() >= 20, "{} fixtures", truth.len());
    for (name, truth) in truth {
        let disk = SimDisk::with_files(&[(LOG, &fs::read(folder.join(name)).unwrap())]);
        let findings = truth["findings"].as_array().unwrap();
        let expected: Vec<(&str, u64, u64)> = findings
            .iter()
            .map(|f| (f["kind"].as_str().unwrap(), f["start"].as_u64().unwrap(), f["end"].as_u64().unwrap()))
            .collect();
        assert_eq!(finding_ranges(&survey_log(&disk)), expected, "{name}");
        let offsets = truth["readable_offsets"].as_array().unwrap();
        let offsets: Vec<u64> = offsets.iter().map(|offset| offset.as_u64().unwrap()).collect();
        assert_eq!(readable_offsets(&disk), offsets, "{name}");
    }
}
