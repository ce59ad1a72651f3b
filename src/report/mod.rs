//! What both faces say, said once: safe text, sizes and times, verdicts, hints, JSON shapes, exit statuses.
//!
//! Here never lives a line that prints or draws, nor a judgement: what is worded here was found in the rooms below.

pub mod copies;
mod exit_status;
mod finding_counts;
mod hint;
pub mod json;
mod plan;
mod row_details;
mod row_json;
mod sanitize;
pub mod units;
mod verdict;

pub use exit_status::ExitStatus;
pub use finding_counts::FindingCounts;
pub use hint::{describe_error, hint, safe_path_text};
pub use plan::{candidate_line, fix_label, fix_line, plan_lines, record_line, recovered_line};
pub(crate) use row_details::{DetailLine, FixKnowledge, Tone, format_expected_by_chance, row_detail_lines};
pub(crate) use row_json::{RowReport, row_json};
pub use sanitize::{sanitize, sanitize_json};
pub use verdict::{finding_sentence, index_line, index_meaning, index_reason, set_aside_line};
