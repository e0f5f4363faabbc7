//! What surrounds the annotated function: the configuration file that its package is compiled with,
//! and the name under which the package knows our crate.

use hardening_config::{Config, Environment, find};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

/// The surroundings of one expansion.
pub(crate) struct Surroundings {
    /// The configuration in force; the built-in one where the file is broken.
    pub(crate) config: Arc<Config>,
    /// The file, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// What is wrong with the file, for the first expansion of the crate to report.
    mistakes: Option<Arc<str>>,
    /// The name of our crate in this package.
    name: Arc<str>,
}

/// Whether this crate has already been told about its configuration file. A compiler process
/// compiles one crate.
static TOLD: AtomicBool = AtomicBool::new(false);

impl Surroundings {
    /// Looks around. Each file is read once for each of its states.
    pub(crate) fn find() -> Self {
        let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
        let name = crate_name(&package.join("Cargo.toml"));
        let (file, outcome) = match located(&package) {
            Ok(Some(file)) => (Some(file.clone()), configuration(&file)),
            Ok(None) => (None, Ok(builtin())),
            Err(mistake) => (None, Err(mistake.into())),
        };
        let (config, mistakes) = match outcome {
            Ok(config) => (config, None),
            Err(mistakes) => (builtin(), Some(mistakes)),
        };
        Self {
            config,
            file,
            mistakes,
            name,
        }
    }

    /// Whether names can be checked: a broken file is reported as a whole instead.
    pub(crate) fn can_check(&self) -> bool {
        self.mistakes.is_none()
    }

    /// Whether `ident` names our crate.
    pub(crate) fn is_our_crate(&self, ident: &Ident) -> bool {
        *ident == *self.name || ident == "hardening"
    }

    /// The name of our crate in this package.
    pub(crate) fn crate_name(&self) -> &str {
        &self.name
    }

    /// The path of our crate, for generated code.
    pub(crate) fn root(&self) -> TokenStream {
        let name = Ident::new(&self.name, Span::call_site());
        quote!(::#name)
    }

    /// Items that make cargo compile the crate again when the file changes (or the variable that
    /// names it), and that report a broken file: once for each crate.
    pub(crate) fn told_once(&self) -> TokenStream {
        if TOLD.swap(true, Ordering::Relaxed) {
            return TokenStream::new();
        }
        let file = self.tracked();
        let mistakes = self.mistakes.as_ref().map(|text| {
            let text = &**text;
            quote!(::core::compile_error!(#text);)
        });
        quote!(
            const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!("HARDENING_CONFIG");
            #file
            #mistakes
        )
    }

    fn tracked(&self) -> Option<TokenStream> {
        let path = self.file.as_ref()?.to_str()?;
        Some(quote!(
            const _: &[::core::primitive::u8] = ::core::include_bytes!(#path);
        ))
    }
}

fn builtin() -> Arc<Config> {
    static BUILTIN: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::builtin()));
    Arc::clone(&BUILTIN)
}

fn located(package: &Path) -> Result<Option<PathBuf>, String> {
    let named = env::var("HARDENING_CONFIG").ok();
    find::compile_time(package, named.as_deref()).map_err(|error| error.to_string())
}

/// What came of reading one file, and the state that it was in. An editor's process outlives many
/// of them.
struct Known<T> {
    path: PathBuf,
    state: (Option<SystemTime>, u64),
    outcome: T,
}

/// What `read` makes of the file at `path`, or made of it before.
fn once<T: Clone>(
    known: &Mutex<Option<Known<T>>>,
    path: &Path,
    read: impl FnOnce(&Path) -> T,
) -> T {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let state = fs::metadata(path).map_or((None, 0), |meta| (meta.modified().ok(), meta.len()));
    match &*known {
        Some(known) if known.path == path && known.state == state => known.outcome.clone(),
        _ => {
            let (path, outcome) = (path.to_owned(), read(path));
            *known = Some(Known {
                path,
                state,
                outcome: outcome.clone(),
            });
            outcome
        }
    }
}

type Read = Result<Arc<Config>, Arc<str>>;

fn configuration(file: &Path) -> Read {
    static KNOWN: Mutex<Option<Known<Read>>> = Mutex::new(None);
    once(&KNOWN, file, |file| {
        let shown = find::shown(file);
        let bytes = fs::read(file).map_err(|error| format!("{shown}: {error}"))?;
        let config = Config::parse(&bytes, &shown, &Environment::compiling());
        config
            .map(Arc::new)
            .map_err(|errors| errors.to_string().into())
    })
}

/// The name under which the package depends on us, when `Cargo.toml` renames it: the key of the
/// dependency that says `package = "hardening"`.
fn crate_name(manifest: &Path) -> Arc<str> {
    static KNOWN: Mutex<Option<Known<Arc<str>>>> = Mutex::new(None);
    once(&KNOWN, manifest, |manifest| {
        let manifest = fs::read_to_string(manifest).unwrap_or_default();
        renamed(&manifest)
            .unwrap_or("hardening")
            .replace('-', "_")
            .into()
    })
}

fn renamed(manifest: &str) -> Option<&str> {
    let mut table = None;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            table = header.rsplit_once("dependencies.").map(|(_, name)| name);
        }
        let compact: String = line.split_whitespace().collect();
        if compact.contains("package=\"hardening\"") {
            return match line.split_once('=') {
                Some((key, _)) if key.trim() != "package" => Some(key.trim().trim_matches('"')),
                _ => table,
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn a_renamed_dependency_is_found_in_both_forms() {
        let inline = "[dependencies]\nhd = { package = \"hardening\", version = \"1\" }";
        assert_eq!(renamed(inline), Some("hd"));
        let table = "[dependencies.tough]\npath = \"..\"\npackage = \"hardening\"";
        assert_eq!(renamed(table), Some("tough"));
        assert_eq!(renamed("[dependencies]\nhardening = \"1\""), None);
    }
}
