//! PutMetricData: gives figures to CloudWatch, as of the moment when it receives them.
//!
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>)

use serde::Serialize;

use super::{BRIEF, CloudWatch};
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method, Payload, Request};

/// Kept by the second (`StorageResolution` 1): what alarms and policies of 10 s periods need; the
/// usual 60 is kept by the minute.
pub const RESOLUTION: u32 = 1;

/// A figure of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The metric's name.
    pub name: &'static str,
    /// How many of it there are, on average perhaps.
    pub count: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    namespace: &'a str,
    metric_data: Vec<Datum>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    metric_name: &'static str,
    value: f64,
    unit: &'static str,
    storage_resolution: u32,
}

impl CloudWatch {
    /// Puts figures into `namespace`, without dimensions. An attempt whose answer was lost is made again:
    /// a figure may then be there twice, which changes no average.
    ///
    /// # Errors
    /// What kept them from being put.
    pub fn put(&self, namespace: &str, figures: &[Figure]) -> Result<(), Error> {
        let datum = |figure: &Figure| Datum {
            metric_name: figure.name,
            value: figure.count,
            unit: "Count",
            storage_resolution: RESOLUTION,
        };
        let input = Input { namespace, metric_data: figures.iter().map(datum).collect() };
        let body =
            serde_json::to_vec(&input).map_err(|e| Error::Configuration(format!("PutMetricData: {e}")))?;
        let request = Request {
            method: Method::Post,
            url: format!("{}/", self.url),
            headers: vec![
                ("content-type", "application/x-amz-json-1.0".to_owned()),
                ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData".to_owned()),
            ],
            body: Payload::bytes(&body),
            answer: Answer::Document,
        };
        self.client.call(&request, &BRIEF).map(drop)
    }
}
