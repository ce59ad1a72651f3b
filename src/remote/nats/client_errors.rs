//! The errors of the client library, in the words of this program.

use async_nats::jetstream;

use super::error::NatsError;

/// Returns the error of a request that the server refused.
pub(super) fn refused(error: &jetstream::Error) -> NatsError {
    match error.error_code().0 {
        10_059 => NatsError::NoStream,
        10_071 | 10_164 => NatsError::WrongLastSequence,
        10_039 | 10_076 => NatsError::NoJetStream,
        code => NatsError::Refused { code, description: error.to_string() },
    }
}

/// Returns the error of a request that got no answer.
pub(super) fn request_error(error: &(dyn std::error::Error + 'static)) -> NatsError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    if text.contains("no responders") { NatsError::NoJetStream } else { NatsError::Unreachable(text) }
}
