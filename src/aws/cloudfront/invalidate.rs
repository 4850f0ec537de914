//! CreateInvalidation: has all edges forget what they hold for some paths.
//!
//! (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>)

use std::time::Duration;

use super::Distribution;
use crate::aws::client::Patience;
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method, Payload, Request, hex};

/// Most paths with a `*` that may be under way at once, and so in one call.
pub const MOST_PATHS: usize = 15;

const BRIEF: Patience = Patience::brief(Duration::from_secs(30), 64 * 1024);

impl Distribution {
    /// Has what is held for `paths` forgotten; a `*` at the end stands for any rest. It is done within
    /// minutes after the answer. A call that is sent again is the same call to CloudFront.
    ///
    /// # Errors
    /// What kept it from being begun.
    pub fn invalidate(&self, paths: &[String]) -> Result<(), Error> {
        let mut reference = [0; 16];
        crate::random::fill(&mut reference)
            .map_err(|e| Error::Configuration(format!("no randomness from the system: {e}")))?;
        let body = batch(paths, &hex(&reference));
        let request = Request {
            method: Method::Post,
            url: format!("{}/2020-05-31/distribution/{}/invalidation", self.url, self.id),
            headers: vec![("content-type", "application/xml".to_owned())],
            body: Payload::bytes(body.as_bytes()),
            answer: Answer::Document,
        };
        self.client.call(&request, &BRIEF).map(drop)
    }
}

fn batch(paths: &[String], reference: &str) -> String {
    let items: String =
        paths.iter().map(|path| format!("<Path>{}</Path>", quick_xml::escape::escape(path))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Paths>\
         <Quantity>{}</Quantity><Items>{items}</Items></Paths>\
         <CallerReference>{reference}</CallerReference></InvalidationBatch>",
        paths.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::Client;
    use crate::aws::cloudfront::{home, url};
    use crate::aws::region::Endpoint;
    use crate::aws::sign::Style;
    use crate::aws::testing::{ManualClock, Script, answer, at, parts};
    use crate::aws::xml;

    #[test]
    fn a_call_names_its_paths_and_is_signed_for_the_worlds_region() {
        let script = Script::of([answer(201, &[], "<Invalidation><Id>I1</Id></Invalidation>")]);
        let parts = parts(&script, &ManualClock::at(at(0)));
        let client = Client::new(parts, "cloudfront", Style::Standard, home("eu-west-1"));
        let distribution = Distribution::new(client, url(&Endpoint::Aws, "eu-west-1"), "E1".to_owned());
        distribution.invalidate(&["/a&b/*".to_owned(), "/c/*".to_owned()]).unwrap();
        let [seen] = &script.seen()[..] else { panic!("one request") };
        assert_eq!(
            seen.line,
            "POST https://cloudfront.amazonaws.com/2020-05-31/distribution/E1/invalidation"
        );
        assert!(seen.header("authorization").unwrap().contains("/us-east-1/cloudfront/aws4_request"));
        let batch = xml::parse(seen.body.as_bytes()).unwrap();
        let paths = batch.child("Paths").unwrap();
        assert_eq!(paths.child_text("Quantity"), Some("2"));
        assert_eq!(paths.child("Items").unwrap().child_text("Path"), Some("/a&b/*"));
        assert_eq!(batch.child_text("CallerReference").map(str::len), Some(32));
    }

    #[test]
    fn a_refusal_says_why() {
        let body =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no.</Message></Error></ErrorResponse>";
        let script = Script::of([answer(403, &[], body)]);
        let client =
            Client::new(parts(&script, &ManualClock::at(at(0))), "cloudfront", Style::Standard, home(""));
        let distribution = Distribution::new(client, url(&Endpoint::Aws, ""), "E1".to_owned());
        let error = distribution.invalidate(&["/c/*".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("AccessDenied"), "{error}");
    }

    #[test]
    fn china_has_its_own() {
        assert_eq!(home("cn-north-1"), "cn-northwest-1");
        assert!(url(&Endpoint::Aws, "cn-north-1").ends_with(".cn"));
    }
}
