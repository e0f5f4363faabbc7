//! `#[health_check]`: registers a probe that the linker collects; wraps nothing.

use crate::{
    args::{self, Arg, Value},
    errors::Errors,
    function::{Function, braced},
    item::misplaced,
    literal,
    surroundings::{Surroundings, take_root},
};
use hardening_config::suggest;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Expr, ExprLit, Lit, Visibility, parse_quote, spanned::Spanned};

/// What a probe may say of itself; the section `health_checks` can say it too, and wins.
const SETTINGS: [&str; 7] = [
    "check_type",
    "interval",
    "timeout",
    "failure_threshold",
    "success_threshold",
    "critical",
    "groups",
];

/// What `#[health_check]` on a function becomes.
pub(crate) fn attribute(mut args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let (others_have_run, written) = (take_last(&mut args), args.clone());
    let around = Surroundings::find().with(take_root(&mut args, &mut errors));
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(mistake) => {
            match misplaced(item.clone()) {
                Some(kind) => errors.at(
                    Ident::new("health_check", Span::call_site()),
                    format!("`health_check` goes on a free function without arguments, not on this `{kind}`"),
                ),
                None => errors.push(mistake),
            }
            let errors = errors.to_compile_errors();
            return quote!(#item #errors);
        }
    };
    around.refuse_missing(Ident::new("health_check", Span::call_site()), &mut errors);
    refuse(&function, &mut errors);
    let declared = Declared::of(args, &function, &mut errors);
    if errors.hinder() || !errors.is_empty() {
        let errors = errors.to_compile_errors();
        return quote!(#function #errors);
    }
    if others_have_run || is_plain(&function) {
        inside(&function, &record(&function, &declared, &around))
    } else {
        behind_others(&function, &written, &around)
    }
}

/// Takes the sign from `args` that no other macro is left to run.
fn take_last(args: &mut TokenStream) -> bool {
    let mut tokens = args.clone().into_iter();
    let is_last = matches!(tokens.next(), Some(TokenTree::Punct(sign)) if sign.as_char() == '@');
    if is_last {
        *args = tokens.collect();
    }
    is_last
}

/// The function with this attribute behind those of other macros, ours among them: what they make of it
/// is what is checked.
fn behind_others(function: &Function, args: &TokenStream, around: &Surroundings) -> TokenStream {
    let root = around.root();
    let last: Attribute = parse_quote!(#[#root::health_check(@ #args)]);
    let mut function = function.clone();
    function.attributes.push(last);
    function.into_token_stream()
}

/// Whether no other macro has a say in the function.
fn is_plain(function: &Function) -> bool {
    const INERT: [&str; 14] = [
        "allow",
        "cfg",
        "clippy",
        "cold",
        "deny",
        "deprecated",
        "diagnostic",
        "doc",
        "expect",
        "forbid",
        "inline",
        "must_use",
        "track_caller",
        "warn",
    ];
    function.attributes.iter().all(|attribute| {
        let first = attribute.path().segments.first();
        first.is_some_and(|first| INERT.contains(&first.ident.to_string().as_str()))
    })
}

/// The function that the record calls, which is left out of the paths of sites in it.
fn check() -> Ident {
    Ident::new("__hardening_check", Span::call_site())
}

/// The function with its record in it, and the body in a function that the record can call: beside
/// the function nothing may stand in an `impl` block, and in it nothing can name a method.
fn inside(function: &Function, record: &TokenStream) -> TokenStream {
    let check = check();
    let wait = function.signature.asyncness.map(|_| quote!(.await));
    let mut inner = Function {
        attributes: Vec::new(),
        visibility: Visibility::Inherited,
        defaultness: None,
        ..function.clone()
    };
    inner.signature.ident = check.clone();
    let outer = Function {
        body: Some(braced(quote!(#record #inner #check()#wait))),
        ..function.clone()
    };
    quote!(#[allow(dead_code)] #outer)
}

/// The first `Self` in `tokens` that is that of an `impl` around the function.
fn names_self(tokens: TokenStream) -> Option<Ident> {
    let declares = |token: &TokenTree| {
        let words = ["impl", "trait", "struct", "enum", "union"];
        matches!(token, TokenTree::Ident(word) if words.iter().any(|known| word == known))
    };
    if tokens.clone().into_iter().any(|token| declares(&token)) {
        return None; // it may be that of a type in the body
    }
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "Self" => Some(word),
        TokenTree::Group(group) => names_self(group.stream()),
        _ => None,
    })
}

fn refuse(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(again) = function.attributes.iter().find(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "health_check")
    }) {
        errors.at(
            again.path(),
            "`health_check` is already written here: keep one of them and write all its arguments there",
        );
    }
    if let Some(receiver) = signature.receiver() {
        errors.at(
            receiver,
            "a check found at link time has no instance to run on: register it where there is one, with \
             `hardening::health::registry().register(\"name\", …)`",
        );
    } else if let Some(argument) = signature.inputs.first() {
        errors.at(
            argument,
            "a check found at link time has nobody to give it arguments: take what it needs from a static, or register \
             a closure with `hardening::health::registry().register(\"name\", …)`",
        );
    }
    let body = function
        .body
        .as_ref()
        .map(Group::stream)
        .unwrap_or_default();
    let word = names_self(signature.output.to_token_stream()).or_else(|| names_self(body));
    if let (Some(word), None) = (word, signature.receiver()) {
        errors.at(
            word,
            "a check found at link time runs outside of its `impl`, where `Self` means nothing: write the type's name",
        );
    }
    if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics,
            "a check found at link time cannot be generic: write a function for each type that calls this one",
        );
    }
    if function.body.is_none() {
        errors.at(&signature.ident, "this function has no body here");
    }
    if function.returns().is_none() {
        errors.at(
            &signature.ident,
            "a check says how it went: return `Result<(), E>`, `bool` or `hardening::health::HealthResult`",
        );
    }
}

struct Declared {
    name: String,
    settings: Vec<(String, String)>,
}

impl Declared {
    fn of(args: TokenStream, function: &Function, errors: &mut Errors) -> Self {
        let mut declared = Self {
            name: function.signature.ident.to_string(),
            settings: Vec::new(),
        };
        let mut seen = Vec::new();
        for arg in errors.note(args::parse(args)).unwrap_or_default() {
            match arg {
                Arg::Bare(
                    expr @ Expr::Lit(ExprLit {
                        lit: Lit::Str(_), ..
                    }),
                ) => {
                    let written = expr.to_token_stream();
                    errors.at(expr, format!("write `name = {written}`"));
                }
                Arg::Bare(expr) => errors.at(expr, "write `name = \"…\"`"),
                Arg::Named { key, .. } if seen.contains(&key) => {
                    errors.at(&key, format!("`{key}` is written twice; keep one of them"));
                }
                Arg::Named { key, value } => {
                    seen.push(key.clone());
                    declared.argument(&key, &value, errors);
                }
            }
        }
        declared
    }

    fn argument(&mut self, key: &Ident, value: &Value, errors: &mut Errors) {
        match (key.to_string().as_str(), value) {
            (
                "name",
                Value::Expr(Expr::Lit(ExprLit {
                    lit: Lit::Str(name),
                    ..
                })),
            ) => {
                self.name = name.value();
            }
            ("name", Value::Expr(other)) => errors.at(
                other,
                "`name` is checked against the configuration, so write it as text: `name = \"…\"`",
            ),
            ("name", Value::List(_)) => errors.at(key, "write `name = \"…\"`"),
            (setting, value) if SETTINGS.contains(&setting) => {
                let Some(text) = errors.note(literal::to_yaml(value)) else {
                    return;
                };
                match hardening_config::check_health_setting(setting, &text) {
                    Ok(()) => self.settings.push((setting.to_owned(), text)),
                    Err(problem) => match value {
                        Value::Expr(expr) => errors.at(expr, problem),
                        Value::List(_) => errors.at(key, problem),
                    },
                }
            }
            (unknown, _) => {
                let known = || std::iter::once("name").chain(SETTINGS);
                let hint = suggest(unknown, known())
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                let known: Vec<_> = known().collect();
                let known = known.join(", ");
                errors.at(
                    key,
                    format!("`health_check` has no argument `{unknown}`{hint}\nit takes: {known}"),
                );
            }
        }
    }
}

fn record(function: &Function, declared: &Declared, around: &Surroundings) -> TokenStream {
    let root = around.root();
    let private = quote!(#root::private);
    let (name, check, written) = (&declared.name, check(), &function.signature.ident);
    let line = u32::try_from(written.span().unwrap().line()).unwrap_or(0);
    let settings = declared
        .settings
        .iter()
        .map(|(key, text)| quote!((#key, #text)));
    let wait = function.signature.asyncness.map(|_| quote!(.await));
    let blocking = !function.is_async();
    let span = function
        .returns()
        .map_or_else(|| written.span(), Spanned::span);
    let health = quote_spanned!(span=> {
        #[allow(unused_imports)]
        use #private::{Debuggable as _, Readable as _, Unreadable as _};
        (&&#private::Checked::new(returned)).health()
    });
    let probe = format_ident!("Probe");
    quote! {
        const _: () = {
            #private::inventory::submit! {
                #private::#probe {
                    name: #name,
                    file: ::core::file!(),
                    line: #line,
                    run: || ::std::boxed::Box::pin(async {
                        let returned = #check()#wait;
                        #health
                    }),
                    blocking: #blocking,
                    settings: &[#(#settings),*],
                }
            }
        };
    }
}
