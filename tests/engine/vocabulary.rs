//! Tests of names: a type name exists once in the crate, and identifiers contain no words without a standard meaning.

use std::collections::BTreeMap;

use super::source_text::{identifiers, source_files};

/// Words that no identifier may contain, with what to use instead.
const FORBIDDEN: [(&str, &str); 37] = [
    ("adrift", "unaligned"),
    ("befall", "apply"),
    ("beside", "neighbour, adjacent or next to"),
    ("chapter", "entry"),
    ("chapters", "entries"),
    ("face", "front end"),
    ("faces", "front ends"),
    ("fence", "gap"),
    ("fenced", "gap"),
    ("forth", "forward"),
    ("gather", "collect or count"),
    ("gathers", "counters"),
    ("heard", "received"),
    ("hear", "receive"),
    ("lane", "worker or queue"),
    ("lanes", "workers or queues"),
    ("lots", "ranges"),
    ("medical", "repair history"),
    ("news", "update"),
    ("nobody", "none"),
    ("riddle", "the thing itself"),
    ("room", "module, or space"),
    ("rooms", "modules"),
    ("said", "state, response or message"),
    ("sheet", "details"),
    ("sight", "filter"),
    ("somebody", "caller, user or process"),
    ("story", "history"),
    ("stranger", "mismatch"),
    ("surroundings", "context"),
    ("told", "reported"),
    ("untold", "unreported"),
    ("whoever", "caller"),
    ("wish", "options or request"),
    ("wishes", "options or requests"),
    ("witness", "trusted index"),
    ("witnessed", "indexed"),
];

/// Returns the words of an identifier in snake case or camel case, in lower case.
fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for c in identifier.chars() {
        if c == '_' || (c.is_uppercase() && previous_lower) {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
        previous_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn a_type_name_is_defined_once() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in source_files() {
        let code = file.code();
        for line in code.lines() {
            let top_level = !line.starts_with(' ');
            let mut tokens = line.split_whitespace().filter(|token| !token.starts_with("pub"));
            // `pub(in path)` and `pub(crate)` are one token each; an associated type is indented.
            let keyword = tokens.next().unwrap_or_default();
            let is_type = match keyword {
                "struct" | "enum" | "trait" | "union" => true,
                "type" => top_level,
                _ => false,
            };
            if is_type && let Some((_, name)) = tokens.next().and_then(|rest| identifiers(rest).next()) {
                let path = file.path.display().to_string();
                defined.entry(name.to_owned()).or_default().push(path);
            }
        }
    }
    assert!(defined.len() > 200, "{} types", defined.len());
    let repeated: Vec<_> = defined.iter().filter(|(_, paths)| paths.len() > 1).collect();
    assert!(repeated.is_empty(), "type names that are defined more than once: {repeated:#?}");
}

#[test]
fn identifiers_use_standard_terms() {
    let mut found = Vec::new();
    for file in source_files() {
        let code = file.code();
        for (at, name) in identifiers(&code) {
            for word in words(name) {
                if let Some((_, instead)) = FORBIDDEN.iter().find(|(forbidden, _)| *forbidden == word) {
                    let line = code[..at].lines().count().max(1);
                    found.push(format!("{}:{line}: `{name}`: use {instead}", file.path.display()));
                }
            }
        }
    }
    found.dedup();
    assert!(found.is_empty(), "{} identifiers with forbidden words:\n{}", found.len(), found.join("\n"));
}

#[test]
fn identifiers_are_split_into_words() {
    assert_eq!(words("told_truncated"), ["told", "truncated"]);
    assert_eq!(words("JsonLineView2"), ["json", "line", "view2"]);
    assert_eq!(words("MAX_LEN"), ["max", "len"]);
}
