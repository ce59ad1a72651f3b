//! The sections with facts, the plan, the repair history and the event types.

use super::collect::LogReport;
use super::html::HtmlWriter;
use crate::format::Version;
use crate::query::EventTally;
use crate::report::statistics::{damage_note, group_label, share_text};
use crate::report::units::{DisplayZone, format_count, format_number, format_size, format_timestamp};
use crate::report::{
    ExitStatus, VERSION_0_LIMIT, index_line, index_meaning, index_reason, plan_lines, record_line,
    removed_start_sentence, safe_path_text, seen_end_sentence,
};

/// Largest number of lines of a plan, and of repairs, that the page lists.
const MAX_LINES: usize = 200;

/// Writes the properties of the log, such as its path, size and format.
pub(super) fn write_facts(report: &LogReport, html: &mut HtmlWriter) {
    html.element("dl", &[("class", "facts")], |html| {
        for (title, text) in facts(report) {
            html.element("div", &[], |html| {
                html.text_element("dt", &[], title);
                html.text_element("dd", &[], &text);
            });
        }
    });
}

fn facts(report: &LogReport) -> Vec<(&'static str, String)> {
    let LogReport { view, bytes, survey, .. } = report;
    let time = |ms| format_timestamp(ms, DisplayZone::Utc);
    let mut facts = vec![
        ("Path", safe_path_text(view.path())),
        ("Size", format!("{} ({})", format_size(*bytes), format_count(*bytes, "byte"))),
        ("Events", format_number(survey.events)),
    ];
    facts.extend(view.removed_start().map(|start| ("Start", removed_start_sentence(&start))));
    if let Some((first, last)) = report.statistics.total.times {
        facts.push(("Event times", format!("{} to {}", time(first), time(last))));
    }
    facts.push(match view.log().version() {
        Version::V1 => ("Format", "version 1, with checksums".into()),
        Version::V2 => (
            "Format",
            "version 2, with checksums that cover the identity of the log and the offset of each frame".into(),
        ),
        Version::V0 => ("Format", format!("version 0: {VERSION_0_LIMIT}")),
    });
    facts.extend(view.log_id().map(|id| ("Log id", id.to_string())));
    facts.extend(view.created_at_ms().map(|ms| ("Created", time(ms))));
    facts.extend((survey.gaps > 0).then(|| ("Gaps", format_number(survey.gaps))));
    if let Some(range) = &survey.in_flight {
        facts.push(("Being written", format!("{}..{}: not damage", range.start, range.end)));
    }
    let state = view.index_state();
    let reason = index_reason(state).map(|reason| format!(" ({reason})")).unwrap_or_default();
    facts.push(("Index", format!("{}: {}{reason}", index_line(state, None), index_meaning(state))));
    facts.extend(seen_end_sentence(view.seen_end(), state, *bytes).map(|sentence| ("End", sentence)));
    facts
}

/// Writes the plan of `chronicle repair`.
pub(super) fn write_plan(report: &LogReport, html: &mut HtmlWriter) {
    let plan = match &report.plan {
        Ok(plan) if plan.is_empty() && plan.unrepaired.is_empty() => {
            html.paragraph("", "There is nothing to repair.");
            return;
        }
        Ok(plan) => plan,
        Err(reason) => {
            html.paragraph("", &format!("No repair is planned: {reason}"));
            return;
        }
    };
    let sentence = match ExitStatus::before_repair(plan) {
        ExitStatus::Restorable => {
            "Every damaged range can be restored, or holds no event. This is the plan of `chronicle repair`; nothing was changed."
        }
        _ => {
            "A repair applies what is proven, and replaces what cannot be restored with gaps, so that later offsets stay. \
              This is the plan of `chronicle repair`; nothing was changed."
        }
    };
    html.paragraph("", sentence);
    write_lines(&plan_lines(plan, &report.journal_folder), html);
}

/// Writes the repairs that were applied to the log.
pub(super) fn write_history(report: &LogReport, html: &mut HtmlWriter) {
    let history = match &report.history {
        Ok(history) => history,
        Err(reason) => {
            html.paragraph("", &format!("The journals cannot be read: {reason}"));
            return;
        }
    };
    if history.records.is_empty() {
        let folder = safe_path_text(&report.journal_folder);
        html.paragraph("note", &format!("No repairs. Journals would be in {folder}."));
    }
    let lines: Vec<String> =
        history.records.iter().rev().map(|record| record_line(record).trim_start().to_owned()).collect();
    if !lines.is_empty() {
        html.paragraph("", "The last repair first. The journals keep every byte that a repair replaced.");
        write_lines(&lines, html);
    }
    for notice in history.notices.iter().take(MAX_LINES) {
        html.paragraph("remark", notice);
    }
}

/// Writes lines as a list. Lines that continue the one before are indented.
fn write_lines(lines: &[String], html: &mut HtmlWriter) {
    html.element("ul", &[("class", "lines")], |html| {
        for line in lines.iter().take(MAX_LINES) {
            let class = if line.starts_with(' ') { "continued" } else { "" };
            html.text_element("li", &[("class", class)], line.trim_start());
        }
    });
    if let Some(rest @ 1..) = lines.len().checked_sub(MAX_LINES) {
        html.text_element(
            "p",
            &[("class", "note")],
            &format!("{} not listed.", format_count(rest as u64, "more line")),
        );
    }
}

/// Writes the numbers of events by type.
pub(super) fn write_types(report: &LogReport, html: &mut HtmlWriter) {
    let statistics = &report.statistics;
    if statistics.total.events == 0 {
        html.paragraph("note", "The log has no events.");
        return;
    }
    html.element(
        "div",
        &[("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Events by type")],
        |html| {
            html.element("table", &[], |html| {
                html.text_element("caption", &[], "Events by type, the most frequent first");
                html.element("thead", &[], |html| {
                    html.element("tr", &[], |html| {
                        let titles = ["Type", "Events", "Share", "", "Bytes", "First", "Last"];
                        for (title, class) in titles.into_iter().zip(["", "number", "number", "bar", "number", "", ""])
                        {
                            html.text_element("th", &[("scope", "col"), ("class", class)], title);
                        }
                    });
                });
                html.element("tbody", &[], |html| {
                    for group in &statistics.groups {
                        write_type(
                            &group_label(&statistics.by, &group.key),
                            &group.tally,
                            statistics.total.events,
                            html,
                        );
                    }
                    if statistics.other_groups > 0 {
                        let label = format!("({})", format_count(statistics.other_groups, "more type"));
                        write_type(&label, &statistics.others, statistics.total.events, html);
                    }
                });
            });
        },
    );
    if let Some(note) = damage_note(statistics) {
        html.paragraph("note", &format!("{note}."));
    }
}

fn write_type(label: &str, tally: &EventTally, total: u64, html: &mut HtmlWriter) {
    let time = |ms| format_timestamp(ms, DisplayZone::Utc);
    let (first, last) = tally.times.map_or_else(Default::default, |(first, last)| (time(first), time(last)));
    html.element("tr", &[], |html| {
        html.text_element("th", &[("scope", "row")], label);
        html.text_element("td", &[("class", "number")], &format_number(tally.events));
        html.text_element("td", &[("class", "number")], &share_text(tally.events, total));
        html.element("td", &[("class", "bar")], |html| {
            html.element(
                "svg",
                &[("viewBox", "0 0 100 8"), ("preserveAspectRatio", "none"), ("aria-hidden", "true")],
                |html| {
                    let width = format!("{:.1}", tally.events as f64 * 100.0 / total.max(1) as f64);
                    html.void_element("rect", &[("width", "100"), ("height", "8"), ("class", "track")]);
                    html.void_element("rect", &[("width", &width), ("height", "8"), ("class", "share")]);
                },
            );
        });
        html.text_element("td", &[("class", "number")], &format_size(tally.bytes));
        html.text_element("td", &[("class", "time")], &first);
        html.text_element("td", &[("class", "time")], &last);
    });
}
