//! Sample logs: realistic logs are generated, damage is planted in copies, and a demo combines both.
//!
//! Everything follows from a seed, so every result is reproducible. Nothing here inspects a log to say what is damaged:
//! the planted damage is known from how it was made, which makes a drill a test of the inspector.

mod damage_edits;
mod demo;
mod drill;
mod edit;
mod generate;
mod plant;
mod rng;
mod targets;
mod vocabulary;

pub(crate) use demo::create_demo;
pub(crate) use drill::{Drill, DrillError, PlantedDamage};
pub use generate::{GeneratorOptions, LogLength, generate};
pub(crate) use plant::plant_damage;
