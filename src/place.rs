//! [`Place`]: where a log or a copy of a log is: a path of the local file systems, or a URL of a server.
//!
//! The engine takes paths. A command parses its arguments as places first, and a [`Disk`](crate::storage::Disk) of the module
//! `remote` opens the places that are URLs.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

/// The longest name after the host, in bytes: that of a key in object storage.
const MAX_NAME_LEN: usize = 1024;

/// Where a log or a copy of a log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A path of the local file systems.
    Local(PathBuf),
    /// A URL of a server.
    Remote(RemoteUrl),
}

/// The kind of server that a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemoteScheme {
    /// Object storage with the S3 protocol.
    S3,
    /// A stream of NATS.
    Nats,
}

impl RemoteScheme {
    /// All schemes.
    const ALL: [Self; 2] = [Self::S3, Self::Nats];

    /// Returns the start of the URLs of this scheme.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::S3 => "s3://",
            Self::Nats => "nats://",
        }
    }

    /// Returns the form of the URLs of this scheme, for messages.
    pub(crate) const fn form(self) -> &'static str {
        match self {
            Self::S3 => "s3://BUCKET/KEY",
            Self::Nats => "nats://HOST[:PORT]/STREAM",
        }
    }

    /// True for a character that the host, or the bucket, of such a URL can have.
    fn is_host_char(self, c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || self == Self::Nats && matches!(c, ':' | '[' | ']')
    }
}

/// A URL with the parts `SCHEME://HOST/NAME`. It has no credentials and no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteUrl {
    scheme: RemoteScheme,
    host: String,
    name: String,
}

impl RemoteUrl {
    /// Returns the scheme.
    pub(crate) const fn scheme(&self) -> RemoteScheme {
        self.scheme
    }

    /// Returns the bucket of object storage, or the host and the port of another server.
    #[cfg(feature = "remote")]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the URL of the object whose name has `suffix` at its end, such as an index.
    ///
    /// # Errors
    /// [`PlaceError`] when the name is too long.
    #[cfg(feature = "remote")]
    pub(crate) fn with_suffix(&self, suffix: &str) -> Result<Self, PlaceError> {
        parse_url(self.scheme, &format!("{self}{suffix}"))
    }

    /// Returns the part after the host, without its first slash: a key, the prefix of keys, or a stream. Can be empty.
    #[cfg(feature = "remote")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/{}", self.scheme.prefix(), self.host, self.name)
    }
}

/// Why a text with the scheme of a server is no [`RemoteUrl`]. It has no credentials of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {problem}")]
pub(crate) struct PlaceError {
    /// The text, without what can be a credential.
    url: String,
    problem: String,
}

impl Place {
    /// Parses an argument: a text that starts with the scheme of a server is a URL, any other is a path.
    ///
    /// # Errors
    /// [`PlaceError`] for a URL with credentials or a query, and for one that does not have the form of its scheme.
    pub(crate) fn parse(text: &OsStr) -> Result<Self, PlaceError> {
        let lossy = text.to_string_lossy();
        let has_prefix = |scheme: &RemoteScheme| {
            let start = lossy.as_bytes().get(..scheme.prefix().len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme.prefix().as_bytes()))
        };
        let Some(scheme) = RemoteScheme::ALL.into_iter().find(has_prefix) else {
            return Ok(Self::Local(PathBuf::from(text)));
        };
        parse_url(scheme, &lossy).map(Self::Remote)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Remote(url) => url.fmt(f),
        }
    }
}

/// Parses a text that starts with the prefix of `scheme`, in upper or lower case.
fn parse_url(scheme: RemoteScheme, text: &str) -> Result<RemoteUrl, PlaceError> {
    let rest = text.get(scheme.prefix().len()..).unwrap_or_default();
    // What follows these characters can be a credential, and what is before an @ too.
    let shown_end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (host, name) = rest.split_once('/').unwrap_or((rest, ""));
    let has_user = host.contains('@');
    let shown = match rest.get(..shown_end).unwrap_or_default().split_once('@') {
        Some((_, after)) if has_user => format!("{}…@{after}", scheme.prefix()),
        _ => format!("{}{}", scheme.prefix(), rest.get(..shown_end).unwrap_or_default()),
    };
    let error = |problem: String| Err(PlaceError { url: shown.clone(), problem });
    if has_user {
        return error("a URL must not have credentials, which other users can see in the list of processes".into());
    }
    if shown_end < rest.len() {
        return error("a URL must have no `?` and no `#`".into());
    }
    if !text.starts_with(scheme.prefix()) {
        return error(format!("the scheme `{}` must be in lower case", scheme.prefix()));
    }
    if text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return error("a URL must be text without control characters".into());
    }
    if host.is_empty() || !host.chars().all(|c| scheme.is_host_char(c)) {
        return error(format!("expected {}", scheme.form()));
    }
    let parts = name.strip_suffix('/').unwrap_or(name);
    if name.len() > MAX_NAME_LEN || !parts.is_empty() && parts.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return error(format!(
            "expected {} with at most {MAX_NAME_LEN} bytes after the host, and no empty part, `.` or `..` between slashes",
            scheme.form()
        ));
    }
    Ok(RemoteUrl { scheme, host: host.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Place, PlaceError> {
        Place::parse(OsStr::new(text))
    }

    #[test]
    fn a_url_keeps_its_parts_and_any_other_text_is_a_path() {
        for (text, scheme, host, name) in [
            ("s3://logs/a/b.log", RemoteScheme::S3, "logs", "a/b.log"),
            ("s3://logs/fleet/", RemoteScheme::S3, "logs", "fleet/"),
            ("s3://logs/", RemoteScheme::S3, "logs", ""),
            ("s3://logs/user@host.log", RemoteScheme::S3, "logs", "user@host.log"),
            ("nats://[::1]:4222/accounts", RemoteScheme::Nats, "[::1]:4222", "accounts"),
        ] {
            let Ok(Place::Remote(url)) = parse(text) else { panic!("{text}") };
            assert_eq!((url.scheme(), url.host.as_str(), url.name.as_str()), (scheme, host, name));
            assert_eq!(Place::Remote(url).to_string(), text);
        }
        for path in ["a.log", "./s3://a", "s3:/a", "s3", "nats:", "https://a/b"] {
            assert_eq!(parse(path), Ok(Place::Local(path.into())));
        }
    }

    #[test]
    fn a_url_with_credentials_is_refused_and_not_repeated() {
        for text in [
            "s3://KEY:hidden@logs/a.log",
            "s3://hidden@logs",
            "nats://user:hidden@host:4222/stream",
            "nats://host/stream?token=hidden",
            "s3://logs/a.log?X-Amz-Signature=hidden",
            "s3://logs/a.log#hidden",
            "S3://KEY:hidden@logs/a.log?hidden",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
        assert!(parse("nats://a:b@h/s").unwrap_err().to_string().starts_with("nats://…@h/s: a URL must not have"));
    }

    #[test]
    fn a_url_of_another_form_is_refused() {
        for text in [
            "s3://",
            "s3:///a",
            "s3://lo gs/a",
            "s3://logs//a",
            "s3://logs/a//b",
            "s3://logs/../a",
            "s3://logs/a/.",
            "s3://logs:80/a",
            "S3://logs/a",
            "s3://logs/a\nb",
            "nats:///s",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&format!("s3://logs/{}", "a".repeat(1025))).is_err());
    }
}
