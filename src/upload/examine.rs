//! Looks at a file's header: is it an image that is taken, and what will be stored of it?
//!
//! Nothing is decoded here: that is a worker's.

use std::io::{self, Read};

use super::Error;
use super::spool::Spool;
use crate::image;
use crate::image::metadata::{Stripped, strip};
use crate::image::probe::{Probe, probe};
use crate::store::Content;

/// An image that is taken, and its bytes as the world may read them: without metadata that tell of
/// the person (the place above all).
pub struct Original<'s> {
    /// What its header says.
    pub probe: Probe,
    stripped: Stripped,
    spool: &'s Spool,
}

/// Looks at a file.
///
/// # Errors
/// [`Error::Image`] for what is no image, none that is taken, or has too many pixels, or can't be read.
pub fn examine(spool: &Spool, max_pixels: u64) -> Result<Original<'_>, Error> {
    let probe = probe(spool.reader(), spool.length())?;
    if probe.size.pixels() > max_pixels {
        return Err(image::Error::TooManyPixels { size: probe.size, limit: max_pixels }.into());
    }
    let stripped = strip(spool.reader(), spool.length(), &probe)?;
    Ok(Original { probe, stripped, spool })
}

impl Content for Original<'_> {
    fn length(&self) -> u64 {
        self.stripped.length()
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.stripped.read_from(self.spool.reader())))
    }
}
