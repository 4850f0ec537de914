//! GetQueueUrl: the URL that names a queue in all other actions.
//!
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html>)

use serde::{Deserialize, Serialize};

use super::{BRIEF, Sqs};
use crate::aws::error::Error;

#[derive(Serialize)]
struct Input<'a> {
    #[serde(rename = "QueueName")]
    name: &'a str,
    #[serde(rename = "QueueOwnerAWSAccountId", skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    queue_url: String,
}

impl Sqs {
    /// The URL of a queue by its name, in our own account or in another.
    ///
    /// # Errors
    /// A refusal, `QueueDoesNotExist`, if there is no such queue or we may not know of it.
    pub fn queue_url(&self, name: &str, account: Option<&str>) -> Result<String, Error> {
        let output: Output = self.act("GetQueueUrl", &Input { name, account }, &BRIEF)?;
        Ok(output.queue_url)
    }
}

/// The region in a queue's URL, `https://sqs.<region>.amazonaws.com/<account>/<name>`.
pub fn region_of(queue_url: &str) -> Option<&str> {
    let host = queue_url.strip_prefix("https://sqs.")?.split('/').next()?;
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    (!region.is_empty() && !region.contains('.')).then_some(region)
}
