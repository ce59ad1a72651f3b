//! The full-screen inspector: an event loop over a model, an `update` function and a `view` function.
//!
//! Messages (keys, worker responses, background updates) go through `update`, which changes the model and requests side
//! effects. The run loop executes the effects and draws the model with `view`. Workers run long operations on separate
//! threads. Modules import in this direction:
//!
//! ```text
//! keys, theme, options, actions -> request, effect -> model -> message, layout, dialog_layout, strip -> update, view, worker -> run
//! run -> log_list
//! ```
//!
//! No module here decodes bytes or classifies damage: the command line shares the modules that do.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "lines, columns and cursor movements are clamped and far from any limit"
)]

mod actions;
mod click_targets;
mod config;
mod dialog_layout;
mod effect;
mod frame_limiter;
mod home_folder;
mod id_prefix;
mod input;
mod keys;
mod layout;
mod line_backend;
mod log_list;
mod message;
mod model;
mod options;
mod picture;
mod plan_request;
mod request;
mod run;
mod segment_change;
mod segment_request;
mod session_time;
mod statistics_request;
mod strip;
mod svg;
mod terminal;
mod theme;
mod timeline_request;
mod update;
mod view;
mod worker;

#[cfg(any(test, fuzzing))]
mod screen_check;
#[cfg(any(test, fuzzing))]
mod test_screen;
#[cfg(test)]
mod tests;

pub use actions::{ActionScope, action_table};
pub use config::CONFIG_KEYS;
pub(crate) use config::{ConfigError, ScreenConfig};
pub use log_list::LOG_LIST_KEYS;
pub(crate) use log_list::run_log_list;
pub(crate) use model::{Bell, Follow, Glyphs, ZoneOnStart};
pub(crate) use options::{SessionOptions, TuiOptions};
pub(crate) use run::run;
pub(crate) use theme::{ColorChoice, Theme};
#[cfg(any(test, fuzzing))]
pub(crate) use {
    keys::Key,
    message::{Message, WheelDirection},
    model::{JsonDoc, JsonRoot},
    test_screen::TestScreen,
};
