//! EC2 Auto Scaling in its Query protocol, of which one action is used: how many machines of a group work.
//!
//! (<https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>)

use std::time::Duration;

use super::client::{Client, Patience};
use super::error::Error;
use super::request::{Answer, Method, Payload, Request, encode_path};
use super::xml::{self, Element};

/// Within the period of the figure that is made of it.
const BRIEF: Patience = Patience::brief(Duration::from_secs(8), xml::MAX_BYTES as u64);

/// The service.
pub struct AutoScaling {
    client: Client,
    url: String,
}

impl AutoScaling {
    /// The service at `url`, without a slash at its end.
    pub fn new(client: Client, url: String) -> AutoScaling {
        AutoScaling { client, url }
    }

    /// How many machines of `group` are in service: neither starting, nor leaving, nor in a warm pool.
    ///
    /// # Errors
    /// What kept it from telling; no such group.
    pub fn in_service(&self, group: &str) -> Result<u64, Error> {
        let name = encode_path(group);
        let form = format!(
            "Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1={name}"
        );
        let request = Request {
            method: Method::Post,
            url: format!("{}/", self.url),
            headers: vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())],
            body: Payload::bytes(form.as_bytes()),
            answer: Answer::Document,
        };
        let response = self.client.call(&request, &BRIEF)?;
        let root = xml::parse(&response.body)
            .map_err(|e| Error::Unexpected(format!("DescribeAutoScalingGroups: {e}")))?;
        count(&root)
            .ok_or_else(|| Error::Configuration(format!("no Auto Scaling group is called {group}")))?
    }
}

/// `None` where no group is described.
fn count(root: &Element) -> Option<Result<u64, Error>> {
    let Some(groups) =
        root.child("DescribeAutoScalingGroupsResult").and_then(|result| result.child("AutoScalingGroups"))
    else {
        return Some(Err(Error::Unexpected(format!("DescribeAutoScalingGroups: <{}>", root.name))));
    };
    let instances = groups.child("member")?.child("Instances");
    let in_service = |member: &&Element| member.child_text("LifecycleState") == Some("InService");
    let count = instances.map_or(0, |all| all.children.iter().filter(in_service).count());
    Some(Ok(count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::sign::Style;
    use crate::aws::testing::{ManualClock, Script, answer, at, parts};

    fn asked(body: &str) -> (Result<u64, Error>, String) {
        let script = Script::of([answer(200, &[], body)]);
        let clock = ManualClock::at(at(0));
        let client = Client::new(parts(&script, &clock), "autoscaling", Style::Standard, "eu-west-1");
        let counted = AutoScaling::new(client, "https://autoscaling.test".to_owned()).in_service("a b&c");
        (counted, script.seen()[0].body.clone())
    }

    fn response(groups: &str) -> String {
        let name = "DescribeAutoScalingGroups";
        format!(
            "<{name}Response><{name}Result><AutoScalingGroups>{groups}</AutoScalingGroups></{name}Result></{name}Response>"
        )
    }

    #[test]
    fn machines_in_service_are_counted_and_no_others() {
        let machine = |state| format!("<member><LifecycleState>{state}</LifecycleState></member>");
        let states = ["InService", "Pending", "Terminating:Wait", "InService", "Warmed:Stopped", "Standby"];
        let machines: String = states.map(machine).concat();
        let (counted, form) =
            asked(&response(&format!("<member><Instances>{machines}</Instances></member>")));
        assert_eq!(counted.unwrap(), 2);
        let name = "AutoScalingGroupNames.member.1=a%20b%26c";
        assert_eq!(form, format!("Action=DescribeAutoScalingGroups&Version=2011-01-01&{name}"));
    }

    #[test]
    fn an_empty_group_has_none_and_an_absent_one_is_an_error() {
        assert_eq!(asked(&response("<member><Instances/></member>")).0.unwrap(), 0);
        assert!(asked(&response("")).0.unwrap_err().to_string().contains("a b&c"));
        for other in ["<html></html>", "<a><b/></a>", ""] {
            assert!(matches!(asked(other).0, Err(Error::Unexpected(_))), "{other}");
        }
    }
}
