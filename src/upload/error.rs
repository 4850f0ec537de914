//! What keeps an upload from being accepted. How a client is told is left to `web::problem`.

use std::{fmt, io};

use super::multipart;
use crate::{image, queue, store};

/// Why an upload was not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The body is declared to be neither a form nor an image nor plain bytes.
    NoForm,
    /// The form breaks the rules of `multipart/form-data`.
    Malformed(multipart::Error),
    /// The form's head names no boundary, or one that is not allowed.
    Boundary,
    /// The form has no file.
    NoFile,
    /// The form has more than one file.
    TwoFiles,
    /// A field beside the file has more bytes than the limit.
    FieldTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// What was asked for is no lifetime that an upload can have.
    Lifetime,
    /// The file, or the body, has no bytes.
    Empty,
    /// The file has more bytes than the limit.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file is no image that is taken.
    Image(image::Error),
    /// The bytes could not be kept or read back on this machine.
    Spool(io::Error),
    /// The store did not take the original or its record.
    Store(store::Error),
    /// The queue did not take the job.
    Queue(queue::Error),
    /// The operating system gave no random bytes.
    Random(getrandom::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoForm => f.write_str("neither a form nor an image"),
            Error::Malformed(cause) => write!(f, "the form is malformed: {cause}"),
            Error::Boundary => f.write_str("the form has no valid boundary"),
            Error::NoFile => f.write_str("the form has no file"),
            Error::TwoFiles => f.write_str("the form has more than one file"),
            Error::FieldTooLarge { limit } => write!(f, "a field has more than {limit} bytes"),
            Error::Lifetime => f.write_str("no lifetime that an upload can have"),
            Error::Empty => f.write_str("the file is empty"),
            Error::TooLarge { limit } => write!(f, "the file has more than {limit} bytes"),
            Error::Image(cause) => cause.fmt(f),
            Error::Spool(cause) => write!(f, "spool: {cause}; has SHARER_SPOOL's folder room?"),
            Error::Store(cause) => cause.fmt(f),
            Error::Queue(cause) => cause.fmt(f),
            Error::Random(cause) => write!(f, "no randomness: {cause}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<multipart::Error> for Error {
    fn from(cause: multipart::Error) -> Error {
        Error::Malformed(cause)
    }
}

impl From<image::Error> for Error {
    fn from(cause: image::Error) -> Error {
        Error::Image(cause)
    }
}

impl From<getrandom::Error> for Error {
    fn from(cause: getrandom::Error) -> Error {
        Error::Random(cause)
    }
}
