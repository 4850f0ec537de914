//! The file systems that a program expects of Linux. The root is the initramfs itself.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

/// One mount: file system, folder, flags, options.
struct Mount(&'static str, &'static str, MountFlags, &'static std::ffi::CStr);

const PLAIN: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// `/tmp` is for the bodies that the server spools: half of the memory at most.
const MOUNTS: [Mount; 5] = [
    Mount("proc", "/proc", PLAIN, c""),
    Mount("sysfs", "/sys", PLAIN, c""),
    Mount("devtmpfs", "/dev", MountFlags::NOSUID.union(MountFlags::NOEXEC), c"mode=755"),
    Mount("tmpfs", "/run", PLAIN, c"mode=755,size=16m"),
    Mount("tmpfs", "/tmp", PLAIN, c"mode=1777,size=50%"),
];

/// Mounts them all.
///
/// # Errors
/// When the kernel refuses one; says which.
pub fn mount_all() -> io::Result<()> {
    for Mount(system, folder, flags, options) in MOUNTS {
        fs::create_dir_all(folder)?;
        match mount(system, folder, system, flags, options) {
            // The kernel may have mounted it itself.
            Ok(()) | Err(Errno::BUSY) => {}
            Err(error) => return Err(io::Error::other(format!("{folder} can't be mounted: {error}"))),
        }
    }
    Ok(())
}
