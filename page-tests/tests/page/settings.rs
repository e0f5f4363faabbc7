//! The configuration on the page, in a process that has a file of its own to change.

use page_tests::Page;
use std::{env, fs, path::Path, process::Command};

/// Where the process of its own finds the name of its file.
const FILE: &str = "PAGE_TESTS_FILE";

fn write(file: &Path, failures: &str) {
    let text = format!(
        "runtime: {{rate_limiting: {{defaults: {{page_orders: {{capacity: 9, window_seconds: 60}}}}}}, \
         circuit_breaker: {{default_policy: {{failure_threshold: {failures}}}}}}}"
    );
    fs::write(file, text).expect("written");
}

#[test]
fn settings_follow_a_reload_and_a_refused_file_is_told() {
    let Some(file) = env::var_os(FILE) else {
        return in_a_process_of_its_own(
            "settings::settings_follow_a_reload_and_a_refused_file_is_told",
        );
    };
    let file = Path::new(&file);
    hardening::init!().expect("a sound file");
    let Some(page) = Page::open() else { return };
    page.click("[data-site='page::sites::pay'] [data-details]");
    let threshold = |is: u32| {
        format!("/failure_threshold\\s+{is}\\b/.test(document.querySelector('#sites').innerText)")
    };
    page.until(&threshold(4));

    write(file, "7");
    hardening::reload().expect("a sound file");
    page.until(&threshold(7));
    let told = "document.querySelector('#outdated').checkVisibility()";
    assert_eq!(page.value(told), false);

    write(file, "many");
    hardening::reload().expect_err("no number");
    page.until(told);
    page.run("scrollTo(0, 0)");
    page.photograph("refused-file");
    assert_eq!(page.value(&threshold(7)), true, "what is in force stays");

    write(file, "8");
    hardening::reload().expect("a sound file");
    page.until(&threshold(8));
    page.until(&format!("!{told}"));
    page.assert_sound();
}

fn in_a_process_of_its_own(test: &str) {
    let folder = env::temp_dir().join(format!("hardening-page-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("hardening.yaml");
    write(&file, "4");
    let mut command = Command::new(env::current_exe().expect("own path"));
    let command = command
        .args([test, "--exact", "--nocapture"])
        .env("HARDENING_CONFIG", &file)
        .env(FILE, &file);
    let ended = command.status().expect("it starts");
    fs::remove_dir_all(folder).expect("removed");
    assert!(ended.success());
}
