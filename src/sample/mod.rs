//! Logs to try things on: realistic ones generated, damage planted in copies with the truth about it, a demonstration.
//!
//! Everything here follows from a seed, so that a finding can be shown again. Nothing here judges: what was planted is
//! known because it was planted.

mod damage_edits;
mod demo;
mod drill;
mod edit;
mod generate;
mod rng;
mod targets;
mod vocabulary;

pub use demo::create_demo;
pub use drill::{Drill, DrillError, PlantedDamage, plant_damage};
pub use generate::{GeneratorOptions, LogLength, generate};
