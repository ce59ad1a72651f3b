//! Builds the graph of imports between the source files of the crate.

use std::collections::{BTreeMap, BTreeSet};

use super::source_text::{SourceFile, identifiers};

pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Returns the modules that each module names in its code before the tests, in a `use` or in a path.
pub(super) fn imports(files: &[SourceFile]) -> Graph {
    let modules: BTreeSet<String> = files.iter().map(SourceFile::module).collect();
    files.iter().map(|file| (file.module(), named_modules(file, &modules))).collect()
}

fn named_modules(file: &SourceFile, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let code = file.code_before_tests();
    let own = file.module();
    let parent = own.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned());
    let mut named = BTreeSet::new();
    for (at, word) in identifiers(&code) {
        let base = match word {
            "crate" => String::new(),
            "super" => parent.clone(),
            "self" => own.clone(),
            _ => continue,
        };
        if code[at + word.len()..].starts_with("::") && !code[..at].ends_with("::") {
            let mut paths = Vec::new();
            expand_paths(&code[at + word.len() + 2..], &base, &mut paths);
            named.extend(paths.iter().filter_map(|path| longest_module(path, modules)));
        }
    }
    named.remove(&own);
    named
}

/// Adds every path that the use tree or path at the start of `text` names, below `base`, and returns the text after it.
fn expand_paths<'t>(text: &'t str, base: &str, paths: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand_paths(rest, base, paths).trim_start();
            match rest.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => rest = next,
                Some(next) => return next.trim_start().strip_prefix('}').unwrap_or(next),
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return rest.strip_prefix('*').unwrap_or(rest);
    }
    let path = match (base, name) {
        (base, "self") => base.to_owned(),
        (base, "super") => base.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned()),
        ("", name) => name.to_owned(),
        (base, name) => format!("{base}::{name}"),
    };
    if let Some(rest) = rest.strip_prefix("::") {
        return expand_paths(rest, &path, paths);
    }
    paths.push(path);
    match rest.trim_start().strip_prefix("as ") {
        Some(alias) => alias.trim_start().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => rest,
    }
}

/// Returns the longest prefix of `path` that is a module: the file that defines the item of `path`.
fn longest_module(path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut path = path;
    loop {
        if modules.contains(path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}

#[test]
fn use_trees_are_expanded() {
    let mut paths = Vec::new();
    let rest = expand_paths("index::{self, save::{save, Rows as R}, state}; x", "", &mut paths);
    assert_eq!(paths, ["index", "index::save::save", "index::save::Rows", "index::state"]);
    assert_eq!(rest, "; x");
}
