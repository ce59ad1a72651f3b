//! The findings: an overview as a table, and an article for each with its evidence, its fix and its bytes.

use super::bytes::write_excerpt;
use super::collect::{DescribedFinding, LogReport};
use super::html::HtmlWriter;
use crate::format::Finding;
use crate::repair::find_gap_journal;
use crate::report::units::{format_count, format_hex_offset, format_size};
use crate::report::{finding_sentence, fix_label, fix_line, safe_path_text};

/// Writes the section about findings.
pub(super) fn write_findings(report: &LogReport, html: &mut HtmlWriter) {
    html.paragraph("", &format!("{}.", report.summary_line()));
    for remark in &report.remarks {
        html.paragraph("remark", &format!("{remark}."));
    }
    if report.findings.is_empty() {
        html.paragraph("note", "Every frame is valid, and every payload is an event.");
        return;
    }
    write_overview(report, html);
    for (number, found) in (1..).zip(&report.findings) {
        write_finding(number, found, report, html);
    }
}

fn write_overview(report: &LogReport, html: &mut HtmlWriter) {
    html.element(
        "div",
        &[("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Findings")],
        |html| {
            html.element("table", &[], |html| {
                html.text_element("caption", &[], "All findings by offset");
                html.element("thead", &[], |html| {
                    html.element("tr", &[], |html| {
                        for (title, class) in
                            [("No.", "number"), ("Kind", ""), ("Offsets", "number"), ("Size", "number"), ("Fix", "")]
                        {
                            html.text_element("th", &[("scope", "col"), ("class", class)], title);
                        }
                    });
                });
                html.element("tbody", &[], |html| {
                    for (number, found) in (1..).zip(&report.findings) {
                        write_overview_row(number, found, html);
                    }
                });
            });
        },
    );
    let rest = report.survey.findings_total.saturating_sub(report.findings.len() as u64);
    if rest > 0 {
        let note =
            format!("{} not listed here: `chronicle verify LOG` prints them all.", format_count(rest, "more finding"));
        html.paragraph("remark", &note);
    }
}

fn write_overview_row(number: usize, found: &DescribedFinding, html: &mut HtmlWriter) {
    let finding = &found.proposed.finding;
    html.element("tr", &[], |html| {
        html.element("td", &[("class", "number")], |html| {
            html.text_element("a", &[("href", &format!("#finding-{number}"))], &number.to_string());
        });
        html.element("td", &[], |html| write_kind(finding, html));
        html.text_element("td", &[("class", "number")], &offsets(finding));
        html.text_element("td", &[("class", "number")], &format_size(finding.end - finding.start));
        let fix = found.proposed.fix.as_ref().map_or_else(|| "none".into(), fix_label);
        html.text_element("td", &[], if finding.kind.is_damage() { &fix } else { "not needed" });
    });
}

fn write_finding(number: usize, found: &DescribedFinding, report: &LogReport, html: &mut HtmlWriter) {
    let finding = &found.proposed.finding;
    html.element("article", &[("id", &format!("finding-{number}"))], |html| {
        html.element("h3", &[], |html| {
            html.text(&format!("{number}. "));
            write_kind(finding, html);
            let place = format!(" at offset {} ({})", finding.start, format_hex_offset(finding.start));
            html.text_element("span", &[("class", "place")], &place);
        });
        html.paragraph("", &capitalised(&finding_sentence(finding)));
        let records = report.history.as_ref().map_or(&[][..], |history| &history.records);
        if let Some(journal) = find_gap_journal(records, finding.range()).filter(|_| !finding.kind.is_damage()) {
            html.paragraph("", &format!("Original bytes in {}.", safe_path_text(journal)));
        }
        if let Some(fix) = &found.proposed.fix {
            html.element("p", &[("class", "fix")], |html| {
                html.text_element("strong", &[], "Fix: ");
                html.text(&fix_line(fix));
            });
        }
        found.excerpts.iter().for_each(|excerpt| write_excerpt(excerpt, html));
        if found.more_changes > 0 {
            let note = format!("{} without bytes here.", format_count(found.more_changes as u64, "further change"));
            html.paragraph("note", &note);
        }
    });
}

/// Writes the kind of a finding as a badge.
fn write_kind(finding: &Finding, html: &mut HtmlWriter) {
    let class = if finding.kind.is_damage() { "kind damage" } else { "kind" };
    html.text_element("span", &[("class", class)], finding.kind.name());
}

fn offsets(finding: &Finding) -> String {
    format!("{}..{}", finding.start, finding.end)
}

/// Returns a sentence with its first letter as a capital and its full stop.
fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
