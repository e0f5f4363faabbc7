//! Files that the reader takes, and files that it refuses, each named after what is in it.

use std::{fs, path::Path};

/// Name and content of each file that is taken.
pub(crate) fn valid() -> Vec<(String, String)> {
    files("valid")
}

/// Name and content of each file that is refused.
pub(crate) fn broken() -> Vec<(String, String)> {
    files("broken")
}

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(files.len() > 10, "the corpus is missing");
    files
}
