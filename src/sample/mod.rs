//! Logs to try things on: realistic ones generated, damage planted in copies with the truth about it, a demonstration.
//!
//! Everything here follows from a seed, so that a finding can be shown again. Nothing here judges: what was planted is
//! known because it was planted.

mod demo;
mod drill;
mod edit;
mod generate;
mod places;
mod plant;
mod rng;
mod words;

pub use demo::{Demo, demo};
pub use drill::{Drill, DrillError, Planted, drill};
pub use edit::Edit;
pub use generate::{Amount, Generated, Generator, Recipe, START_TIME_MS, generate};
