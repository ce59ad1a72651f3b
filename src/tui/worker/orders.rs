//! What the scan behind the screen is told, from whatever thread.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

/// What the scan is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// It goes on; what is through reads what was only verified earlier.
    Go,
    /// The log has grown.
    Grown,
    /// What it knows no longer holds.
    Restart,
    /// Somebody has met damage here.
    LookAt(Range<u64>),
}

/// The scan, from outside.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
}

impl Handle {
    /// By which the scan hears, and what stops it.
    pub(super) const fn new(orders: Sender<Order>, stop: Arc<AtomicBool>) -> Self {
        Self { orders, stop }
    }

    /// It stops where it is.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// It goes on.
    pub(super) fn go(&self) {
        self.stop.store(false, Ordering::Release);
        let _ = self.orders.send(Order::Go);
    }

    /// The log has grown.
    pub(super) fn grown(&self) {
        let _ = self.orders.send(Order::Grown);
    }

    /// Somebody has met damage here.
    pub(super) fn look_at(&self, range: Range<u64>) {
        let _ = self.orders.send(Order::LookAt(range));
    }

    /// The log is another one, or has lost its end.
    pub(super) fn restart(&self) {
        let _ = self.orders.send(Order::Restart);
    }
}
