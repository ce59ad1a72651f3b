//! The functions that the fuzz targets in `fuzz/` run. Each one takes any bytes, and panics when a property of the crate
//! does not hold for them. `cargo test` runs them on the committed corpus.
//!
//! The first bytes of an input choose how the rest is used: as a file, as changes of a file without damage, or as a list
//! of frames. Checksums are computed again where an input asks for it, because a fuzzer cannot guess them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a property that does not hold ends the run")]

mod filter;
mod fuzz_input;
mod index_open;
mod journal_recovery;
mod json_view;
mod log_scan;
mod memory_disk;
mod plan_apply;
mod readers;
mod sample_logs;
mod screen_keys;
mod segments;
mod version_0;

/// A fuzz target: its name, and the function that it runs on each input.
#[derive(Debug, Clone, Copy)]
pub struct FuzzTarget {
    /// The name of the target and of the folder of its corpus.
    pub name: &'static str,
    /// Panics when a property does not hold for the input.
    pub check: fn(&[u8]),
}

impl FuzzTarget {
    const fn new(name: &'static str, check: fn(&[u8])) -> Self {
        Self { name, check }
    }
}

/// Scanning and classifying a log of version 1 or 2.
pub const LOG_SCAN: FuzzTarget = FuzzTarget::new("log_scan", log_scan::check);
/// Opening an index file, and looking up aggregates in it.
pub const INDEX_OPEN: FuzzTarget = FuzzTarget::new("index_open", index_open::check);
/// Recovering from a killed repair.
pub const JOURNAL_RECOVERY: FuzzTarget = FuzzTarget::new("journal_recovery", journal_recovery::check);
/// Planning, saving, applying and undoing a repair.
pub const PLAN_APPLY: FuzzTarget = FuzzTarget::new("plan_apply", plan_apply::check);
/// Reading, repairing and undoing a repair of a log in segments.
pub const SEGMENTS: FuzzTarget = FuzzTarget::new("segments", segments::check);
/// Reading and migrating a log of version 0.
pub const VERSION_0: FuzzTarget = FuzzTarget::new("version_0", version_0::check);
/// Parsing and applying filters, jumps and search patterns.
pub const FILTER: FuzzTarget = FuzzTarget::new("filter", filter::check);
/// Validating JSON and laying it out in lines.
pub const JSON_VIEW: FuzzTarget = FuzzTarget::new("json_view", json_view::check);
/// Keys, clicks and resizes of the screen.
pub const SCREEN_KEYS: FuzzTarget = FuzzTarget::new("screen_keys", screen_keys::check);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{
        FILTER, FuzzTarget, INDEX_OPEN, JOURNAL_RECOVERY, JSON_VIEW, LOG_SCAN, PLAN_APPLY, SCREEN_KEYS, SEGMENTS,
        VERSION_0,
    };

    /// All fuzz targets.
    const TARGETS: [FuzzTarget; 9] =
        [LOG_SCAN, INDEX_OPEN, JOURNAL_RECOVERY, PLAN_APPLY, SEGMENTS, VERSION_0, FILTER, JSON_VIEW, SCREEN_KEYS];

    /// Returns the files of a folder, by name.
    fn inputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut inputs: Vec<_> = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.path().display().to_string(), fs::read(entry.path()).unwrap()))
            .collect();
        inputs.sort();
        inputs
    }

    #[test]
    fn every_property_holds_for_the_committed_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        for target in TARGETS {
            let inputs = inputs(&fuzz.join("corpus").join(target.name));
            assert!(inputs.len() >= 8, "{}: {} inputs", target.name, inputs.len());
            for (path, bytes) in inputs {
                let result = std::panic::catch_unwind(|| (target.check)(&bytes));
                assert!(result.is_ok(), "{}: a property does not hold for {path}", target.name);
            }
        }
    }

    #[test]
    fn every_target_has_a_program_that_runs_it() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        for target in TARGETS {
            let program = fs::read_to_string(fuzz.join("fuzz_targets").join(format!("{}.rs", target.name))).unwrap();
            assert!(program.contains(&format!("fuzz::{}", target.name.to_uppercase())), "{program}");
            assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{manifest}");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
