//! [`ShipStatus`]: how far a log was sent to a stream, and [`ShipEnd`]: why the sending has ended.

use std::ops::ControlFlow;

use crate::format::Finding;

/// How far a shipper is.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShipStatus {
    /// The number of frames that this shipper has sent, and that are stored.
    pub(crate) frames: u64,
    /// Their bytes in the log.
    pub(crate) bytes: u64,
    /// The end of the last frame in the stream.
    pub(crate) position: u64,
    /// The sequence number of that frame.
    pub(crate) sequence: u64,
    /// The frames of the log that are not in the stream yet.
    pub(crate) lag_frames: u64,
    /// Their bytes.
    pub(crate) lag_bytes: u64,
    /// The time of the first event that is not in the stream yet, in milliseconds since the Unix epoch.
    pub(crate) lag_since_ms: Option<u64>,
    /// Why the server cannot be used at present.
    pub(crate) trouble: Option<String>,
}

/// Why [`Shipper::ship`](super::Shipper::ship) has returned.
#[derive(Debug)]
pub(crate) enum ShipEnd {
    /// Every complete frame that was in the log is in the stream.
    CaughtUp,
    /// The next frame is damaged.
    Damage(Box<Finding>),
    /// The caller has ended it.
    Stopped,
}

/// A callback that receives the status after each step. Its break ends the shipping.
pub(crate) type OnShipped<'a> = dyn FnMut(&ShipStatus) -> ControlFlow<()> + 'a;
