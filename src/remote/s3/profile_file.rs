//! Reads a profile from the files that the clients of Amazon share, `~/.aws/credentials` and `~/.aws/config`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest size of such a file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The keys and values of one section. It has credentials, so it has no text form.
#[derive(Default)]
pub(super) struct Profile(HashMap<String, String>);

impl Profile {
    /// Reads the section of a file that has one of these names; an empty profile when there is no such file or section.
    ///
    /// # Errors
    /// The error of the operating system, and `InvalidData` for a file that is too large or no text.
    pub(super) fn read(path: &Path, names: &[&str]) -> io::Result<Self> {
        let mut text = String::new();
        match File::open(path) {
            Ok(file) => file.take(MAX_BYTES + 1).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        if text.len() as u64 > MAX_BYTES {
            let reason = format!("expected at most {MAX_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(Self::parse(&text, names))
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).filter(|value| !value.is_empty()).cloned()
    }

    fn parse(text: &str, names: &[&str]) -> Self {
        let (mut values, mut is_wanted) = (HashMap::new(), false);
        for line in text.lines() {
            // The keys of a nested section are indented.
            if line.starts_with([' ', '\t', '#', ';']) {
                continue;
            }
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
                is_wanted = names.contains(&name.as_str());
            } else if is_wanted && let Some((key, value)) = line.split_once('=') {
                values.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
            }
        }
        Self(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_of_the_profile_is_read() {
        let text = "[default]\naws_access_key_id = A\n\n# comment = 1\n[profile  other]\nregion=eu-central-1\ns3 =\n  addressing_style = path\n[x]\nregion = no\n";
        let profile = Profile::parse(text, &["profile other", "other"]);
        assert_eq!(profile.get("region").as_deref(), Some("eu-central-1"));
        assert_eq!(
            (profile.get("addressing_style"), profile.get("s3"), profile.get("aws_access_key_id")),
            (None, None, None)
        );
        assert_eq!(Profile::parse(text, &["default"]).get("aws_access_key_id").as_deref(), Some("A"));
    }
}
