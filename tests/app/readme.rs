//! Compares README and docs with the program: the keys, the commands, the size of the README.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chronicle::internal::tui::{ActionScope, action_table};

fn read_document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The text between the markers `<!-- name -->` and `<!-- /name -->` of a document.
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
            ActionScope::Main => "",
            ActionScope::CopyChord => "`y` ",
            ActionScope::TextInput | ActionScope::Form | ActionScope::Confirm | ActionScope::Plan => continue,
        };
        if action.keys.is_empty() {
            continue;
        }
        let keys: Vec<String> = action.keys.iter().map(|key| format!("`{key}`")).collect();
        writeln!(expected, "| {before}{} | {} |", keys.join(" "), action.help.replace('|', "\\|")).unwrap();
    }
    let document = read_document("docs/keys.md");
    assert_eq!(section(&document, "keys"), expected.trim(), "put this into docs/keys.md:\n{expected}");
}

#[test]
fn every_command_of_the_readme_is_known() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_chronicle")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    let readme = read_document("README.md");
    let named = readme.split('`').filter_map(|code| code.strip_prefix("chronicle ")?.split_whitespace().next());
    let commands: Vec<&str> = named.filter(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    assert!(commands.iter().all(|command| known.contains(command)), "{commands:?} of {known:?}");
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
fn the_readme_is_short_and_its_links_lead_somewhere() {
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
