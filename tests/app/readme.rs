//! Compares README and docs with the program: keys, filter terms, commands, links and the size of the README.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chronicle::internal::tui::{ActionScope, CONFIG_KEYS, LOG_LIST_KEYS, action_table};
use chronicle::query::{FILTER_OPERATORS, FILTER_TERMS, Filter, FilterOperatorSpec, IndexUse, TimeContext};

fn read_document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the text between the markers `<!-- name -->` and `<!-- /name -->` of a document.
fn section<'t>(text: &'t str, name: &str) -> &'t str {
    let (start, end) = (format!("<!-- {name}"), format!("<!-- /{name} -->"));
    let rest = text.split_once(&start).unwrap().1.split_once("-->").unwrap().1;
    rest.split_once(&end).unwrap().0.trim()
}

#[test]
fn the_documented_keys_are_the_keys_of_the_program() {
    let mut expected = String::from("| key | does |\n| --- | --- |\n");
    for action in action_table() {
        let before = match action.scope {
            ActionScope::Main | ActionScope::MarkName => "",
            ActionScope::Timeline => "`t` ",
            ActionScope::CopyChord => "`y` ",
            ActionScope::TextInput
            | ActionScope::Form
            | ActionScope::Confirm
            | ActionScope::Plan
            | ActionScope::Columns => continue,
        };
        if action.keys.is_empty() {
            continue;
        }
        let keys: Vec<String> = action.keys.iter().map(|key| format!("`{key}`")).collect();
        writeln!(expected, "| {before}{} | {} |", keys.join(" "), action.help.replace('|', "\\|")).unwrap();
    }
    let document = read_document("docs/keys.md");
    assert_eq!(section(&document, "keys"), expected.trim(), "put this into docs/keys.md:\n{expected}");
    let mut expected = String::from("| key | does |\n| --- | --- |\n");
    for spec in &LOG_LIST_KEYS {
        let keys: Vec<String> = spec.keys.iter().map(|key| format!("`{key}`")).collect();
        writeln!(expected, "| {} | {} |", keys.join(" "), spec.help).unwrap();
    }
    assert_eq!(section(&document, "list keys"), expected.trim(), "put this into docs/keys.md:\n{expected}");
}

#[test]
fn the_documented_configuration_is_that_of_the_program() {
    let mut keys = String::from("| key | values | default | meaning |\n| --- | --- | --- | --- |\n");
    for key in &CONFIG_KEYS {
        writeln!(keys, "| `{}` | {} | {} | {} |", key.name, key.values, key.default, key.help).unwrap();
    }
    let mut actions = String::from("| scope | action | keys |\n| --- | --- | --- |\n");
    for action in action_table().iter().filter(|action| action.is_rebindable()) {
        let keys: Vec<String> = action.keys.iter().map(|key| format!("`{key}`")).collect();
        writeln!(actions, "| {} | `{}` | {} |", action.scope.name(), action.config_name(), keys.join(" ")).unwrap();
    }
    let document = read_document("docs/configuration.md");
    for (name, expected) in [("configuration keys", keys), ("action names", actions)] {
        assert_eq!(section(&document, name), expected.trim(), "put this into docs/configuration.md:\n{expected}");
    }
}

#[test]
fn the_documented_filter_terms_are_the_terms_of_the_program() {
    let mut expected =
        String::from("| term | shows | operators | use of the index | example |\n| --- | --- | --- | --- | --- |\n");
    for term in &FILTER_TERMS {
        let operators: Vec<String> = term.operators.iter().map(|operator| format!("`{operator}`")).collect();
        let index_use = match term.index_use {
            IndexUse::Offsets => "reads only these events",
            IndexUse::Blocks => "skips blocks",
            IndexUse::FullScan => "reads everything",
        };
        let (syntax, example) = (term.syntax, term.example);
        writeln!(expected, "| `{syntax}` | {} | {} | {index_use} | `{example}` |", term.help, operators.join(" "))
            .unwrap();
    }
    let document = read_document("docs/filters.md");
    assert_eq!(section(&document, "filter terms"), expected.trim(), "put this into docs/filters.md:\n{expected}");
}

#[test]
fn the_documented_filter_operators_are_the_operators_of_the_program() {
    let mut expected = String::from("| operator | matches when | example |\n| --- | --- | --- |\n");
    for FilterOperatorSpec { sign, help, example, .. } in &FILTER_OPERATORS {
        writeln!(expected, "| `{sign}` | {help} | `{}` |", example.replace('|', "\\|")).unwrap();
    }
    let document = read_document("docs/filters.md");
    assert_eq!(section(&document, "filter operators"), expected.trim(), "put this into docs/filters.md:\n{expected}");
}

#[test]
fn the_filters_that_the_documents_quote_can_be_parsed() {
    let documents = ["docs/filters.md", "README.md"].map(read_document);
    let quoted = documents.iter().flat_map(|text| text.split('`').skip(1).step_by(2));
    let is_filter = |code: &&str| {
        let is_known_term = |(key, value): (&str, &str)| {
            let is_placeholder = value.is_empty() || FILTER_TERMS.iter().any(|term| term.syntax == *code);
            !key.is_empty()
                && !is_placeholder
                && FILTER_TERMS.iter().any(|term| term.key == key.trim_start_matches('-'))
        };
        code.split_once(':').is_some_and(is_known_term)
            || (code.starts_with("payload.") && code.contains(['=', '~', '<', '>']))
    };
    let filters: Vec<&str> = quoted.filter(is_filter).collect();
    assert!(filters.len() > 12, "{filters:?}");
    for filter in filters {
        let times = TimeContext::at(0).with_last_event(Some(0));
        let filter = filter.replace("\\|", "|");
        Filter::parse_with(&filter, times).unwrap_or_else(|error| panic!("{filter}: {error}"));
    }
}

#[test]
fn the_help_of_cat_lists_every_filter_term() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_chronicle")).args(["cat", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for term in &FILTER_TERMS {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(term.syntax)),
            "{} is missing: {help}",
            term.syntax
        );
    }
}

#[test]
fn every_command_of_the_readme_is_known() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_chronicle")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help_commands: Vec<&str> =
        help.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    let readme = read_document("README.md");
    let mentioned = readme.split('`').filter_map(|code| code.strip_prefix("chronicle ")?.split_whitespace().next());
    let commands: Vec<&str> = mentioned.filter(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    assert!(commands.iter().all(|command| help_commands.contains(command)), "{commands:?} of {help_commands:?}");
}

#[test]
fn the_manual_page_has_every_key_of_the_screen() {
    let page = std::process::Command::new(env!("CARGO_BIN_EXE_chronicle")).arg("man").output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    let keys = page.split_once(".SH KEYS").unwrap().1.split_once(".SH").unwrap().0;
    let on_the_screen =
        action_table().iter().filter(|action| matches!(action.scope, ActionScope::Main) && !action.keys.is_empty());
    for action in on_the_screen {
        assert!(keys.contains(&action.help.replace('-', "\\-")), "{} is missing", action.title);
    }
}

#[test]
fn the_readme_is_short_and_every_link_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "CONTRIBUTING.md", "docs/repair.md", "docs/ARCHITECTURE.md"] {
        let text = read_document(document);
        let folder = Path::new(document).parent().unwrap();
        let links: Vec<&str> = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
            .filter(|link| !link.is_empty())
            .collect();
        assert!(!links.is_empty(), "{document} has no links");
        for link in links.into_iter().filter(|link| !link.contains("://")) {
            assert!(root.join(folder).join(link).exists(), "{document} links to {link}, which does not exist");
        }
    }
    let size = read_document("README.md").len();
    assert!(size <= 12 * 1024, "the README has {size} bytes, at most 12 KiB are allowed");
}
