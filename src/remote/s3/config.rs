//! [`S3Config`]: the endpoint, the region and the credentials, from the environment and the files that other clients use too.

use std::env;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use rusty_s3::{Bucket, Credentials, UrlStyle};
use url::Url;

use super::profile_file::Profile;

/// The region when none is configured.
const DEFAULT_REGION: &str = "us-east-1";
/// How long a connection, and an answer without a byte, is waited for.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The environment variable that changes this time, in seconds.
const TIMEOUT_VARIABLE: &str = "CHRONICLE_REMOTE_TIMEOUT";

/// How the requests to a bucket are sent and signed.
pub(super) struct S3Config {
    /// The URL of the bucket.
    pub(super) bucket: Bucket,
    /// `None` for a bucket that everyone can read.
    pub(super) credentials: Option<Credentials>,
    /// How long one step of a request can take.
    pub(super) timeout: Duration,
}

impl S3Config {
    /// Reads the configuration for a bucket from the environment and the files of the profile.
    ///
    /// # Errors
    /// `InvalidInput` for a malformed endpoint or region, and for half of a pair of credentials; the errors of reading a file. No
    /// message has a credential.
    pub(super) fn load(bucket: &str) -> io::Result<Self> {
        Self::from_sources(bucket, &variable, &|path, names| Profile::read(path, names))
    }

    fn from_sources(
        bucket: &str,
        variable: &dyn Fn(&str) -> Option<String>,
        read_profile: &dyn Fn(&std::path::Path, &[&str]) -> io::Result<Profile>,
    ) -> io::Result<Self> {
        let name = variable("AWS_PROFILE").unwrap_or_else(|| "default".into());
        let home = variable("HOME").or_else(|| variable("USERPROFILE")).map(|home| PathBuf::from(home).join(".aws"));
        let path = |file: &str| variable_path(variable, file).or_else(|| Some(home.as_ref()?.join(file)));
        let read = |file: &str, names: &[&str]| match path(file) {
            None => Ok(Profile::default()),
            Some(path) => read_profile(&path, names)
                .map_err(|error| io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))),
        };
        let secrets = read("credentials", &[&name])?;
        let section = format!("profile {name}");
        let settings = read(
            "config",
            &if name == "default" { vec!["default", section.as_str()] } else { vec![section.as_str()] },
        )?;
        let stored = |key: &str| secrets.get(key).or_else(|| settings.get(key));
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).or_else(|| stored("region"));
        let region = region.unwrap_or_else(|| DEFAULT_REGION.into());
        if !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(invalid("the region has characters other than letters, digits and `-`"));
        }
        let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        let endpoint = endpoint.or_else(|| stored("endpoint_url"));
        let pair = |get: &dyn Fn(&str) -> Option<String>, [id, secret, token]: [&str; 3]| match (get(id), get(secret)) {
            (Some(id), Some(secret)) => Ok(Some(match get(token) {
                Some(token) => Credentials::new_with_token(id, secret, token),
                None => Credentials::new(id, secret),
            })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(invalid(&format!("{id} is set, and {secret} is not"))),
            (None, Some(_)) => Err(invalid(&format!("{secret} is set, and {id} is not"))),
        };
        // A profile that is named counts more than the environment, as for other clients.
        let of_profile = pair(&stored, ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"])?;
        let of_environment = pair(variable, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])?;
        let credentials = of_environment.or(of_profile);
        Ok(Self { bucket: bucket_url(bucket, endpoint, region)?, credentials, timeout: timeout(variable)? })
    }
}

/// Returns the URL of a bucket: below the endpoint, or of Amazon, with the bucket in the name of the host where that is possible.
fn bucket_url(bucket: &str, endpoint: Option<String>, region: String) -> io::Result<Bucket> {
    let malformed = || invalid("the endpoint is malformed: expected a URL such as https://storage.example.com");
    let is_host_label = !bucket.contains(['.', '_']) && !bucket.contains(|c: char| c.is_ascii_uppercase());
    let style = if endpoint.is_none() && is_host_label { UrlStyle::VirtualHost } else { UrlStyle::Path };
    let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
    let endpoint = Url::parse(&endpoint).map_err(|_| malformed())?;
    if !endpoint.username().is_empty() || endpoint.password().is_some() || endpoint.query().is_some() {
        return Err(invalid("the endpoint must have no credentials and no query"));
    }
    Bucket::new(endpoint, style, bucket.to_owned(), region).map_err(|_| malformed())
}

fn timeout(variable: &dyn Fn(&str) -> Option<String>) -> io::Result<Duration> {
    let Some(text) = variable(TIMEOUT_VARIABLE) else { return Ok(DEFAULT_TIMEOUT) };
    let seconds = text.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
    let seconds = seconds.ok_or_else(|| invalid(&format!("{TIMEOUT_VARIABLE}: expected 1 to 3600 seconds")))?;
    Ok(Duration::from_secs(seconds))
}

/// Returns the path that the environment gives for one of the files.
fn variable_path(variable: &dyn Fn(&str) -> Option<String>, file: &str) -> Option<PathBuf> {
    let name = if file == "config" { "AWS_CONFIG_FILE" } else { "AWS_SHARED_CREDENTIALS_FILE" };
    variable(name).map(PathBuf::from)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn config(variables: &[(&str, &str)], file: &str) -> io::Result<S3Config> {
        let variables: HashMap<_, _> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, file).unwrap();
        let variable = |name: &str| match name {
            "AWS_SHARED_CREDENTIALS_FILE" => Some(path.display().to_string()),
            name => variables.get(name).cloned(),
        };
        S3Config::from_sources("logs", &variable, &|path, names| Profile::read(path, names))
    }

    #[test]
    fn environment_and_profile_give_endpoint_region_and_credentials() {
        let amazon = config(&[("AWS_REGION", "eu-central-1")], "").unwrap();
        assert_eq!(amazon.bucket.base_url().as_str(), "https://logs.s3.eu-central-1.amazonaws.com/");
        assert!(amazon.credentials.is_none() && amazon.timeout == DEFAULT_TIMEOUT);
        let file = "[default]\naws_access_key_id=A\naws_secret_access_key=B\n[x]\naws_access_key_id=C\naws_secret_access_key=D\nregion=r1\nendpoint_url=http://h:9000\n";
        let other = config(&[("AWS_PROFILE", "x")], file).unwrap();
        assert_eq!(other.bucket.base_url().as_str(), "http://h:9000/logs/");
        assert_eq!((other.bucket.region(), other.credentials.unwrap().key()), ("r1", "C"));
        let variables = [
            ("AWS_ACCESS_KEY_ID", "E"),
            ("AWS_SECRET_ACCESS_KEY", "F"),
            ("AWS_SESSION_TOKEN", "G"),
            ("AWS_ENDPOINT_URL", "http://a"),
            ("AWS_ENDPOINT_URL_S3", "http://b"),
            ("CHRONICLE_REMOTE_TIMEOUT", "2"),
        ];
        let set = config(&variables, file).unwrap();
        let credentials = set.credentials.unwrap();
        assert_eq!((credentials.key(), credentials.token()), ("E", Some("G")));
        assert_eq!((set.bucket.base_url().as_str(), set.timeout.as_secs()), ("http://b/logs/", 2));
    }

    #[test]
    fn a_malformed_configuration_is_refused_without_its_secrets() {
        for variables in [
            [("AWS_ACCESS_KEY_ID", "hidden"), ("A", "")],
            [("AWS_SECRET_ACCESS_KEY", "hidden"), ("A", "")],
            [("AWS_ENDPOINT_URL", "http://u:hidden@h"), ("A", "")],
            [("AWS_ENDPOINT_URL", "ftp://hidden"), ("A", "")],
            [("AWS_ENDPOINT_URL", "hidden"), ("A", "")],
            [("AWS_REGION", "hidden/x"), ("A", "")],
            [("CHRONICLE_REMOTE_TIMEOUT", "0"), ("A", "")],
        ] {
            let error = config(&variables, "").err().unwrap();
            assert!(error.kind() == ErrorKind::InvalidInput && !error.to_string().contains("hidden"), "{error}");
        }
    }
}
