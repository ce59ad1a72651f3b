//! The rooms: which may name which, that every file says first what lives in it, and that files stay small.

use std::fs;
use std::path::{Path, PathBuf};

/// In reading order; each may name only those before it, and itself.
const LAYERS: [&str; 11] =
    ["format", "file", "index", "inspect", "repair", "log", "query", "sample", "report", "cli", "tui"];
/// Pairs that stand side by side: neither names the other, but for `cli`, which opens the screen.
const UNRELATED_MODULES: [(&str, &str); 2] = [("sample", "query"), ("tui", "cli")];
/// Lines before a file's tests, at most.
const MAX_LINES: usize = 400;

fn source_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 30, "{} files", found.len());
    found
}

fn module_of(path: &Path) -> Option<&'static str> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next()?.as_os_str().to_str()?;
    LAYERS.into_iter().find(|room| *room == first)
}

fn code_before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// Whether code names a room, as `crate::room` or in a `use crate::{...}`.
fn mentions_module(code: &str, module: &str) -> bool {
    code.match_indices("crate::").any(|(at, _)| {
        let rest = &code[at + 7..];
        let listed = rest.strip_prefix('{').map(|rest| rest.split('}').next().unwrap_or(rest)).unwrap_or_default();
        let starts = |text: &str| {
            text.strip_prefix(module).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        starts(rest) || listed.split(',').any(|name| starts(name.trim()))
    })
}

#[test]
fn imports_run_one_way() {
    for (path, text) in source_files() {
        let Some(own) = module_of(&path) else { continue };
        let place = LAYERS.iter().position(|room| *room == own).unwrap();
        for later in &LAYERS[place + 1..] {
            let opens_the_screen = own == "cli" && *later == "tui";
            let named = mentions_module(code_before_tests(&text), later);
            assert!(!named || opens_the_screen, "{} names the room {later}", path.display());
        }
        for (one, other) in UNRELATED_MODULES {
            assert!(
                own != one || !mentions_module(code_before_tests(&text), other),
                "{} names the room {other}",
                path.display()
            );
        }
    }
}

#[test]
fn faces_know_no_byte_layout() {
    for (path, text) in source_files() {
        if matches!(module_of(&path), Some("cli")) {
            for bytes in ["format::field", "format::index", "format::journal", "file::storage"] {
                assert!(!code_before_tests(&text).contains(bytes), "{} names {bytes}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_first_what_lives_in_it_and_stays_small() {
    for (path, text) in source_files() {
        assert!(text.starts_with("//!"), "{} does not open with what lives in it", path.display());
        let lines = code_before_tests(&text).lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines before its tests", path.display());
    }
}

#[test]
fn a_name_in_a_list_is_a_name() {
    assert!(mentions_module("use crate::{tui, report};", "tui"));
    assert!(mentions_module("crate::tui::run()", "tui"));
    assert!(!mentions_module("use crate::format::Tui;", "tui"));
    assert!(!mentions_module("use crate::tuition;", "tui"));
}
