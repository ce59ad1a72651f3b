//! The home folder in paths that are typed in a prompt.

use std::path::{Path, PathBuf};

/// Returns a typed path with `~/` at its start replaced by the home folder, as in a shell.
pub(crate) fn expand_home(path: &Path, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_folder() {
        let expand = |text: &str| expand_home(Path::new(text), Some("/home/ana".into()));
        assert_eq!(expand("~/a.csv"), Path::new("/home/ana/a.csv"));
        assert_eq!((expand("a~/b"), expand("~a")), ("a~/b".into(), "~a".into()));
        assert_eq!(expand_home(Path::new("~/a"), None), Path::new("~/a"));
    }
}
