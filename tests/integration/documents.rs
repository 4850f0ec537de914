//! What SECURITY.md names is there: every file, every test, every attack.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// All files below these folders that end so.
fn files(folders: &[&str], end: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        folders.iter().map(|f| Path::new(env!("CARGO_MANIFEST_DIR")).join(f)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false if entry.to_string_lossy().ends_with(end) => found.push(entry),
                false => {}
            }
        }
    }
    found
}

/// The names that stand between `start` and `end` on a line, in all these files.
fn names(files: &[PathBuf], start: &str, end: &str) -> BTreeSet<String> {
    let named = |line: &str| line.split_once(start)?.1.split_once(end).map(|(name, _)| name.to_owned());
    let read = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    files.iter().flat_map(|file| read(file).lines().filter_map(named).collect::<Vec<_>>()).collect()
}

/// What stands between pairs of `mark`.
fn marked(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

#[test]
fn what_the_table_of_threats_names_is_there() {
    let security = include_str!("../../SECURITY.md");
    let mut tests = names(&files(&["src", "tests/integration"], ".rs"), "fn ", "(");
    tests.extend(names(&files(&["tests/deploy"], ".py"), "def ", "("));
    let attacks = files(&["tests/attack"], ".py");
    let mut titles = names(&attacks, "@attack(\"", "\"");
    titles.extend(names(&attacks, "@wall(\"", "\""));
    assert!(titles.len() > 50, "{titles:?}");
    let mut rows = 0;
    for line in security.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| --- ")) {
        let [_, _, places, shown, _] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("not three columns: {line}")
        };
        if places.trim() == "contained in" {
            continue;
        }
        rows += 1;
        let named = marked(places, '`');
        assert!(!named.is_empty() && named.iter().all(|p| Path::new(p).exists()), "{places}");
        // An attack's title may hold code; it is looked at first and taken out.
        let mut rest = shown.to_owned();
        for title in marked(shown, '*') {
            assert!(titles.contains(title), "no attack {title:?}");
            rest = rest.replace(&format!("*{title}*"), "");
        }
        let missing: Vec<&str> =
            marked(&rest, '`').into_iter().filter(|name| !tests.contains(*name)).collect();
        assert!(missing.is_empty(), "no tests {missing:?}");
        assert!(rest.contains('`') || rest != shown, "nothing shows it: {line}");
    }
    assert!(rows >= 30, "{rows} rows");
}
