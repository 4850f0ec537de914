//! ChangeMessageVisibility: hides a received message for longer, or gives it back.
//!
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>)

use std::time::Duration;

use serde::Serialize;

use super::{BRIEF, Nothing, Sqs, seconds};
use crate::aws::error::Error;

/// Longest visibility time-out: 12 hours.
const LONGEST: Duration = Duration::from_secs(43_200);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    queue_url: &'a str,
    receipt_handle: &'a str,
    visibility_timeout: u64,
}

impl Sqs {
    /// Hides a received message for `visibility` from now.
    ///
    /// # Errors
    /// [`is_void`](Error::is_void) if it is held no more.
    pub fn change_visibility(
        &self,
        queue_url: &str,
        receipt: &str,
        visibility: Duration,
    ) -> Result<(), Error> {
        let visibility_timeout = seconds(visibility.min(LONGEST));
        let input = Input { queue_url, receipt_handle: receipt, visibility_timeout };
        self.act::<_, Nothing>("ChangeMessageVisibility", &input, &BRIEF).map(drop)
    }
}

impl Error {
    /// Whether SQS says that a message is not held by the receipt that was shown. It has several
    /// codes for that, one of which means other things as well.
    pub fn is_void(&self) -> bool {
        match self {
            Error::Refused(refusal) => is_void(&refusal.code, &refusal.message),
            _ => false,
        }
    }
}

/// The same of a code and a message.
pub(super) fn is_void(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    match code.rsplit('.').next().unwrap_or(code) {
        "MessageNotInflight" | "ReceiptHandleIsInvalid" => true,
        "InvalidParameterValue" | "InvalidParameterValueException" => {
            message.contains("receipt handle") || message.contains("not available for visibility")
        }
        _ => false,
    }
}
