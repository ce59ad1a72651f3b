//! Finds and reads the configuration file of the screen. Only the commands that open the screen read it.

use std::env;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::CommandFailure;
use crate::report::safe_path_text;
use crate::tui::{ConfigError, ScreenConfig};

/// Largest size of a configuration file, in bytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// The options about the files of the user that the screen reads and writes besides the log: its configuration, and what it
/// keeps between runs.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigArgs {
    /// Read the configuration from this file instead of chronicle/config.toml in `$XDG_CONFIG_HOME` or ~/.config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
    /// Keep nothing between runs: neither restore nor save the place, marks, filter, search, columns and layout of the log
    #[arg(long)]
    no_session: bool,
}

impl ConfigArgs {
    /// Returns whether nothing is kept between runs.
    pub(super) const fn no_session(&self) -> bool {
        self.no_session
    }

    /// Reads the configuration: that of the named file, else that of the user's file, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or has a fault; the named file is missing.
    pub(super) fn load(&self) -> Result<ScreenConfig, CommandFailure> {
        match &self.config {
            _ if self.no_config => Ok(ScreenConfig::default()),
            Some(path) => read(path),
            None => match default_path() {
                Some(path) if path.symlink_metadata().is_ok() => read(&path),
                _ => Ok(ScreenConfig::default()),
            },
        }
    }
}

/// Returns the path of the user's configuration file; `None` when the environment names no folder for it.
fn default_path() -> Option<PathBuf> {
    Some(user_folder("XDG_CONFIG_HOME", ".config")?.join("config.toml"))
}

/// Returns the folder for the state that the screen keeps between runs; `None` when the environment names none.
pub(super) fn state_folder() -> Option<PathBuf> {
    user_folder("XDG_STATE_HOME", ".local/state")
}

/// Returns the folder `chronicle` in the folder that an environment variable names, or else in the folder `in_home` of the
/// home folder.
fn user_folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    // A relative path is invalid by the XDG base directory specification, and is ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute(variable).or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(folder.join("chronicle"))
}

fn read(path: &Path) -> Result<ScreenConfig, CommandFailure> {
    let failure = |reason: String| CommandFailure::Usage {
        message: format!("configuration {}{reason}", safe_path_text(path)),
        hint: "Correct the file (docs/configuration.md lists its keys), or use --no-config".into(),
    };
    let text = read_text(path).map_err(|reason| failure(format!(": {reason}")))?;
    ScreenConfig::parse(&text).map_err(|ConfigError { line, reason }| failure(format!(", line {line}: {reason}")))
}

fn read_text(path: &Path) -> Result<String, String> {
    let cannot_read = |error: std::io::Error| format!("cannot read: {error}");
    // A FIFO would block the program until another one writes to it.
    if !path.metadata().map_err(cannot_read)?.is_file() {
        return Err("expected a regular file, found a folder, pipe or device".into());
    }
    let file = File::open(path).map_err(cannot_read)?;
    let mut text = String::new();
    match file.take(MAX_CONFIG_BYTES + 1).read_to_string(&mut text) {
        Ok(bytes) if bytes as u64 > MAX_CONFIG_BYTES => {
            Err(format!("expected at most {MAX_CONFIG_BYTES} bytes, found more"))
        }
        Ok(_) => Ok(text),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err("expected text in UTF-8, found other bytes".into()),
        Err(error) => Err(cannot_read(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_line_of_its_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let load = || {
            let args = ConfigArgs { config: Some(path.clone()), no_config: false, no_session: false };
            args.load().map_err(|failure| failure.message())
        };
        assert!(load().unwrap_err().contains("config.toml: cannot read: "), "a named file must exist");
        fs::write(&path, "mouse = true\nthem = 'dark'\n").unwrap();
        assert!(load().unwrap_err().contains("config.toml, line 2: unknown key `them`; the nearest is `theme`"));
        fs::write(&path, b"theme = '\xff'").unwrap();
        assert!(load().unwrap_err().contains("expected text in UTF-8"));
        fs::write(&path, "#".repeat(MAX_CONFIG_BYTES as usize + 1)).unwrap();
        assert!(load().unwrap_err().contains("expected at most"));
        fs::write(&path, "theme = 'dark'").unwrap();
        assert_eq!(load().unwrap().theme.unwrap().name(), "dark");
        let folder_as_file = ConfigArgs { config: Some(folder.path().to_owned()), no_config: false, no_session: false };
        assert!(folder_as_file.load().unwrap_err().message().contains("expected a regular file"));
    }
}
