//! Runs every program in `examples/`. Each program asserts its own results.

#[path = "../../examples/append.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program too")]
mod append;
#[path = "../../examples/follow_aggregate.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program too")]
mod follow_aggregate;
#[path = "../../examples/rebuild_index.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program too")]
mod rebuild_index;
#[path = "../../examples/replay_range.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program too")]
mod replay_range;
#[path = "../../examples/verify_and_repair.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program too")]
mod verify_and_repair;

use std::error::Error;
use std::path::Path;

/// The name of an example and its program.
type Example = (&'static str, fn(&Path) -> Result<(), Box<dyn Error>>);

const EXAMPLES: [Example; 5] = [
    ("append", append::run),
    ("follow_aggregate", follow_aggregate::run),
    ("rebuild_index", rebuild_index::run),
    ("replay_range", replay_range::run),
    ("verify_and_repair", verify_and_repair::run),
];

#[test]
fn every_example_runs() {
    for (name, run) in EXAMPLES {
        let folder = tempfile::tempdir().unwrap();
        if let Err(error) = run(folder.path()) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn every_example_is_listed_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, EXAMPLES.map(|(name, _)| name));
}
