//! DeleteObject: removes an object.
//!
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>)

use super::{BRIEF, S3};
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method};

impl S3 {
    /// Removes an object; one that is not there counts as removed.
    ///
    /// # Errors
    /// What kept it from being removed.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        match self.client.call(&self.request(Method::Delete, key, Answer::Document), &BRIEF) {
            Ok(_) => Ok(()),
            Err(error) if error.refused("NoSuchKey").is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }
}
