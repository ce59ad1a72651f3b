//! [`Credentials`]: what proves to a NATS server who connects. They come from a file or the environment, never from arguments, and
//! are in no message.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::NatsError;

/// The largest file of credentials that is read, in bytes.
const MAX_CREDENTIALS_LEN: u64 = 1 << 20;

/// What a client proves itself with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Nothing.
    None,
    /// The content of a file with a token and a key, as `nsc` writes it.
    File(String),
    /// A user and a password.
    User(String, String),
    /// A token.
    Token(String),
}

/// Names the kind only.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::File(_) => "File",
            Self::User(..) => "User",
            Self::Token(_) => "Token",
        })
    }
}

impl Credentials {
    /// Returns the credentials of the file, of the variable `NATS_CREDS` that names one, of `NATS_USER` and `NATS_PASSWORD`, or of
    /// `NATS_TOKEN`: the first that are given.
    ///
    /// # Errors
    /// [`NatsError::Credentials`] when the file cannot be read, or when there is a user without a password.
    pub(crate) fn find(file: Option<&Path>, variable: impl Fn(&str) -> Option<String>) -> Result<Self, NatsError> {
        let variable = |name| variable(name).filter(|value: &String| !value.is_empty());
        let file = file.map(Path::to_owned).or_else(|| variable("NATS_CREDS").map(PathBuf::from));
        if let Some(path) = file {
            return read_file(&path).map(Self::File);
        }
        match (variable("NATS_USER"), variable("NATS_PASSWORD")) {
            (Some(user), Some(password)) => Ok(Self::User(user, password)),
            (Some(_), None) => Err(NatsError::Credentials("NATS_USER is set, and NATS_PASSWORD is not".into())),
            (None, _) => Ok(variable("NATS_TOKEN").map_or(Self::None, Self::Token)),
        }
    }
}

fn read_file(path: &Path) -> Result<String, NatsError> {
    let failed =
        |reason: String| NatsError::Credentials(format!("{}: cannot read the credentials: {reason}", path.display()));
    let metadata = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > MAX_CREDENTIALS_LEN {
        return Err(failed("it is not a file, or too large".into()));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &'static [(&str, &str)]) -> Result<Credentials, NatsError> {
        let value =
            |name: &str| variables.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned());
        Credentials::find(None, value)
    }

    #[test]
    fn the_first_given_credentials_are_used_and_never_shown() {
        assert_eq!(find(&[]), Ok(Credentials::None));
        assert_eq!(find(&[("NATS_TOKEN", "")]), Ok(Credentials::None));
        assert_eq!(find(&[("NATS_TOKEN", "t")]), Ok(Credentials::Token("t".into())));
        let user = Credentials::User("u".into(), "secret".into());
        assert_eq!(find(&[("NATS_TOKEN", "t"), ("NATS_USER", "u"), ("NATS_PASSWORD", "secret")]), Ok(user.clone()));
        assert_eq!(format!("{user:?}"), "User");
        assert!(find(&[("NATS_USER", "u"), ("NATS_TOKEN", "t")]).is_err());
        assert!(find(&[("NATS_CREDS", "/no/such/file"), ("NATS_TOKEN", "t")]).is_err());
    }

    #[test]
    fn a_file_has_the_first_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.creds");
        std::fs::write(&path, "key").unwrap();
        let found = Credentials::find(Some(&path), |_| Some("other".into()));
        assert_eq!(found, Ok(Credentials::File("key".into())));
    }
}
