//! The places where credentials are looked for, one by one.

use std::sync::Arc;

use super::{Credentials, Source};
use crate::aws::environment::Environment;
use crate::aws::error::Error;
use crate::aws::imds::Imds;
use crate::aws::profile::Profile;

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for a session, `AWS_SESSION_TOKEN`.
pub struct Variables(Environment);

impl Variables {
    /// Those of `environment`.
    pub fn new(environment: &Environment) -> Variables {
        Variables(environment.clone())
    }
}

impl Source for Variables {
    fn fetch(&self) -> Result<Option<Credentials>, Error> {
        let get = |name| self.0.get(name);
        keys((get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN")), || {
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set both or neither".to_owned()
        })
    }

    fn name(&self) -> &'static str {
        "the environment (AWS_ACCESS_KEY_ID)"
    }
}

/// The keys of a profile, read anew each time: other tools write a session's keys there.
pub struct ProfileKeys(Environment);

impl ProfileKeys {
    /// Those of the profile that `environment` names.
    pub fn new(environment: &Environment) -> ProfileKeys {
        ProfileKeys(environment.clone())
    }
}

/// Settings of a profile by which other tools get keys.
const OTHER_WAYS: &[&str] = &[
    "role_arn",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "web_identity_token_file",
    "login_session",
];

impl Source for ProfileKeys {
    fn fetch(&self) -> Result<Option<Credentials>, Error> {
        let profile = Profile::load(&self.0)?;
        let get = |name: &str| profile.get(name);
        // The SDKs let a role go before the keys in the same profile: those are for assuming it.
        let found = (get("aws_access_key_id"), get("aws_secret_access_key"), get("aws_session_token"));
        match OTHER_WAYS.iter().find(|way| profile.get(way).is_some()) {
            Some(way) if *way == "role_arn" || found.0.is_none() => Err(Error::Credentials(format!(
                "profile {:?} gets its credentials by {way}, which is not supported: run `eval \"$(aws configure \
                 export-credentials --profile {:?} --format env)\"` first, or name a profile with keys",
                profile.name, profile.name
            ))),
            _ => keys(found, || {
                format!(
                    "profile {:?} must have both aws_access_key_id and aws_secret_access_key, or neither",
                    profile.name
                )
            }),
        }
    }

    fn name(&self) -> &'static str {
        "the profile files (~/.aws/credentials)"
    }
}

fn keys(
    (access_key, secret, token): (Option<&str>, Option<&str>, Option<&str>),
    half: impl Fn() -> String,
) -> Result<Option<Credentials>, Error> {
    match (access_key, secret, token) {
        (Some(access_key), Some(secret), None) => Ok(Some(Credentials::lasting(access_key, secret))),
        (Some(access_key), Some(secret), Some(token)) => {
            Ok(Some(Credentials::temporary(access_key, secret, token, None)))
        }
        (None, None, _) => Ok(None),
        _ => Err(Error::Credentials(half())),
    }
}

/// Places that AWS's tools know and this program does not.
pub struct Unsupported(Environment);

impl Unsupported {
    /// Those that `environment` configures.
    pub fn new(environment: &Environment) -> Unsupported {
        Unsupported(environment.clone())
    }
}

impl Source for Unsupported {
    fn fetch(&self) -> Result<Option<Credentials>, Error> {
        const VARIABLES: [&str; 3] = [
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        match VARIABLES.iter().find(|name| self.0.get(name).is_some()) {
            Some(name) => Err(Error::Credentials(format!(
                "{name} is set, and credentials from there are not supported: set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or unset it to use the machine's role"
            ))),
            None => Ok(None),
        }
    }

    fn name(&self) -> &'static str {
        "a web identity or a container"
    }
}

/// The role that is attached to this EC2 machine.
pub struct MachineRole(Arc<Imds>);

impl MachineRole {
    /// The role that `imds` knows.
    pub fn new(imds: Arc<Imds>) -> MachineRole {
        MachineRole(imds)
    }
}

impl Source for MachineRole {
    fn fetch(&self) -> Result<Option<Credentials>, Error> {
        // The last place: what is wrong there is worth saying, and the other places with it.
        self.0.role_credentials().map(Some).map_err(|error| {
            Error::Credentials(format!(
                "no AWS credentials: none in the environment (AWS_ACCESS_KEY_ID), none in ~/.aws/credentials, and {error}"
            ))
        })
    }

    fn name(&self) -> &'static str {
        "the role of this EC2 machine"
    }
}

#[cfg(test)]
mod tests {
    use super::super::Chain;
    use super::*;

    fn found(variables: &[(&str, &str)], credentials_file: &str) -> Result<Option<Credentials>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, credentials_file).unwrap();
        let file = [("AWS_SHARED_CREDENTIALS_FILE", path.to_str().unwrap())];
        let all = variables.iter().chain(&file).map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Chain::standard(&all.collect(), None).fetch()
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s")];
    const FILE: &str = "[default]\naws_access_key_id=FROMFILE\naws_secret_access_key=s\n";

    #[test]
    fn the_environment_goes_before_the_files() {
        assert_eq!(found(&KEYS, FILE).unwrap(), Some(Credentials::lasting("AK", "s")));
        assert_eq!(found(&[], FILE).unwrap(), Some(Credentials::lasting("FROMFILE", "s")));
        let session = [KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", "t")];
        assert_eq!(found(&session, "").unwrap(), Some(Credentials::temporary("AK", "s", "t", None)));
    }

    #[test]
    fn what_is_half_there_or_not_supported_is_an_error_and_not_passed_over() {
        let none: &[(&str, &str)] = &[];
        for (variables, file, word) in [
            (&KEYS[..1], FILE, "both or neither"),
            (none, "[default]\naws_access_key_id=A\n", "or neither"),
            (none, "[default]\nsso_session=x\n", "sso_session"),
            (none, "[default]\nrole_arn=arn:x\nsource_profile=y\n", "role_arn"),
            (none, "[default]\ncredential_process=/bin/x\n", "credential_process"),
            (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/x")], "", "AWS_WEB_IDENTITY_TOKEN_FILE"),
            (&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://x")], "", "FULL_URI"),
        ] {
            let error = found(variables, file).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn nothing_anywhere_says_where_it_was_looked() {
        let error = found(&[], "").unwrap_err().to_string();
        assert!(error.contains("AWS_ACCESS_KEY_ID") && error.contains("~/.aws/credentials"), "{error}");
    }
}
