//! What the answers of a server mean: the errors of requests, as errors of the operating system that say what to do.

use std::io::{self, ErrorKind};

/// Largest number of bytes of an error document that are read.
pub(super) const MAX_ERROR_BYTES: u64 = 64 << 10;
/// Largest length of a code that a message repeats.
const MAX_CODE_LEN: usize = 64;

/// Whether a failed request can succeed when it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// The server is busy, or the connection broke.
    Possible,
    /// The answer is final.
    Useless,
}

/// A failed request.
#[derive(Debug)]
pub(super) struct HttpFailure {
    pub(super) error: io::Error,
    pub(super) retry: Retry,
}

impl HttpFailure {
    pub(super) fn new(kind: ErrorKind, reason: impl Into<String>, retry: Retry) -> Self {
        Self { error: io::Error::new(kind, reason.into()), retry }
    }
}

/// Interprets a status that is no success. `document` is the start of the error document of the server, and `region` the region that
/// the server gives for the bucket.
pub(super) fn failure_of_status(status: u16, document: &[u8], region: Option<&str>) -> HttpFailure {
    let code = error_code(document);
    let shown = code.as_deref().map(|code| format!(", {code}")).unwrap_or_default();
    let (kind, reason, retry) = match (status, code.as_deref()) {
        (404, Some("NoSuchBucket")) => (ErrorKind::Other, "the server has no such bucket".to_owned(), Retry::Useless),
        (404, _) => (ErrorKind::NotFound, "the server has no such object".to_owned(), Retry::Useless),
        (401 | 403, _) => {
            let reason = format!(
                "the server refuses access (status {status}{shown}); check the credentials, their rights and the clock of this machine"
            );
            (ErrorKind::PermissionDenied, reason, Retry::Useless)
        }
        (301 | 307 | 400, _) if region.is_some() => {
            let region = region.unwrap_or_default();
            let reason = format!("the bucket is in the region {region}; set AWS_REGION to it");
            (ErrorKind::InvalidInput, reason, Retry::Useless)
        }
        (412, _) => (ErrorKind::AlreadyExists, format!("the condition is not met (status 412{shown})"), Retry::Useless),
        (408 | 429 | 500..=599, _) | (409, Some("ConditionalRequestConflict")) => {
            (ErrorKind::Other, format!("the server answers with status {status}{shown}"), Retry::Possible)
        }
        _ => (ErrorKind::Other, format!("the server answers with status {status}{shown}"), Retry::Useless),
    };
    HttpFailure::new(kind, reason, retry)
}

/// Interprets a failure of the connection. The message has no URL, because a signed URL has credentials.
pub(super) fn failure_of_transport(error: ureq::Error) -> HttpFailure {
    let (kind, reason) = match error {
        ureq::Error::Timeout(_) => (ErrorKind::TimedOut, "the server does not answer in time".to_owned()),
        ureq::Error::HostNotFound => (ErrorKind::Other, "the host of the server is not known".to_owned()),
        ureq::Error::ConnectionFailed => (ErrorKind::ConnectionRefused, "no connection to the server".to_owned()),
        ureq::Error::Io(error) if error.kind() == ErrorKind::TimedOut => {
            (ErrorKind::TimedOut, "the server does not answer in time".to_owned())
        }
        // The kind is never that of a fault of a disk, nor that of a file that is missing.
        ureq::Error::Io(error) => {
            (ErrorKind::ConnectionAborted, format!("the connection to the server failed: {error}"))
        }
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            let reason = "no secure connection: the certificate of the server is not accepted".to_owned();
            return HttpFailure::new(ErrorKind::ConnectionAborted, reason, Retry::Useless);
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            let reason = "the request cannot be sent: the endpoint or the proxy is malformed";
            return HttpFailure::new(ErrorKind::InvalidInput, reason, Retry::Useless);
        }
        _ => {
            (ErrorKind::ConnectionAborted, "the connection to the server failed, or its answer is malformed".to_owned())
        }
    };
    HttpFailure::new(kind, reason, Retry::Possible)
}

/// Returns the code in an error document, when it consists of letters and digits.
fn error_code(document: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(document);
    let code = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
    let is_code =
        !code.is_empty() && code.len() <= MAX_CODE_LEN && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_error() {
        let failure = |status, document: &str, region| failure_of_status(status, document.as_bytes(), region);
        let is = |found: HttpFailure, kind, retry, text: &str| {
            assert!(
                found.error.kind() == kind && found.retry == retry && found.error.to_string().contains(text),
                "{found:?}"
            );
        };
        is(failure(404, "", None), ErrorKind::NotFound, Retry::Useless, "no such object");
        is(
            failure(404, "<Error><Code>NoSuchBucket</Code></Error>", None),
            ErrorKind::Other,
            Retry::Useless,
            "no such bucket",
        );
        is(
            failure(403, "<Code>AccessDenied</Code>", None),
            ErrorKind::PermissionDenied,
            Retry::Useless,
            "AccessDenied",
        );
        is(failure(503, "<Code>SlowDown</Code>", None), ErrorKind::Other, Retry::Possible, "503, SlowDown");
        is(failure(301, "", Some("eu-west-1")), ErrorKind::InvalidInput, Retry::Useless, "region eu-west-1");
        is(failure(412, "", None), ErrorKind::AlreadyExists, Retry::Useless, "condition");
        for hostile in
            ["<Code>\u{1b}[2J</Code>", "<Code></Code>", "<Code>", &format!("<Code>{}</Code>", "a".repeat(65))]
        {
            assert_eq!(error_code(hostile.as_bytes()), None, "{hostile:?}");
        }
    }
}
