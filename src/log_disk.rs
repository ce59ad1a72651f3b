//! [`log_disk`]: the disk through which the commands and the screen open logs.

use std::sync::Arc;

use crate::file::Disk;
#[cfg(not(feature = "remote"))]
use crate::file::OsDisk;

/// Returns the disk that opens local paths, and the URLs of servers that this build knows. Its cache is shared by the process.
pub(crate) fn log_disk() -> Arc<dyn Disk> {
    #[cfg(feature = "remote")]
    let disk = crate::remote::routing_disk();
    #[cfg(not(feature = "remote"))]
    let disk = Arc::new(OsDisk);
    disk
}
