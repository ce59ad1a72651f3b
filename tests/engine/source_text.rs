//! Reads the crate's own source files for the tests that check its structure and its names.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file of the crate.
pub(super) struct SourceFile {
    /// The path of the file below `src`.
    pub(super) path: PathBuf,
    /// The text of the file, unchanged.
    pub(super) text: String,
}

impl SourceFile {
    /// Returns the text without comments, and with the contents of string and character literals removed.
    pub(super) fn code(&self) -> String {
        strip_comments_and_literals(&self.text)
    }

    /// Returns the part of [`SourceFile::code`] before the first test module.
    pub(super) fn code_before_tests(&self) -> String {
        let before = self.text.split("#[cfg(test)]").next().unwrap_or(&self.text);
        strip_comments_and_literals(before)
    }

    /// Returns the contents of the string literals before the first test module, without those in comments.
    pub(super) fn string_literals(&self) -> Vec<String> {
        let before = self.text.split("#[cfg(test)]").next().unwrap_or(&self.text);
        let mut literals = Vec::new();
        split_code(before, &mut String::new(), &mut literals);
        literals
    }

    /// Returns the module path without `crate`: `query::filter` for `src/query/filter.rs`, `query` for
    /// `src/query/mod.rs`.
    pub(super) fn module(&self) -> String {
        let path = self.path.with_extension("");
        let mut parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        parts.join("::")
    }
}

/// Reads all files below `src`, sorted by path.
pub(super) fn source_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push(SourceFile { path: path.strip_prefix(&root).unwrap().to_owned(), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 100, "{} files", files.len());
    files
}

/// Returns the names in Rust code, each with its byte offset.
pub(super) fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.split(move |c| !is_part(c))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .map(|word| (word.as_ptr() as usize - code.as_ptr() as usize, word))
}

fn strip_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    split_code(text, &mut code, &mut Vec::new());
    code
}

/// Adds the text without comments and literals to `code`, and the string literals without their quotes to `literals`.
fn split_code(text: &str, code: &mut String, literals: &mut Vec<String>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(len) = raw_string_len(rest) {
            literals.push(rest[..len].trim_start_matches(['b', 'r']).trim_matches(['#', '"']).to_owned());
            len
        } else if rest.starts_with('"') {
            let len = quoted_len(rest, '"');
            literals.push(rest[1..len].trim_end_matches('"').to_owned());
            len
        } else if is_char_literal(rest) {
            quoted_len(rest, '\'')
        } else {
            0
        };
        if skipped > 0 {
            code.push(' ');
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            at += skipped;
        } else {
            let c = rest.chars().next().unwrap();
            code.push(c);
            at += c.len_utf8();
        }
    }
}

/// Returns the length of the raw string literal at the start of `text`.
fn raw_string_len(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(())?;
    let close = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - after.len() + hashes + 1;
    text[start..].find(&close).map(|end| start + end + close.len())
}

fn is_char_literal(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('\'')
        && match chars.next() {
            Some('\\') => true,
            Some(_) => chars.next() == Some('\''),
            None => false,
        }
}

fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_and_literals_are_removed_from_code() {
    let text = "let a = \"told // said\"; // told\nlet b = 'x'; let c = r#\"a \" told\"#; fn f<'a>(x: &'a str) {} /* told */ d";
    let code = strip_comments_and_literals(text);
    let names: Vec<&str> = identifiers(&code).map(|(_, name)| name).collect();
    assert_eq!(names, ["let", "a", "let", "b", "let", "c", "fn", "f", "a", "x", "a", "str", "d"]);
    assert_eq!(code.lines().count(), text.lines().count());
}
