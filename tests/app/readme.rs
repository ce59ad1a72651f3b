//! The README against the program: its keys are the table of actions, its commands are there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chronicle::tui::{ActionScope, action_table};

fn read_readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// What stands between two markers of the README.
fn section<'t>(text: &'t str, name: &str) -> &'t str {
    let (start, end) = (format!("<!-- {name}"), format!("<!-- /{name} -->"));
    let rest = text.split_once(&start).unwrap().1.split_once("-->").unwrap().1;
    rest.split_once(&end).unwrap().0.trim()
}

#[test]
fn the_keys_of_the_readme_are_the_programs_own() {
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
    let readme = read_readme();
    assert_eq!(section(&readme, "keys"), expected.trim(), "put this into the README:\n{expected}");
}

#[test]
fn every_command_of_the_readme_is_known() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_chronicle")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    let readme = read_readme();
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
