//! Text and JSON that the command line and the screen share: safe text, sizes and times, sentences about findings and
//! index states, hints, plans, exit statuses.
//!
//! This module only formats values. It prints nothing, draws nothing, and detects no damage.

mod aggregate_state;
pub(crate) mod copies;
pub(crate) mod differences;
mod erasure;
mod exit_status;
mod filter_advice;
mod finding_counts;
mod hint;
pub(crate) mod json;
mod path_text;
mod plan;
mod plan_table;
mod plan_words;
mod repair_record;
mod retention;
mod row_details;
mod row_json;
mod sanitize;
mod spark_line;
pub(crate) mod statistics;
pub(crate) mod units;
mod verdict;
mod zone_files;

pub(crate) use aggregate_state::{possible_loss, state_lines};
pub(crate) use erasure::{PlanWords, damaged_ranges_note};
pub(crate) use exit_status::ExitStatus;
pub(crate) use filter_advice::{log_times_line, unknown_name_lines};
pub(crate) use finding_counts::{FindingCounts, VERSION_0_LIMIT};
#[cfg(feature = "app")]
pub(crate) use hint::screen_message;
pub(crate) use hint::{describe_error, hint};
pub(crate) use path_text::{safe_path_text, shell_path, shell_word};
pub(crate) use plan::{candidate_line, fix_label, fix_line, plan_closing_lines, plan_headline, plan_lines};
pub(crate) use plan_table::{
    ACTION_COLUMN, PLAN_COLUMN_COUNT, PLAN_COLUMNS, PlanRow, PlanRowSource, PlanRowState, plan_column_widths,
    plan_lines_with_table, plan_rows, plan_total,
};
pub(crate) use plan_words::plan_word_lines;
pub(crate) use repair_record::{record_line, record_summary, recovery_line};
pub(crate) use retention::{
    removal_json, removal_line, removal_summary, removed_start_json, removed_start_sentence, retention_json,
    retention_lines, retention_summary, segment_table,
};
pub(crate) use row_details::{DetailLine, FixSearchResult, Tone, format_expected_by_chance, row_detail_lines};
pub(crate) use row_json::{RowReport, row_json};
pub(crate) use sanitize::{sanitize, sanitize_json};
pub(crate) use spark_line::{bar_rows, spark_line};
pub(crate) use verdict::{
    finding_sentence, index_line, index_meaning, index_reason, seen_end_line, seen_end_sentence, set_aside_line,
    unrecorded_frames_line,
};
