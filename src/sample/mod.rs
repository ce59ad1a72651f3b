//! Generates realistic sample logs, plants damage in copies of logs, and creates a demo log with both.
//!
//! A seed determines every result, so all results are reproducible. This module does not inspect a log to find the
//! damage: the planted damage follows from the change itself, so a drill is a test of the inspector.

mod damage_edits;
mod demo;
mod demo_segments;
mod drill;
mod edit;
mod generate;
mod generate_segments;
mod plant;
mod plant_segments;
mod rng;
mod targets;
mod vocabulary;

pub(crate) use demo::{DemoLog, create_demo};
pub(crate) use demo_segments::create_segmented_demo;
pub(crate) use drill::{Drill, DrillError, PlantedChange, PlantedDamage, SegmentPart};
pub(crate) use edit::ByteEdit;
pub use generate::{GeneratorOptions, LogLength, generate};
pub use generate_segments::generate_segments;
pub(crate) use plant::plant_damage;
