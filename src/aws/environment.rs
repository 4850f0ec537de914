//! The variables that AWS's tools read, taken once: what tests inject and nothing else reads.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Variables by name. Their values may be secrets and are never shown.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's: those whose name begins with `AWS_`, the home folder and the proxies.
    pub fn of_process() -> Environment {
        const OTHERS: [&str; 5] = ["HOME", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];
        let wanted = |name: &str| name.starts_with("AWS_") || OTHERS.contains(&name);
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| wanted(name))
            .collect()
    }

    /// A variable's value; one that is empty counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is `true`, in any case of letters.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The file that a variable names, or `default` in the home folder; `~/` is the home folder.
    pub fn file(&self, name: &str, default: &str) -> Option<PathBuf> {
        let text = self.get(name).unwrap_or(default);
        match text.strip_prefix("~/") {
            Some(rest) => Some(PathBuf::from(self.get("HOME")?).join(rest)),
            None => Some(PathBuf::from(text)),
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Environment {
        Environment(variables.into_iter().collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
