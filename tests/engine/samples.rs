//! The sample logs of an independent implementation, where they are there: findings, events and offsets as their truth
//! has them.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chronicle::EventLog;
use chronicle::file::OsDisk;
use chronicle::inspect::{LogView, Wish, survey};
use serde_json::Value;

fn samples() -> Option<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    let Ok(truth) = fs::read_to_string(folder.join("truth.json")) else {
        eprintln!("{} is not there: the samples are not tested", folder.display());
        return None;
    };
    Some((folder, serde_json::from_str(&truth).unwrap()))
}

#[test]
fn every_sample_is_judged_as_its_truth_says() {
    let Some((folder, truth)) = samples() else { return };
    for (name, truth) in truth.as_object().unwrap() {
        let view = LogView::open(Arc::new(OsDisk), &folder.join(name), None).unwrap();
        let seen = survey(&view, &Wish::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        let found: Vec<_> = seen.findings.iter().map(|f| (f.kind.name().to_owned(), f.start, f.end)).collect();
        let expected: Vec<_> = truth["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| (f["kind"].as_str().unwrap().to_owned(), f["start"].as_u64().unwrap(), f["end"].as_u64().unwrap()))
            .collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(seen.events, truth["readable_events"].as_u64().unwrap(), "{name}");
        assert_eq!(u64::from(view.log().version().number()), truth["version"].as_u64().unwrap(), "{name}");
    }
}

#[test]
fn every_readable_event_of_every_sample_is_replayed() {
    let Some((folder, truth)) = samples() else { return };
    for (name, truth) in truth.as_object().unwrap() {
        let log = EventLog::open_read_only(folder.join(name)).unwrap();
        let offsets: Vec<_> =
            log.replay(0).unwrap().filter_map(|event| event.ok().map(|e| e.offset().to_string())).collect();
        assert_eq!(offsets.len() as u64, truth["readable_events"].as_u64().unwrap(), "{name}");
        let sum = crc32fast::hash(offsets.join(",").as_bytes());
        assert_eq!(u64::from(sum), truth["readable_offsets_crc32"].as_u64().unwrap(), "{name}");
    }
}
