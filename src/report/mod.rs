//! Text and JSON that command line and screen share: safe text, sizes and times, sentences about findings and index
//! states, hints, plans, exit statuses.
//!
//! Nothing here prints, draws or judges: the modules below find what is formatted here.

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
