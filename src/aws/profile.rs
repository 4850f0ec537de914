//! The profile files of AWS's tools, `~/.aws/credentials` and `~/.aws/config`.
//!
//! Of a profile, its keys, region and endpoint are used. One that gets its keys in another way is
//! refused with its name, rather than passed over for some other identity.
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>)

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::environment::Environment;
use super::error::Error;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// The settings of one profile, by lower-case name. Some are secrets, so values are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    settings: BTreeMap<String, String>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, else `default`; an empty one if there are no files.
    ///
    /// # Errors
    /// When a file can't be read, or the profile that is named is in neither.
    pub fn load(environment: &Environment) -> Result<Profile, Error> {
        let named = environment.get("AWS_PROFILE");
        let name = named.unwrap_or("default");
        let config = read(environment, "AWS_CONFIG_FILE", "~/.aws/config")?;
        let credentials = read(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")?;
        let from_config = section(&config, &format!("profile {name}"))
            .or_else(|| section(&config, name).filter(|_| name == "default"));
        let from_credentials = section(&credentials, name);
        if named.is_some() && from_config.is_none() && from_credentials.is_none() {
            return Err(Error::Configuration(format!(
                "AWS_PROFILE is {name:?}, and no such profile is in ~/.aws/config or ~/.aws/credentials (or the \
                 files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name)"
            )));
        }
        let mut settings = from_config.unwrap_or_default();
        settings.extend(from_credentials.unwrap_or_default());
        Ok(Profile { name: name.to_owned(), settings })
    }

    /// A setting's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn read(environment: &Environment, variable: &str, default: &str) -> Result<String, Error> {
    let Some(path) = environment.file(variable, default) else { return Ok(String::new()) };
    let wrong = |why: String| Error::Configuration(format!("{}: {why}", path.display()));
    match length(&path) {
        Ok(length) if length > MAX_BYTES => return Err(wrong(format!("larger than {MAX_BYTES} bytes"))),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(e) => return Err(wrong(e.to_string())),
    }
    std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))
}

fn length(path: &Path) -> std::io::Result<u64> {
    std::fs::metadata(path).map(|metadata| metadata.len())
}

/// The settings under `[name]`; `None` if there is no such line. Lines that are indented belong to a
/// setting that is not used here.
fn section(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut inside = false;
    for line in text.lines() {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || (nested && !line.starts_with('[')) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split_once(']').map_or("", |(header, _)| header);
            let words: Vec<&str> = header.split_whitespace().collect();
            inside = words.join(" ").replace('"', "") == name;
            if inside {
                found.get_or_insert_default();
            }
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            let value = value.split_once(" #").map_or(value, |(value, _)| value);
            let value = value.split_once(" ;").map_or(value, |(value, _)| value);
            found.get_or_insert_default().insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "# comment\n[default]\nregion = eu-west-1\n\n[profile work]\nregion=us-west-2 # here\n\
        s3 =\n  addressing_style = path\n[profile \"two words\"]\nregion=x\n[work]\nregion=wrong\n";
    const CREDENTIALS: &str = "[default]\nAWS_ACCESS_KEY_ID = AK1\naws_secret_access_key = a=b/c+d\n[work]\naws_access_key_id=AK2\n";

    fn load(profile: Option<&str>) -> Result<Profile, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.into_os_string().into_string().unwrap()
        };
        let mut variables = vec![
            ("AWS_CONFIG_FILE".to_owned(), file("config", CONFIG)),
            ("AWS_SHARED_CREDENTIALS_FILE".to_owned(), file("credentials", CREDENTIALS)),
        ];
        variables.extend(profile.map(|name| ("AWS_PROFILE".to_owned(), name.to_owned())));
        Profile::load(&variables.into_iter().collect())
    }

    #[test]
    fn both_files_make_a_profile() {
        let profile = load(None).unwrap();
        assert_eq!(
            (profile.get("region"), profile.get("aws_access_key_id")),
            (Some("eu-west-1"), Some("AK1"))
        );
        assert_eq!(profile.get("aws_secret_access_key"), Some("a=b/c+d"));
        let work = load(Some("work")).unwrap();
        assert_eq!((work.get("region"), work.get("aws_access_key_id")), (Some("us-west-2"), Some("AK2")));
        assert_eq!(work.get("addressing_style"), None);
        assert_eq!(load(Some("two words")).unwrap().get("region"), Some("x"));
    }

    #[test]
    fn a_profile_that_is_named_must_be_there() {
        assert!(load(Some("gone")).unwrap_err().to_string().contains("\"gone\""));
    }

    #[test]
    fn no_files_are_no_profile_and_no_error() {
        let empty = Environment::from([("HOME", "/nonexistent/home")]);
        assert_eq!(Profile::load(&empty).unwrap().get("region"), None);
        assert_eq!(Profile::load(&Environment::from([])).unwrap().get("region"), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", load(None).unwrap()).contains("a=b"));
    }
}
