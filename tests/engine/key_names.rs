//! A test that the texts of the screen take the names of keys from the table of actions, because the configuration can
//! give every action other keys.

use super::source_text::source_files;

/// The modules with the texts of the screen.
const SCREEN_MODULES: [&str; 5] = ["tui::actions", "tui::layout", "tui::model", "tui::update", "tui::view"];

/// Texts that contain a letter or a sign that is no key.
const OTHER_TEXTS: [(&str, &str); 3] =
    [("-15m, -1h30m, now   before now, in s m h d w", "units of time"), (": {}", "a label"), ("{date} Z", "the zone")];

/// The names of keys, as the screen writes them.
const KEY_NAMES: [&str; 11] =
    ["Enter", "Esc", "Tab", "Shift-Tab", "Space", "Backspace", "PgUp", "PgDn", "Up", "Down", "Delete"];

/// Returns the word of a sentence that is a key: a name of one, or a single letter or sign that is no word.
fn key_in(literal: &str) -> Option<&str> {
    let words = literal.split_whitespace();
    // A text without a second word is a name or a part of a line, and one without a letter is a frame or a checkbox.
    words.clone().nth(1).filter(|_| literal.contains(char::is_alphabetic))?;
    let mut bare = words.map(|word| {
        let bare = word.trim_matches(['`', '(', ')', ',', ';', '.', '"', '\\']);
        // A colon alone is a key; after a key it is punctuation.
        bare.strip_suffix(':').filter(|key| !key.is_empty()).unwrap_or(bare)
    });
    bare.find(|word| {
        let mut characters = word.chars();
        let single = characters.next().filter(|_| characters.next().is_none());
        let is_letter = single.is_some_and(|c| c.is_ascii_alphabetic() && !matches!(c, 'a' | 'A' | 'I'));
        let is_sign =
            single.is_some_and(|c| matches!(c, '/' | '?' | '@' | ':' | '\'' | '<' | '>' | '[' | ']' | '*' | '$'));
        let has_modifier = ["Ctrl-", "Alt-"].iter().any(|modifier| word.starts_with(modifier));
        let is_function_key = word.strip_prefix('F').is_some_and(|number| number.parse::<u8>().is_ok());
        KEY_NAMES.contains(word) || is_letter || is_sign || has_modifier || is_function_key
    })
}

#[test]
fn texts_of_the_screen_name_no_fixed_key() {
    let mut found = Vec::new();
    let mut read = 0;
    for file in source_files() {
        let module = file.module();
        if !SCREEN_MODULES.iter().any(|screen| module.starts_with(screen)) {
            continue;
        }
        for literal in file.string_literals() {
            read += 1;
            let is_other = OTHER_TEXTS.iter().any(|(text, _)| *text == literal);
            if let Some(key) = key_in(&literal).filter(|_| !is_other) {
                found.push(format!("{}: `{key}` in {literal:?}", file.path.display()));
            }
        }
    }
    assert!(read > 1000, "{read} texts");
    assert!(found.is_empty(), "use `KeyMap::hint`, so that a configured key is named:\n{}", found.join("\n"));
}

#[test]
fn a_fixed_key_is_found_in_a_text() {
    for (text, key) in [
        ("Nothing found; Esc closes", "Esc"),
        ("press `r` to build", "r"),
        ("No search yet: / starts one", "/"),
        ("F1 lists all", "F1"),
        ("…  y: copy", "y"),
        ("went back with Ctrl-o;", "Ctrl-o"),
    ] {
        assert_eq!(key_in(text), Some(key), "{text}");
    }
    for text in ["a letter or a digit", "{key} shows it", "Esc", "[ ] "] {
        assert_eq!(key_in(text), None, "{text}");
    }
}
