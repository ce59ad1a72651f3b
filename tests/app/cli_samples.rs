//! Sample logs written by an independent implementation: `verify` reports the expected findings, and `cat` prints every
//! readable event. The test is skipped if the samples are not present.

use std::fs;

use serde_json::Value;

use super::shell::{Shell, sibling_path};

#[test]
fn samples_are_reported_and_printed_as_documented() {
    let folder = sibling_path("shared/samples");
    let Ok(truth) = fs::read_to_string(folder.join("truth.json")) else {
        eprintln!("{} does not exist: the samples are not tested", folder.display());
        return;
    };
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let shell = Shell::new();
    for (name, truth) in truth.as_object().unwrap() {
        let path = folder.join(name);
        let path = path.to_str().unwrap();
        let range = |found: &Value| (found["kind"].clone(), found["start"].clone(), found["end"].clone());
        let ranges = |list: &Value| list.as_array().unwrap().iter().map(range).collect::<Vec<_>>();
        let verified = shell.run(&format!("verify {path} --json"));
        let report = verified.stdout_json();
        assert_eq!(ranges(&report["findings"]), ranges(&truth["findings"]), "{name}");
        for (key, expected) in [("bytes", "bytes"), ("version", "version"), ("events", "readable_events")] {
            assert_eq!(report[key], truth[expected], "{name}: {key}");
        }
        let is_information = |found: &Value| matches!(found["kind"].as_str(), Some("gap" | "clock"));
        let damaged = !truth["findings"].as_array().unwrap().iter().all(is_information);
        let expected: &[i32] = if damaged { &[3, 4] } else { &[0] };
        assert!(expected.contains(&verified.exit_code), "{name}: {}", verified.exit_code);

        let printed = shell.run(&format!("cat {path}"));
        let offsets: Vec<&str> = printed
            .stdout
            .lines()
            .map(|line| {
                // Some numbers are outside the range of serde_json.
                chronicle::internal::format::json::validate(line.as_bytes()).unwrap();
                line.strip_prefix("{\"offset\":").unwrap().split_once(",\"event\":{").unwrap().0
            })
            .collect();
        assert_eq!(offsets.len() as u64, truth["readable_events"].as_u64().unwrap(), "{name}");
        let sum = crc32fast::hash(offsets.join(",").as_bytes());
        assert_eq!(u64::from(sum), truth["readable_offsets_crc32"].as_u64().unwrap(), "{name}");
        let is_printed = |found: &&Value| found["kind"] != "clock";
        let reported = truth["findings"].as_array().unwrap().iter().filter(is_printed).count();
        let code = if damaged { 3 } else { 0 };
        assert_eq!((printed.exit_code, printed.stderr.lines().count()), (code, reported), "{name}: {}", printed.stderr);
    }
}
