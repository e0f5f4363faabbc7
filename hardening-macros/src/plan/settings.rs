//! What a plan refuses of names and settings, and what it doubts.

use super::{Layer, Written, argument::Collected};
use crate::{errors::Errors, function::Function, surroundings::Surroundings};
use hardening_config::{Finding, LayerKind, Selection, SiteLayer, check_setting};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// Names that the configuration does not define, and values that it would refuse.
pub(super) fn refuse_names_and_values(
    written: &Written,
    collected: &Collected,
    around: &Surroundings,
    errors: &mut Errors,
) {
    if let Some(policy) = &collected.policy
        && let Err(problem) = around.config.check_name(written.kind, &policy.value())
    {
        errors.mild(policy, problem);
    }
    for setting in &collected.settings {
        if let Err(problem) = check_setting(written.kind, &setting.key.to_string(), &setting.text) {
            errors.mild(&setting.at, problem);
        }
    }
}

/// What is missing, and settings that do not fit each other, or the policy under them.
pub(super) fn refuse_together(
    written: &Written,
    collected: &Collected,
    around: &Surroundings,
    errors: &mut Errors,
) {
    if written.kind == LayerKind::Fallback {
        if collected.code.fallback.is_none() {
            errors.at(
                &written.at,
                "write what answers instead: `#[fallback(|error| …)]`",
            );
        }
        return;
    }
    let settings: Vec<_> = collected
        .settings
        .iter()
        .map(|setting| (setting.key.to_string(), setting.text.clone()))
        .collect();
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, text)| (key.as_str(), text.as_str()))
        .collect();
    let policy = collected.policy.as_ref().map(syn::LitStr::value);
    for (key, problem) in around
        .config
        .check_settings(written.kind, policy.as_deref(), &settings)
    {
        match collected.settings.iter().find(|setting| setting.key == key) {
            Some(setting) => errors.mild(&setting.at, problem),
            None => errors.mild(&written.at, problem),
        }
    }
}

/// Policies that are each sound, and can never work together; what is only doubtful about them becomes
/// items that make the compiler warn, unless it takes bad luck. Both as far as it is known here: not where
/// the file may override the function.
pub(super) fn refuse_across(
    layers: &[Layer],
    function: &Function,
    around: &Surroundings,
    errors: &mut Errors,
) -> TokenStream {
    let name = function.signature.ident.to_string();
    if !around.can_check() || !errors.is_empty() || around.config.may_override(&name) {
        return TokenStream::new();
    }
    let mut doubts = TokenStream::new();
    let found = across(layers, around).into_iter();
    for finding in found.filter(|finding| !finding.takes_bad_luck) {
        let at = blamed(layers, &finding);
        match finding.doubt {
            None => errors.mild(at, finding.in_code()),
            Some(doubt) => {
                let first = at.into_iter().next();
                let at = first.map_or_else(Span::call_site, |token| token.span());
                doubts.extend(warning(doubt.name(), at, &finding.in_code()));
            }
        }
    }
    doubts
}

fn across(layers: &[Layer], around: &Surroundings) -> Vec<Finding> {
    let inline: Vec<Vec<(&str, &str)>> = layers
        .iter()
        .map(|layer| {
            let settings = layer.settings.iter();
            settings.map(|(key, text)| (&**key, &**text)).collect()
        })
        .collect();
    let layers: Vec<SiteLayer<'_>> = layers
        .iter()
        .zip(&inline)
        .map(|(layer, inline)| SiteLayer {
            kind: layer.kind,
            selection: Selection {
                name: layer.policy.as_deref(),
                inline,
                ..Selection::default()
            },
            shared: layer.name.is_some(),
        })
        .collect();
    around.config.check_across(&layers)
}

/// The setting that is written inline, if one is; else the attribute of the first to blame.
fn blamed(layers: &[Layer], finding: &Finding) -> TokenStream {
    let layer = |kind| layers.iter().find(|layer| layer.kind == kind);
    let inline = finding.settings.iter().find_map(|(kind, key)| {
        let layer = layer(*kind)?;
        let mut written = layer.settings.iter().zip(&layer.places);
        written.find_map(|((name, _), at)| (name == key).then(|| at.clone()))
    });
    let first = finding.settings.first().and_then(|(kind, _)| layer(*kind));
    inline.unwrap_or_else(|| {
        first
            .map(|layer| layer.at.to_token_stream())
            .unwrap_or_default()
    })
}

/// A warning of the compiler: on stable Rust, a macro can have one only for the use of something
/// deprecated.
fn warning(name: &str, at: Span, message: &str) -> TokenStream {
    let (name, used) = (Ident::new(name, Span::call_site()), Ident::new(name, at));
    quote!(
        const _: () = {
            #[deprecated(note = #message)]
            #[allow(non_upper_case_globals)]
            const #name: () = ();
            #used
        };
    )
}
