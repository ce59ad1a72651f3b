//! [`HtmlWriter`]: composes HTML from constant tags and untrusted text.
//!
//! Names of tags and attributes are constants. In text and values of attributes, control and invisible characters are replaced
//! by visible ones, and characters with a meaning in HTML are escaped. Text is cut at a limit. No content of a log can become
//! a tag or mislead a reader.

use crate::report::{sanitize, units::format_count};

/// Largest number of characters of one text. Names in a log can take megabytes.
const MAX_TEXT_CHARS: usize = 2000;
/// The elements without content, which have no closing tag.
const VOID_TAGS: [&str; 2] = ["meta", "rect"];

/// The name and the value of an attribute.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// A page that is being composed.
#[derive(Debug)]
pub(super) struct HtmlWriter {
    html: String,
}

impl HtmlWriter {
    /// Starts a document.
    pub(super) fn new() -> Self {
        Self { html: "<!doctype html>\n".into() }
    }

    /// Returns the document.
    pub(super) fn finish(self) -> String {
        self.html
    }

    /// Writes an element with its content.
    pub(super) fn element(&mut self, tag: &'static str, attributes: &[Attribute], content: impl FnOnce(&mut Self)) {
        self.open(tag, attributes);
        content(self);
        self.html.push_str("</");
        self.html.push_str(tag);
        self.html.push('>');
        if is_block(tag) {
            self.html.push('\n');
        }
    }

    /// Writes an element with a text.
    pub(super) fn text_element(&mut self, tag: &'static str, attributes: &[Attribute], text: &str) {
        self.element(tag, attributes, |html| html.text(text));
    }

    /// Writes an element without content.
    pub(super) fn void_element(&mut self, tag: &'static str, attributes: &[Attribute]) {
        debug_assert!(VOID_TAGS.contains(&tag), "{tag} needs a closing tag");
        self.open(tag, attributes);
    }

    /// Writes escaped text. A long text is cut, and is followed by the number of characters that are left out.
    pub(super) fn text(&mut self, text: &str) {
        let (shown, rest) = match text.char_indices().nth(MAX_TEXT_CHARS) {
            Some((at, _)) => text.split_at(at),
            None => (text, ""),
        };
        push_escaped(&sanitize(shown), &mut self.html);
        if !rest.is_empty() {
            let left = format_count(rest.chars().count() as u64, "more character");
            self.html.extend(["… (", &left, ")"]);
        }
    }

    /// Writes text in which words between backticks are code.
    pub(super) fn prose(&mut self, text: &str) {
        let parts: Vec<&str> = text.split('`').collect();
        // A backtick without its pair is text.
        if parts.len().is_multiple_of(2) {
            return self.text(text);
        }
        for (number, part) in parts.into_iter().enumerate() {
            if number.is_multiple_of(2) { self.text(part) } else { self.text_element("code", &[], part) }
        }
    }

    /// Writes a paragraph of prose.
    pub(super) fn paragraph(&mut self, class: &'static str, text: &str) {
        self.element("p", &[("class", class)], |html| html.prose(text));
    }

    /// Writes the style sheet of the program.
    pub(super) fn style(&mut self, css: &'static str) {
        self.html.push_str("<style>\n");
        self.html.push_str(css);
        self.html.push_str("</style>\n");
    }

    fn open(&mut self, tag: &'static str, attributes: &[Attribute]) {
        self.html.push('<');
        self.html.push_str(tag);
        // An empty class is the absence of one.
        for (name, value) in attributes.iter().filter(|(name, value)| *name != "class" || !value.is_empty()) {
            self.html.push(' ');
            self.html.push_str(name);
            self.html.push_str("=\"");
            push_escaped(&sanitize(value), &mut self.html);
            self.html.push('"');
        }
        self.html.push('>');
        if tag == "rect" {
            self.html.push_str("</rect>");
        }
    }
}

/// True for elements after which the source of the page starts a new line.
fn is_block(tag: &str) -> bool {
    matches!(
        tag,
        "head" | "title" | "section" | "article" | "tr" | "table" | "p" | "h1" | "h2" | "h3" | "li" | "svg" | "div"
    )
}

/// Appends text with the characters escaped that have a meaning in HTML.
fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> String {
        let mut html = HtmlWriter::new();
        html.element("p", &[("title", text)], |html| html.text(text));
        html.finish()
    }

    #[test]
    fn text_and_attributes_cannot_leave_their_place() {
        let html = page("<script>'x' & \"y\"\u{202e}\n</p>");
        let safe = "&lt;script&gt;&#39;x&#39; &amp; &quot;y&quot;‹U+202E›‹LF›&lt;/p&gt;";
        assert_eq!(html, format!("<!doctype html>\n<p title=\"{safe}\">{safe}</p>\n"));
    }

    #[test]
    fn words_between_backticks_are_code() {
        let mut html = HtmlWriter::new();
        html.paragraph("", "run `a <b>`, then `c`");
        html.paragraph("note", "one ` only");
        let expected = "<p>run <code>a &lt;b&gt;</code>, then <code>c</code></p>\n<p class=\"note\">one ` only</p>\n";
        assert_eq!(html.finish(), format!("<!doctype html>\n{expected}"));
    }

    #[test]
    fn long_text_is_cut_with_the_number_of_characters_that_are_left_out() {
        let mut html = HtmlWriter::new();
        html.text(&"é".repeat(MAX_TEXT_CHARS));
        assert!(html.finish().ends_with('é'));
        let mut html = HtmlWriter::new();
        html.text(&"é".repeat(MAX_TEXT_CHARS + 1500));
        let text = html.finish();
        assert!(text.ends_with("é… (1 500 more characters)"), "{text}");
    }
}
