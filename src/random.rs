//! The operating system's randomness, without any file: a static program has it in an empty chroot.
//!
//! How bytes become ids and tokens is left to those who ask.

/// Fills `buffer` with unguessable bytes.
///
/// getrandom(2) is called without libc: the crate `getrandom` looks for libc's function at run time,
/// finds none in a static program, and then needs `/dev/urandom`. Where the kernel lacks the call
/// (Linux before 3.17), it is left to do just that.
///
/// # Errors
/// When the operating system has no randomness to give.
#[cfg(target_os = "linux")]
pub fn fill(buffer: &mut [u8]) -> Result<(), getrandom::Error> {
    use rustix::io::Errno;
    use rustix::rand::{GetRandomFlags, getrandom};

    let mut filled = 0;
    while filled < buffer.len() {
        match getrandom(&mut buffer[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(_) => return getrandom::fill(&mut buffer[filled..]),
        }
    }
    Ok(())
}

/// Fills `buffer` with unguessable bytes.
///
/// # Errors
/// When the operating system has no randomness to give.
#[cfg(not(target_os = "linux"))]
pub fn fill(buffer: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_buffer_is_filled() {
        let mut buffer = [0; 4096];
        fill(&mut buffer).unwrap();
        // A window of 16 bytes is all zeros by chance once in 2^116 runs.
        assert!(buffer.windows(16).all(|window| window != [0; 16]));
    }

    #[test]
    fn no_two_are_the_same() {
        let drawn: std::collections::HashSet<[u8; 16]> = (0..1000)
            .map(|_| {
                let mut buffer = [0; 16];
                fill(&mut buffer).unwrap();
                buffer
            })
            .collect();
        assert_eq!(drawn.len(), 1000);
    }
}
