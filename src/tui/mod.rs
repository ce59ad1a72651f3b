//! The screen: the other face. A model, an update that takes messages and leaves wishes, a view that reads the model
//! alone, workers that do what takes time.
//!
//! Here never lives a byte layout, nor a judgement that the command line would need too.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "lines, columns and steps of a cursor: clamped, and far from any limit"
)]

mod actions;
mod effect;
mod frame_limiter;
mod keys;
mod layout;
mod message;
mod model;
mod options;
mod run;
mod strip;
mod terminal;
mod theme;
mod update;
mod view;
mod worker;

#[cfg(test)]
mod tests;

pub use actions::{ActionScope, action_table};
pub use options::{ColorChoice, TuiOptions};
pub use run::run;
