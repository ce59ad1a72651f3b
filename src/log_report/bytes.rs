//! Bytes of the log in hex and as text, before and after a fix, with the differences marked.

use super::collect::BytesExcerpt;
use super::html::HtmlWriter;
use crate::report::units::{format_count, format_hex_offset};

/// Writes an excerpt as a table with a row for the bytes in the log, and one for the bytes after the fix.
pub(super) fn write_excerpt(excerpt: &BytesExcerpt, html: &mut HtmlWriter) {
    let BytesExcerpt { offset, before, after, more } = excerpt;
    let differs = |at: usize| after.as_ref().is_some_and(|after| after.get(at) != before.get(at));
    html.element(
        "div",
        &[("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Bytes")],
        |html| {
            html.element("table", &[("class", "bytes")], |html| {
                let rest =
                    if *more > 0 { format!("; {} not shown", format_count(*more, "more byte")) } else { String::new() };
                let from = format!("Bytes from offset {offset} ({}){rest}", format_hex_offset(*offset));
                html.text_element("caption", &[], &from);
                write_row("In the log", before, "old", &differs, html);
                if let Some(after) = after {
                    write_row("After the fix", after, "new", &differs, html);
                }
            });
        },
    );
}

fn write_row(title: &str, bytes: &[u8], class: &str, differs: &dyn Fn(usize) -> bool, html: &mut HtmlWriter) {
    html.element("tr", &[], |html| {
        html.text_element("th", &[("scope", "row")], title);
        html.element("td", &[], |html| {
            html.element("code", &[], |html| {
                write_cells(bytes, class, differs, &|byte| format!("{byte:02x}"), " ", html);
            });
        });
        html.element("td", &[("class", "text")], |html| {
            html.element("code", &[], |html| write_cells(bytes, class, differs, &|byte| as_text(byte), "", html));
        });
    });
}

/// Writes each byte; those that differ are marked, so that the difference does not depend on colour.
fn write_cells(
    bytes: &[u8],
    class: &str,
    differs: &dyn Fn(usize) -> bool,
    format: &dyn Fn(u8) -> String,
    separator: &str,
    html: &mut HtmlWriter,
) {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            html.text(separator);
        }
        if differs(at) {
            html.text_element("mark", &[("class", class)], &format(*byte));
        } else {
            html.text(&format(*byte));
        }
    }
}

/// Returns a byte as a printable character; a middle dot for every other byte.
fn as_text(byte: u8) -> String {
    if matches!(byte, b' '..=b'~') { char::from(byte).to_string() } else { "·".into() }
}
