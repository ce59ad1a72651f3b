//! Formats a path as text: for a reader, and as a word of a shell command.
//!
//! A path that could mislead a reader, or that is not UTF-8, is shown as the word that leads a shell to it. Text of this
//! form contains no hostile character, so it stays the same wherever it is made safe again.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use super::sanitize::sanitize;

/// Formats a path as text that is safe for a terminal: as it is, or as a shell word such as `$'a\nb.log'` when it holds
/// hostile characters or bytes that are not UTF-8.
pub(crate) fn safe_path_text(path: &Path) -> String {
    match path.to_str() {
        // A path that looks like a shell word is written as one, so that two paths never look the same.
        Some(text) if sanitize(text) == text && !text.starts_with("$'") => text.to_owned(),
        _ => ansi_c_word(path.as_os_str().as_encoded_bytes()),
    }
}

/// Formats a path as one word of a command line, which leads a shell to the file whatever the bytes of its name are.
pub(crate) fn shell_path(path: &Path) -> String {
    let word = shell_word(path.as_os_str());
    // A word that starts with a minus would be read as an option.
    if path.as_os_str().as_encoded_bytes().starts_with(b"-") { format!("./{word}") } else { word }
}

/// Formats a text as one word of a command line, which a shell passes on with the same bytes.
pub(crate) fn shell_word(text: &OsStr) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    match text.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Some(text) if sanitize(text) == text => format!("'{}'", text.replace('\'', "'\\''")),
        _ => ansi_c_word(text.as_encoded_bytes()),
    }
}

/// Writes bytes as a word in ANSI-C quotes (`$'...'`), which bash, zsh, ksh and busybox read. Hostile characters and
/// bytes that are not UTF-8 are written in octal, with three digits, so that no following digit can belong to them.
fn ansi_c_word(bytes: &[u8]) -> String {
    let mut word = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let mut utf8 = [0; 4];
            let text: &str = c.encode_utf8(&mut utf8);
            match c {
                '\n' => word.push_str("\\n"),
                '\t' => word.push_str("\\t"),
                '\r' => word.push_str("\\r"),
                '\'' | '\\' => word.extend(['\\', c]),
                _ if sanitize(text) == text => word.push(c),
                _ => push_octal(text.as_bytes(), &mut word),
            }
        }
        push_octal(chunk.invalid(), &mut word);
    }
    word.push('\'');
    word
}

fn push_octal(bytes: &[u8], word: &mut String) {
    for byte in bytes {
        let _ = write!(word, "\\{byte:03o}");
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use super::*;

    fn path(bytes: &[u8]) -> &Path {
        Path::new(OsStr::from_bytes(bytes))
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (bytes, word) in [
            (&b"/tmp/a.log"[..], "/tmp/a.log"),
            (b"it's here", r"'it'\''s here'"),
            (b"new\nline.log", r"$'new\nline.log'"),
            (b"bad\xff1.log", r"$'bad\3771.log'"),
            ("\u{202e}gol.é".as_bytes(), r"$'\342\200\256gol.é'"),
            (b"-name.log", "./-name.log"),
            (b"-n\x1b.log", r"./$'-n\033.log'"),
            (b"", "''"),
        ] {
            assert_eq!(shell_path(path(bytes)), word);
        }
    }

    #[test]
    fn a_path_is_shown_as_it_is_unless_that_could_mislead() {
        for (bytes, text) in [
            ("/logs/ä b.log".as_bytes(), "/logs/ä b.log"),
            (b"bad\xff.log", r"$'bad\377.log'"),
            ("x‹xFF›".as_bytes(), r"$'x\342\200\271xFF›'"),
            (b"$'bad'", r"$'$\'bad\''"),
        ] {
            assert_eq!(safe_path_text(path(bytes)), text);
            assert_eq!(sanitize(text), text, "text of a path is safe");
        }
    }

    #[test]
    fn a_shell_reads_every_word_as_the_bytes_of_the_path() {
        let all_bytes: Vec<u8> = (1..=255).collect();
        let names = [&all_bytes[..], b"a'\\\n1\xff2", b"-rf", b"$HOME `id` $(id)", "\u{202e}‹é›".as_bytes()];
        for name in names {
            let script = format!("printf %s {}", shell_path(path(name)));
            let Ok(output) = Command::new("bash").arg("-c").arg(script).output() else { return };
            let expected = if name.starts_with(b"-") { [b"./", name].concat() } else { name.to_vec() };
            assert_eq!(output.stdout, expected);
        }
    }
}
