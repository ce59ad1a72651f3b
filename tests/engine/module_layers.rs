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

/// The stages of `repair`: each names only those before it, and only `copy` names `copy`.
const REPAIR_STAGES: [&str; 6] = ["types", "correction", "planning", "copy", "journal", "applying"];

#[test]
fn the_stages_of_repair_import_one_way() {
    for (path, text) in source_files() {
        let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/repair"));
        let Ok(inside) = inside else { continue };
        let folder = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        if folder == "mod.rs" {
            continue;
        }
        let place = REPAIR_STAGES.iter().position(|stage| *stage == folder);
        let place = place.unwrap_or_else(|| unreachable!("{} belongs to no stage", path.display()));
        let code = code_before_tests(&text);
        assert!(!code.contains("super::super"), "{} names a stage by a relative path", path.display());
        assert!(!code.contains("crate::repair::{"), "{} names `repair` instead of a stage", path.display());
        for (at, stage) in REPAIR_STAGES.iter().enumerate() {
            let is_allowed = at <= place && (*stage != "copy" || folder == "copy");
            assert!(is_allowed || !code.contains(&format!("repair::{stage}")), "{} names {stage}", path.display());
        }
    }
}

/// Modules that define byte layouts, as (parent, module). The command line and the screen must not name them.
const BYTE_LAYOUT_MODULES: [(&str, &str); 4] =
    [("format", "byte_layout"), ("format", "index"), ("format", "journal"), ("file", "storage")];

#[test]
fn command_line_and_screen_name_no_byte_layout() {
    for (path, text) in source_files() {
        if matches!(module_of(&path), Some("cli" | "tui")) {
            for (parent, module) in BYTE_LAYOUT_MODULES {
                let is_named = names_child(code_before_tests(&text), parent, module);
                assert!(!is_named, "{} names {parent}::{module}", path.display());
            }
        }
    }
}

/// Modules of the screen that build on its model, from which the model and the vocabulary below it must not import.
const SCREEN_ABOVE_MODEL: [&str; 8] = ["message", "layout", "strip", "update", "view", "worker", "terminal", "run"];
/// A module of the screen, with the modules of the screen that it must not import.
const SCREEN_LAYERS: [(&str, &[&str]); 7] = [
    ("actions", &["request", "effect", "model"]),
    ("request", &["effect", "model"]),
    ("effect", &["model"]),
    ("model", &[]),
    // Views read the model and nothing that changes it. `request` has the vocabulary of some of its fields.
    ("view", &["message", "effect", "update", "worker", "terminal", "run"]),
    ("update", &["view", "worker", "terminal", "run"]),
    ("worker", &["layout", "strip", "update", "view", "terminal", "run"]),
];

/// The module of the screen that a file belongs to.
fn screen_module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui")).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    Some(first.trim_end_matches(".rs").to_owned())
}

/// Whether a file of the screen names a module of the screen. Only files directly in `tui`, and the `mod.rs` of its
/// modules, reach the others through `super`.
fn names_screen_module(path: &Path, code: &str, module: &str) -> bool {
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let is_mod_file = path.file_name().is_some_and(|name| name == "mod.rs");
    let through_super = (folder == Some("tui") || is_mod_file) && names_child(code, "super", module);
    through_super || names_child(code, "tui", module) || names_child(code, "super::super", module)
}

#[test]
fn modules_of_the_screen_import_one_way() {
    let mut checked = 0;
    for (path, text) in source_files() {
        let Some(own) = screen_module_of(&path) else { continue };
        let Some((_, forbidden)) = SCREEN_LAYERS.into_iter().find(|(module, _)| *module == own) else { continue };
        let is_below_model = matches!(own.as_str(), "actions" | "request" | "effect" | "model");
        let above: &[&str] = if is_below_model { &SCREEN_ABOVE_MODEL } else { &[] };
        for module in forbidden.iter().chain(above) {
            let is_named = names_screen_module(&path, code_before_tests(&text), module);
            assert!(!is_named, "{} names tui::{module}", path.display());
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked} files");
}

/// Whether code names `parent::child`, as a path or in a list as `parent::{child, ...}`.
fn names_child(code: &str, parent: &str, child: &str) -> bool {
    let is_name = |text: &str| {
        text.strip_prefix(child).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let prefix = format!("{parent}::");
    code.match_indices(&prefix).any(|(at, _)| {
        let is_whole_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &code[at + prefix.len()..];
        let list = rest.strip_prefix('{').and_then(|rest| rest.split(';').next()).unwrap_or_default();
        is_whole_word && (is_name(rest) || list.split(',').any(|name| is_name(name.trim())))
    })
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

#[test]
fn a_child_is_found_in_paths_and_lists() {
    assert!(names_child("use crate::tui::update::run;", "tui", "update"));
    assert!(names_child("use super::{hit_counter,\n    update::{a, b}};", "super", "update"));
    assert!(!names_child("use crate::tui::updates;", "tui", "update"));
    assert!(!names_child("use crate::atui::update;", "tui", "update"));
}
