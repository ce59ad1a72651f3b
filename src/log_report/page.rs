//! The page as a whole: its head, the verdict at the top, the order of the sections, and the commands at the end.

use super::charts::{write_map, write_timeline};
use super::collect::LogReport;
use super::findings::write_findings;
use super::html::HtmlWriter;
use super::sections::{write_facts, write_history, write_plan, write_types};
use crate::format::Version;
use crate::report::units::{DisplayZone, format_count, format_timestamp};
use crate::report::{ExitStatus, VERSION_0_LIMIT, safe_path_text, shell_path};

/// The style sheet, in light and dark.
const STYLE: &str = include_str!("style.css");
/// A browser with this policy loads nothing and runs no script, whatever the page contains.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The verdict about the log.
struct Verdict {
    /// The class of the style sheet.
    class: &'static str,
    symbol: &'static str,
    title: String,
    sentence: String,
}

impl LogReport {
    /// Formats the report as an HTML page.
    pub(crate) fn to_html(&self) -> String {
        let name = self.view.path().file_name().map_or_else(|| self.view.path(), std::path::Path::new);
        let name = safe_path_text(name);
        let mut html = HtmlWriter::new();
        html.element("html", &[("lang", "en")], |html| {
            html.element("head", &[], |html| {
                html.void_element("meta", &[("charset", "utf-8")]);
                html.void_element("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
                html.void_element("meta", &[("name", "color-scheme"), ("content", "light dark")]);
                html.void_element("meta", &[("http-equiv", "Content-Security-Policy"), ("content", CONTENT_POLICY)]);
                html.text_element("title", &[], &format!("{name}: Chronicle report"));
                html.style(STYLE);
            });
            html.element("body", &[], |html| {
                html.element("main", &[], |html| self.write_main(&name, html));
            });
        });
        html.finish()
    }

    fn write_main(&self, name: &str, html: &mut HtmlWriter) {
        let verdict = self.verdict();
        html.element("header", &[("class", verdict.class)], |html| {
            html.paragraph("kicker", "Chronicle report");
            html.text_element("h1", &[], name);
            html.element("p", &[("class", "verdict")], |html| {
                html.text_element("span", &[("class", "symbol"), ("aria-hidden", "true")], verdict.symbol);
                html.text_element("strong", &[], &verdict.title);
            });
            html.paragraph("", &verdict.sentence);
        });
        section("The log", html, |html| write_facts(self, html));
        section("Integrity map", html, |html| write_map(self, html));
        section("Findings", html, |html| write_findings(self, html));
        section("What can be done", html, |html| {
            write_plan(self, html);
            html.text_element("h3", &[], "Commands");
            self.write_commands(html);
        });
        section("Repair history", html, |html| write_history(self, html));
        section("Events over time", html, |html| write_timeline(&self.statistics, html));
        section("Events by type", html, |html| write_types(self, html));
        section("This report", html, |html| self.write_origin(html));
    }

    fn verdict(&self) -> Verdict {
        let (damage, events) = (self.counts.damage_count(), format_count(self.survey.events, "event"));
        let is_version_0 = self.view.log().version() == Version::V0;
        if damage == 0 && self.remarks.is_empty() {
            let (title, limit) = if is_version_0 {
                ("Readable", format!("; {VERSION_0_LIMIT}"))
            } else {
                ("No damage", " and verified".into())
            };
            let sentence = format!("All {events} were read{limit}.");
            return Verdict { class: "good", symbol: "✓", title: title.into(), sentence };
        }
        let all_restorable =
            self.plan.as_ref().is_ok_and(|plan| ExitStatus::before_repair(plan) == ExitStatus::Restorable);
        let ranges = format_count(damage, "damaged range");
        let readable = format!("{events} can be read.");
        if all_restorable && self.remarks.is_empty() {
            let sentence = format!("{readable} Every damaged range can be restored, or holds no event.");
            return Verdict { class: "warn", symbol: "!", title: format!("{ranges}, all restorable"), sentence };
        }
        let sentence = format!("{readable} The sections below say what is damaged, and what can be done.");
        let title = if damage > 0 { ranges } else { "Frames that the index does not know".into() };
        Verdict { class: "bad", symbol: "✕", title, sentence }
    }

    fn write_commands(&self, html: &mut HtmlWriter) {
        let log = shell_path(self.view.path());
        let first = self.findings.iter().find(|found| found.proposed.finding.kind.is_damage());
        let mut commands = vec![(format!("chronicle verify {log}"), "checks every frame, every event and the index")];
        if let Some(found) = first {
            let start = found.proposed.finding.start;
            commands.push((format!("chronicle show {log} {start}"), "prints the first damaged range with its bytes"));
        }
        match (first, self.view.log().version()) {
            (_, Version::V0) => {
                commands
                    .push((format!("chronicle migrate {log} -o NEW"), "copies the events into a log with checksums"));
            }
            (Some(_), Version::V1 | Version::V2) => commands.extend([
                (format!("chronicle repair {log} --dry-run"), "prints the plan of this page, and writes nothing"),
                (format!("chronicle repair {log}"), "prints the plan, asks, and applies it"),
                (format!("chronicle undo {log}"), "undoes the last repair"),
            ]),
            (None, Version::V1 | Version::V2) => {}
        }
        html.element("dl", &[("class", "commands")], |html| {
            for (command, effect) in commands {
                html.element("div", &[], |html| {
                    html.element("dt", &[], |html| html.text_element("code", &[], &command));
                    html.text_element("dd", &[], effect);
                });
            }
        });
    }

    fn write_origin(&self, html: &mut HtmlWriter) {
        let rows = [
            ("Command", self.context.command.clone()),
            ("Program", format!("chronicle {}", env!("CARGO_PKG_VERSION"))),
            ("Time", format_timestamp(self.context.time_ms, DisplayZone::Utc)),
        ];
        html.element("dl", &[("class", "facts")], |html| {
            for (title, text) in rows {
                html.element("div", &[], |html| {
                    html.text_element("dt", &[], title);
                    html.element("dd", &[], |html| html.text_element("code", &[], &text));
                });
            }
        });
        let note =
            "The log was only read. The page describes it as it was at that time, and needs no network and no script.";
        html.paragraph("note", note);
    }
}

fn section(title: &str, html: &mut HtmlWriter, content: impl FnOnce(&mut HtmlWriter)) {
    html.element("section", &[], |html| {
        html.text_element("h2", &[], title);
        content(html);
    });
}
