//! What surrounds the annotated function: the configuration file that its package is compiled with,
//! and where the package finds our crate.

use crate::{
    errors::Errors,
    manifest::{self, Root},
    plan::Written,
};
use hardening_config::{Config, Environment, find};
use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::{
    env, fs,
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};
use syn::{Path, PathSegment, Token, parse::Parser};

/// The surroundings of one expansion.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// The configuration in force; the built-in one where the file is broken.
    pub(crate) config: Arc<Config>,
    /// The file, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// What is wrong with the file, for the first expansion of the crate to report.
    mistakes: Option<Arc<str>>,
    /// The path of our crate, for generated code.
    root: Path,
    /// Who says so.
    source: Source,
}

/// Who says where our crate is.
#[derive(Clone)]
enum Source {
    /// An attribute: `crate = framework::hardening`.
    Attribute,
    /// The manifest, which is at this path.
    Manifest(PathBuf, Arc<Root>),
}

/// Whether this crate has already been told about its configuration file. A compiler process
/// compiles one crate.
static TOLD: AtomicBool = AtomicBool::new(false);

impl Surroundings {
    /// Looks around. Each file is read once for each of its states.
    pub(crate) fn find() -> Self {
        let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
        let manifest = package.join("Cargo.toml");
        let found = said_by(&manifest);
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
            root: path_of(&found),
            source: Source::Manifest(manifest, found),
        }
    }

    /// Whether names can be checked: a broken file is reported as a whole instead.
    pub(crate) const fn can_check(&self) -> bool {
        self.mistakes.is_none()
    }

    /// The same, with our crate where an attribute says that it is.
    pub(crate) fn with(self, said: Option<Path>) -> Self {
        match said {
            Some(root) => Self {
                root,
                source: Source::Attribute,
                ..self
            },
            None => self,
        }
    }

    /// The same, with our crate where one of the attributes says that it is, if one does.
    pub(crate) fn said_by(&self, ours: &[Written]) -> Option<Self> {
        let root = ours.iter().find_map(|written| written.root.clone());
        root.map(|root| self.clone().with(Some(root)))
    }

    /// Whether `path` names our crate, or a re-export of it.
    pub(crate) fn is_our_crate<'a>(&self, path: impl Iterator<Item = &'a Ident> + Clone) -> bool {
        let ours = self.root.segments.iter().map(|segment| &segment.ident);
        let last = path.clone().last();
        last.is_some_and(|last| last == "hardening" || Some(last) == ours.clone().last())
            || path.eq(ours)
    }

    /// The path of our crate as people write it.
    pub(crate) fn crate_name(&self) -> String {
        let segments = self.root.segments.iter();
        let names: Vec<_> = segments.map(|segment| segment.ident.to_string()).collect();
        names.join("::")
    }

    /// The path of our crate, for generated code.
    pub(crate) const fn root(&self) -> &Path {
        &self.root
    }

    /// Notes that generated code cannot name our crate here. Nothing is generated then, and one
    /// message says why for all attributes of the package.
    pub(crate) fn refuse_missing(&self, at: impl ToTokens, errors: &mut Errors) {
        static TOLD: AtomicBool = AtomicBool::new(false);
        let Source::Manifest(_, found) = &self.source else {
            return;
        };
        match &**found {
            Root::Missing => errors.once_at(&TOLD, at, MISSING),
            Root::Configured(path) if configured(path).is_none() => {
                errors.once_at(
                    &TOLD,
                    at,
                    format!("Cargo.toml: `{path}` is no path: {CONFIGURE}"),
                );
            }
            Root::Configured(_) | Root::Dependency(_) => {}
        }
    }

    /// Items that make cargo compile the crate again when the file changes (or the variable that
    /// names it), and that report a broken file: once for each crate.
    pub(crate) fn told_once(&self) -> TokenStream {
        if TOLD.swap(true, Ordering::Relaxed) {
            return TokenStream::new();
        }
        let (file, manifest) = (self.tracked(), self.tracked_manifest());
        let mistakes = self.mistakes.as_ref().map(|text| {
            let text = &**text;
            quote!(::core::compile_error!(#text);)
        });
        quote!(
            const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!("HARDENING_CONFIG");
            #file
            #manifest
            #mistakes
        )
    }

    fn tracked(&self) -> Option<TokenStream> {
        self.file.as_deref().and_then(included)
    }

    /// Cargo builds nothing anew for an edit of `[package.metadata]` alone.
    fn tracked_manifest(&self) -> Option<TokenStream> {
        match &self.source {
            Source::Manifest(path, found) if matches!(**found, Root::Configured(_)) => {
                included(path)
            }
            _ => None,
        }
    }
}

macro_rules! configure {
    () => {
        "write\n    [package.metadata.hardening]\n    crate = \"framework::hardening\"\n\
         with the path of the re-export, for the whole package; or the argument `crate = framework::hardening` here"
    };
}
const CONFIGURE: &str = configure!();
const MISSING: &str = concat!(
    "the generated code names the crate `hardening`, which is not among the dependencies of this package: add it, with \
     `cargo add hardening`\nor, where another crate re-exports it, say so in Cargo.toml: ",
    configure!()
);

/// The path that the manifest says, absolute unless it begins with `crate`.
fn configured(path: &str) -> Option<Path> {
    let mut path: Path = Path::parse_mod_style.parse_str(path).ok()?;
    if path.segments.first()?.ident != "crate" {
        path.leading_colon.get_or_insert_default();
    }
    Some(path)
}

fn path_of(found: &Root) -> Path {
    let named = |name: &str| Path {
        leading_colon: Some(<Token![::]>::default()),
        segments: [PathSegment::from(Ident::new(name, Span::call_site()))]
            .into_iter()
            .collect(),
    };
    match found {
        Root::Dependency(name) => named(name),
        Root::Configured(path) => configured(path).unwrap_or_else(|| named("hardening")),
        Root::Missing => named("hardening"),
    }
}

fn included(file: &FilePath) -> Option<TokenStream> {
    let path = file.to_str()?;
    Some(quote!(
        const _: &[::core::primitive::u8] = ::core::include_bytes!(#path);
    ))
}

fn builtin() -> Arc<Config> {
    static BUILTIN: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::builtin()));
    Arc::clone(&BUILTIN)
}

fn located(package: &FilePath) -> Result<Option<PathBuf>, String> {
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
    path: &FilePath,
    read: impl FnOnce(&FilePath) -> T,
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

fn configuration(file: &FilePath) -> Read {
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

fn said_by(manifest: &FilePath) -> Arc<Root> {
    static KNOWN: Mutex<Option<Known<Arc<Root>>>> = Mutex::new(None);
    once(&KNOWN, manifest, |manifest| {
        Arc::new(manifest::root(manifest))
    })
}

/// Takes `crate = path` out of an attribute's arguments.
pub(crate) fn take_root(args: &mut TokenStream, errors: &mut Errors) -> Option<Path> {
    let tokens: Vec<TokenTree> = args.clone().into_iter().collect();
    let begin = tokens.windows(2).position(|pair| {
        matches!(pair, [TokenTree::Ident(word), TokenTree::Punct(sign)]
            if word == "crate" && sign.as_char() == '=' && sign.spacing() == Spacing::Alone)
    })?;
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    let value = &tokens[begin + 2..];
    let end = value.iter().position(is_comma).unwrap_or(value.len());
    let rest = value.iter().skip(end + 1);
    let is_last = rest.len() == 0;
    let before = tokens[..begin]
        .split_last()
        .filter(|(last, _)| is_last && is_comma(last));
    let before = before.map_or(&tokens[..begin], |(_, before)| before);
    *args = before.iter().chain(rest).cloned().collect();
    let path: TokenStream = value[..end].iter().cloned().collect();
    let parsed = Path::parse_mod_style.parse2(path.clone()).map_err(|_| {
        let at = if path.is_empty() { tokens[begin].to_token_stream() } else { path };
        syn::Error::new_spanned(
            at,
            "`crate` takes the path at which this crate is re-exported: `crate = framework::hardening`",
        )
    });
    errors.note(parsed)
}
