//! What both faces say, said once: safe text, sizes and times, verdicts, hints, JSON shapes, exit statuses.
//!
//! Here never lives a line that prints or draws, nor a judgement: what is worded here was found in the rooms below.

pub mod copies;
mod exit;
mod hint;
pub mod json;
mod plan;
mod safe;
mod tally;
pub mod units;
mod verdict;

pub use exit::Status;
pub use hint::{describe, hint, path_text};
pub use plan::{candidate, fix_line, fix_short, plan_lines, record_line, recovered_line};
pub use safe::{json_escaped, safe, safe_bytes};
pub use tally::Tally;
pub use verdict::{index_line, index_meaning, index_reason, set_aside_line, verdict};
