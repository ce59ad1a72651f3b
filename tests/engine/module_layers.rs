//! Tests the layers of modules, and the form of source files: each file opens with its subject and stays small.

use std::collections::BTreeSet;

use super::imports::{Graph, imports};
use super::source_text::source_files;

/// The modules of the crate in reading order. Each imports only modules before it.
const LAYERS: [&str; 18] = [
    "format",
    "file",
    "index",
    "inspect",
    "repair",
    "log",
    "query",
    "sample",
    "place",
    "backup",
    "report",
    "log_report",
    "export",
    "remote",
    "log_disk",
    "cli",
    "tui",
    "fuzz",
];
/// The permitted imports against that order: one command opens the screen, its configuration is read for it, and the
/// manual page lists its keys.
const IMPORTS_OF_THE_SCREEN: [(&str, &str); 3] =
    [("cli::open", "tui"), ("cli::config_file", "tui"), ("cli::man", "tui")];
/// The stages of `repair`. Each imports only stages before it, and only `copy` imports `copy`.
const REPAIR_STAGES: [&str; 6] =
    ["repair::types", "repair::correction", "repair::planning", "repair::copy", "repair::journal", "repair::applying"];
/// Further imports that are forbidden: a module, and the modules that it must not import.
const FORBIDDEN: [(&str, &[&str]); 13] = [
    ("sample", &["query"]),
    ("tui", &["cli"]),
    ("log_report", &["sample"]),
    // The command line and the screen contain no byte layout.
    ("cli", &["format::byte_layout", "format::index", "format::journal", "file::storage"]),
    ("tui", &["format::byte_layout", "format::index", "format::journal", "file::storage"]),
    ("repair::journal", &["repair::copy"]),
    ("repair::applying", &["repair::copy"]),
    ("tui::actions", &["tui::request", "tui::effect", "tui::model"]),
    ("tui::request", &["tui::effect", "tui::model"]),
    ("tui::effect", &["tui::model"]),
    // Views read the model, and import no module that changes it.
    ("tui::view", &["tui::message", "tui::effect", "tui::update", "tui::worker", "tui::terminal", "tui::run"]),
    ("tui::update", &["tui::view", "tui::worker", "tui::terminal", "tui::run"]),
    ("tui::worker", &["tui::layout", "tui::strip", "tui::update", "tui::view", "tui::terminal", "tui::run"]),
];
/// The model of the screen and the modules that it builds on.
const MODEL_AND_BELOW: [&str; 4] = ["tui::actions", "tui::request", "tui::effect", "tui::model"];
/// The modules of the screen that build on the model. The model must not import them.
const ABOVE_MODEL: [&str; 8] = [
    "tui::message",
    "tui::layout",
    "tui::strip",
    "tui::update",
    "tui::view",
    "tui::worker",
    "tui::terminal",
    "tui::run",
];
/// Maximum number of lines of a file before its tests.
const MAX_LINES: usize = 400;

/// Returns true if a module is `outer` or inside it.
fn is_within(module: &str, outer: &str) -> bool {
    module.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns the imports from modules within `from` to modules within `to`, as text.
fn imports_between(graph: &Graph, from: &str, to: &str) -> Vec<String> {
    let within = graph.iter().filter(|(module, _)| is_within(module, from));
    within
        .flat_map(|(module, imported)| imported.iter().map(move |imported| (module, imported)))
        .filter(|(_, imported)| is_within(imported, to))
        .map(|(module, imported)| format!("{module} imports {imported}"))
        .collect()
}

/// Returns the imports against the order of `layers`.
fn imports_upward(graph: &Graph, layers: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, lower) in layers.iter().enumerate() {
        assert!(graph.keys().any(|module| is_within(module, lower)), "there is no module {lower}");
        for upper in &layers[at + 1..] {
            found.extend(imports_between(graph, lower, upper));
        }
    }
    found
}

#[test]
fn imports_run_one_way() {
    let mut graph = imports(&source_files());
    for (command, screen) in IMPORTS_OF_THE_SCREEN {
        assert!(graph.get_mut(command).unwrap().remove(screen), "{command} does not import {screen}");
    }
    let mut found = imports_upward(&graph, &LAYERS);
    found.extend(imports_upward(&graph, &REPAIR_STAGES));
    for (module, forbidden) in FORBIDDEN {
        assert!(graph.keys().any(|known| is_within(known, module)), "there is no module {module}");
        for other in forbidden {
            assert!(graph.keys().any(|known| is_within(known, other)), "there is no module {other}");
            found.extend(imports_between(&graph, module, other));
        }
    }
    for below in MODEL_AND_BELOW {
        for above in ABOVE_MODEL {
            found.extend(imports_between(&graph, below, above));
        }
    }
    assert!(found.is_empty(), "forbidden imports:\n{}", found.join("\n"));
}

#[test]
fn every_file_of_repair_belongs_to_a_stage() {
    for file in source_files() {
        let module = file.module();
        let has_stage = REPAIR_STAGES.iter().any(|stage| is_within(&module, stage));
        assert!(!is_within(&module, "repair") || module == "repair" || has_stage, "{module} belongs to no stage");
    }
}

#[test]
fn every_file_opens_with_its_subject_and_stays_small() {
    for file in source_files() {
        assert!(file.text.starts_with("//!"), "{} does not open with its subject", file.path.display());
        let before_tests = file.text.split("#[cfg(test)]").next().unwrap_or(&file.text);
        let lines = before_tests.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines before its tests", file.path.display());
    }
}

/// The files that use the client library of a server or its runtime. All others use the types of this crate.
const FILES_OF_CLIENT_LIBRARIES: [&str; 3] =
    ["remote/nats/client_errors.rs", "remote/nats/client_thread.rs", "remote/nats/publisher.rs"];

#[test]
fn a_client_library_stays_in_the_files_of_its_thread() {
    let uses_library =
        |text: &str| ["async_nats::", "tokio::", "futures_util::"].iter().any(|name| text.contains(name));
    let files = source_files();
    let mut found: Vec<String> =
        files.iter().filter(|file| uses_library(&file.text)).map(|file| file.path.display().to_string()).collect();
    found.sort();
    assert_eq!(found, FILES_OF_CLIENT_LIBRARIES);
    for file in files.iter().filter(|file| uses_library(&file.text)) {
        assert!(!file.text.contains("pub(crate)"), "{} has an item for the whole crate", file.path.display());
    }
}

#[test]
fn an_import_against_the_order_is_found() {
    let edge = |from: &str, to: &str| (from.to_owned(), BTreeSet::from([to.to_owned()]));
    let graph: Graph = [edge("file::scan", "format"), edge("format::frame", "file::scan")].into();
    assert_eq!(imports_upward(&graph, &["format", "file"]), ["format::frame imports file::scan"]);
    assert!(!is_within("files::scan", "file"));
}
