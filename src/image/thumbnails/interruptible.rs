//! A sink that lets its caller end the decoding between two rows. How long a picture may take is for
//! the caller to know: there is no clock here.

use crate::image::{Detail, Error, Layout, Sink, Size};

/// Passes everything on to `sink` while `go_on` says so.
pub(super) struct Interruptible<'a> {
    pub(super) sink: &'a mut dyn Sink,
    pub(super) go_on: &'a dyn Fn() -> bool,
}

impl Interruptible<'_> {
    fn check(&self) -> Result<(), Error> {
        if (self.go_on)() { Ok(()) } else { Err(Error::Interrupted) }
    }
}

impl Sink for Interruptible<'_> {
    fn takes_inks(&self) -> bool {
        self.sink.takes_inks()
    }

    fn detail(&self, size: Size) -> Detail {
        self.sink.detail(size)
    }

    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        self.check()?;
        self.sink.start(layout)
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        self.check()?;
        self.sink.row(plane, samples)
    }

    fn rows(&mut self, plane: usize, length: usize, samples: &[u8]) -> Result<(), Error> {
        self.check()?;
        self.sink.rows(plane, length, samples)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::tests::{PLENTY, spec};
    use super::super::{make, make_while};
    use crate::image::pictures::bytes;
    use crate::image::{Error, Format};

    #[test]
    fn a_decoding_ends_at_the_row_at_which_its_caller_wants_no_more() {
        for name in [
            "rgb-8.png",
            "rgb-16-interlaced.png",
            "baseline-420.jpg",
            "progressive-420.jpg",
            "static.gif",
            "lossy.webp",
        ] {
            let (file, wanted) = (bytes(name), [spec(20, 20, Format::Png)]);
            let asked = Cell::new(0);
            let until = |most: u32| {
                asked.set(0);
                make_while(&file, &wanted, &PLENTY, &|| {
                    asked.set(asked.get() + 1);
                    asked.get() <= most
                })
            };
            assert_eq!(until(u32::MAX), make(&file, &wanted, &PLENTY), "{name}");
            assert!(asked.get() > 2, "{name}: asked {} times", asked.get());
            assert_eq!((until(2), asked.get()), (Err(Error::Interrupted), 3), "{name}");
        }
    }
}
