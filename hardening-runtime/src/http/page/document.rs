//! The page as it is served, and what it may do.

/// The page's style sheet.
macro_rules! style {
    () => {
        include_str!("assets/page.css")
    };
}

/// The page's script: plain functions, in the order of what they stand on.
macro_rules! script {
    () => {
        concat!(
            include_str!("assets/theme.js"),
            include_str!("assets/format.js"),
            include_str!("assets/chart.js"),
            include_str!("assets/health.js"),
            include_str!("assets/detail.js"),
            include_str!("assets/site.js"),
            include_str!("assets/list.js"),
            include_str!("assets/stream.js"),
            include_str!("assets/main.js"),
        )
    };
}

/// One document, which asks for nothing but its events.
pub(super) const PAGE: &str = concat!(
    include_str!("assets/head.html"),
    "<style>",
    style!(),
    "</style>\n<script>",
    script!(),
    "</script>\n</head>\n",
    include_str!("assets/body.html"),
);

/// What the browser lets the page do: its own style and script by their hashes, its own origin, and the icon that is
/// in it. A test knows the hashes when they have changed.
pub(super) const POLICY: &str = concat!(
    "default-src 'none'; connect-src 'self'; img-src data:; ",
    "style-src 'sha256-5h6pD50ylKUWYY2eSUjxI/9sAduVdqPrhplRYKVVaLg='; ",
    "script-src 'sha256-bp5weNAOTtsJ0dTU8w6HR5lnrb47shOidDyqDyHplWE='; ",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_has_the_hashes_of_the_style_and_the_script() {
        for (of, text) in [("style", style!()), ("script", script!())] {
            let hash = BASE64_STANDARD.encode(Sha256::digest(text));
            let source = format!("{of}-src 'sha256-{hash}'");
            assert!(POLICY.contains(&source), "write this into POLICY: {source}");
        }
    }

    #[test]
    fn the_page_names_no_other_place() {
        let namespace = "http://www.w3.org/2000/svg"; // asked of nobody
        let page = PAGE.replace(namespace, "");
        for elsewhere in ["http:", "https:", "//cdn", "src=\"", "@import", "url("] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn the_script_writes_text_and_never_markup() {
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!PAGE.contains(way), "{way}");
        }
    }
}
