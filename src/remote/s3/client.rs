//! [`S3Client`]: sends signed requests to one bucket, with bounded answers, timeouts and retries.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use rusty_s3::S3Action;
use rusty_s3::actions::{GetObject, HeadObject, PutObject};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::answer::{HttpFailure, MAX_ERROR_BYTES, Retry, failure_of_status, failure_of_transport};
use super::config::S3Config;

/// How often a request is sent before it fails.
const MAX_ATTEMPTS: u32 = 4;
/// The pause before the second attempt. It doubles with each further attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long the signature of a request is valid.
const SIGNATURE_VALIDITY: Duration = Duration::from_secs(15 * 60);
/// Largest size of the headers of an answer, in bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// What a server says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectState {
    /// Its size, in bytes.
    pub(super) bytes: u64,
    /// The tag that changes with its content.
    pub(super) etag: String,
}

/// A client of one bucket.
pub(super) struct S3Client {
    pub(super) config: S3Config,
    agent: Agent,
}

impl std::fmt::Debug for S3Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The credentials must appear nowhere.
        f.debug_struct("S3Client").field("bucket", &self.config.bucket.name()).finish_non_exhaustive()
    }
}

impl S3Client {
    /// Creates a client with the configuration of the environment. Sends nothing.
    ///
    /// # Errors
    /// Those of [`S3Config::load`].
    pub(super) fn of_bucket(bucket: &str) -> io::Result<Self> {
        let config = S3Config::load(bucket)?;
        let step = Some(config.timeout);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A redirected request would not have the right signature, and could lead anywhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_HEADER_BYTES)
            .timeout_resolve(step)
            .timeout_connect(step)
            .timeout_recv_response(step)
            .timeout_per_read(step)
            .timeout_per_write(step)
            .user_agent(concat!("chronicle/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { config, agent })
    }

    /// Asks for the size and the tag of an object.
    ///
    /// # Errors
    /// `NotFound` when there is no such object; `InvalidData` for a malformed answer; otherwise that of the request.
    pub(super) fn head(&self, key: &str) -> io::Result<ObjectState> {
        retry(|| {
            let action = HeadObject::new(&self.config.bucket, self.config.credentials.as_ref(), key);
            let answer = self.agent.head(action.sign(SIGNATURE_VALIDITY).as_str()).call();
            let answer = self.check(answer)?;
            object_state(answer.headers(), answer.body().content_length())
        })
    }

    /// Reads `len` bytes at `offset` of an object that must still have the tag `etag`. `len` is at most what the object has.
    ///
    /// # Errors
    /// `StaleNetworkFileHandle` when the object has another tag; `NotFound` when it is gone; `InvalidData` for a malformed answer;
    /// otherwise that of the request.
    pub(super) fn read_range(&self, key: &str, etag: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        if len == 0 {
            return Ok(Vec::new());
        }
        let last = offset.saturating_add(len as u64 - 1);
        retry(|| {
            let action = GetObject::new(&self.config.bucket, self.config.credentials.as_ref(), key);
            let request = self.agent.get(action.sign(SIGNATURE_VALIDITY).as_str());
            let request = request.header("range", format!("bytes={offset}-{last}")).header("if-match", etag);
            let answer = self.check(request.call()).map_err(|failure| match failure.error.kind() {
                ErrorKind::AlreadyExists => changed("another tag"),
                _ => failure,
            })?;
            let found = header(answer.headers(), "etag");
            // Some servers ignore the condition, so the tag of every answer is compared.
            if found != Some(etag) {
                return Err(changed(found.unwrap_or("no tag")));
            }
            let range = format!("bytes {offset}-{last}/");
            let is_range = header(answer.headers(), "content-range").is_some_and(|found| found.starts_with(&range));
            let is_whole = answer.status() == 200 && offset == 0 && answer.body().content_length() == Some(len as u64);
            if !is_range && !is_whole {
                return Err(malformed(&format!("expected {range}, found another range")));
            }
            read_exact(answer, len)
        })
    }

    /// Reads a whole object of at most `max_bytes`.
    ///
    /// # Errors
    /// `NotFound` when there is no such object; `InvalidData` when it is larger; otherwise that of the request.
    pub(super) fn read(&self, key: &str, max_bytes: u64) -> io::Result<Vec<u8>> {
        retry(|| {
            let action = GetObject::new(&self.config.bucket, self.config.credentials.as_ref(), key);
            let answer = self.check(self.agent.get(action.sign(SIGNATURE_VALIDITY).as_str()).call())?;
            let announced = answer.body().content_length();
            let bytes = read_bounded(answer, max_bytes.saturating_add(1))?;
            if bytes.len() as u64 > max_bytes {
                let reason = format!("expected at most {max_bytes} bytes, found more");
                return Err(HttpFailure::new(ErrorKind::InvalidData, reason, Retry::Useless));
            }
            match announced {
                Some(len) if len != bytes.len() as u64 => Err(cut(bytes.len())),
                _ => Ok(bytes),
            }
        })
    }

    /// Writes an object; with `only_new`, only when there is none with the key.
    ///
    /// # Errors
    /// `AlreadyExists` when there is one; otherwise that of the request.
    pub(super) fn write(&self, key: &str, bytes: &[u8], only_new: bool) -> io::Result<()> {
        let mut attempts = 0;
        let written = retry(|| {
            attempts += 1;
            let action = PutObject::new(&self.config.bucket, self.config.credentials.as_ref(), key);
            let request = self.agent.put(action.sign(SIGNATURE_VALIDITY).as_str());
            let request = if only_new { request.header("if-none-match", "*") } else { request };
            self.check(request.send(bytes)).map(drop)
        });
        match written {
            // The first attempt may have been stored although its answer was lost.
            Err(error) if only_new && attempts > 1 && error.kind() == ErrorKind::AlreadyExists => {
                if self.read(key, bytes.len() as u64).is_ok_and(|found| found == bytes) { Ok(()) } else { Err(error) }
            }
            written => written,
        }
    }

    /// Sends a request for a document, and reads it.
    ///
    /// # Errors
    /// `InvalidData` when it has more than `max_bytes`; otherwise that of the request.
    pub(super) fn read_document<'a>(&self, action: &impl S3Action<'a>, max_bytes: u64) -> io::Result<String> {
        retry(|| {
            let answer = self.check(self.agent.get(action.sign(SIGNATURE_VALIDITY).as_str()).call())?;
            let bytes = read_bounded(answer, max_bytes.saturating_add(1))?;
            if bytes.len() as u64 > max_bytes {
                return Err(malformed(&format!("expected at most {max_bytes} bytes, found more")));
            }
            String::from_utf8(bytes).map_err(|_| malformed("expected text, found other bytes"))
        })
    }

    /// Returns the answer of a request that succeeded.
    fn check(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, HttpFailure> {
        let answer = answer.map_err(failure_of_transport)?;
        let status = answer.status().as_u16();
        if matches!(status, 200..=299) {
            return Ok(answer);
        }
        let region = header(answer.headers(), "x-amz-bucket-region").filter(|region| {
            *region != self.config.bucket.region()
                && region.len() < 64
                && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
        let region = region.map(str::to_owned);
        let mut document = Vec::new();
        // The error document only adds the code to the status.
        let _ = answer.into_body().into_reader().take(MAX_ERROR_BYTES).read_to_end(&mut document);
        Err(failure_of_status(status, &document, region.as_deref()))
    }
}

/// Sends a request again after a pause, as long as that can help.
fn retry<T>(mut send: impl FnMut() -> Result<T, HttpFailure>) -> io::Result<T> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        match send() {
            Ok(answer) => return Ok(answer),
            Err(HttpFailure { error, retry }) if retry == Retry::Useless || attempt == MAX_ATTEMPTS => {
                return Err(match attempt {
                    1 => error,
                    attempts => io::Error::new(error.kind(), format!("{error} ({attempts} attempts)")),
                });
            }
            Err(_) => {}
        }
        std::thread::sleep(pause);
        (pause, attempt) = (pause * 2, attempt + 1);
    }
}

fn object_state(headers: &HeaderMap, body_len: Option<u64>) -> Result<ObjectState, HttpFailure> {
    let bytes = header(headers, "content-length").and_then(|len| len.parse().ok()).or(body_len);
    match (bytes, header(headers, "etag")) {
        (Some(bytes), Some(etag)) if etag.len() <= 256 => Ok(ObjectState { bytes, etag: etag.to_owned() }),
        _ => Err(malformed("expected the size and the tag of the object")),
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Reads a body that must have exactly `len` bytes.
fn read_exact(answer: Response<Body>, len: usize) -> Result<Vec<u8>, HttpFailure> {
    let bytes = read_bounded(answer, len as u64 + 1)?;
    match bytes.len() {
        found if found == len => Ok(bytes),
        found if found < len => Err(cut(found)),
        _ => Err(malformed(&format!("expected {len} bytes, found more"))),
    }
}

fn read_bounded(answer: Response<Body>, max_bytes: u64) -> Result<Vec<u8>, HttpFailure> {
    let mut bytes = Vec::new();
    // The size that the server announces is not reserved: it can be any number.
    let read = answer.into_body().into_reader().take(max_bytes).read_to_end(&mut bytes);
    read.map_err(|error| failure_of_transport(ureq::Error::from(error)))?;
    Ok(bytes)
}

fn cut(found: usize) -> HttpFailure {
    let reason = format!("the connection to the server ended after {found} bytes");
    HttpFailure::new(ErrorKind::ConnectionAborted, reason, Retry::Possible)
}

fn malformed(reason: &str) -> HttpFailure {
    HttpFailure::new(ErrorKind::InvalidData, format!("malformed answer of the server: {reason}"), Retry::Useless)
}

/// The failure for an object that is not the one that was opened.
fn changed(found: &str) -> HttpFailure {
    let found: String = found.chars().filter(char::is_ascii_graphic).take(64).collect();
    HttpFailure::new(ErrorKind::StaleNetworkFileHandle, found, Retry::Useless)
}
