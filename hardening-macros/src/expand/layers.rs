//! One wrapping for each layer: what the call asks of it, around the expression that is further in.

use super::{Expansion, located, moved_to, ours};
use crate::plan::Layer;
use hardening_config::LayerKind;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

impl Expansion<'_> {
    /// `inner`, wrapped in `layer`.
    pub(super) fn wrap(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        match layer.kind {
            LayerKind::Fallback => inner.clone(), // at the end, when the outcome is the user's
            LayerKind::Cache => self.cache(layer, inner),
            LayerKind::Timeout => self.timeout(inner),
            LayerKind::RateLimit => self.rate_limit(layer, inner),
            LayerKind::Retry => self.retry(layer, inner),
            LayerKind::CircuitBreaker => self.circuit_breaker(layer, inner),
            LayerKind::Bulkhead => self.bulkhead(layer, inner),
        }
    }

    /// `method`, or its blocking twin; and the `.await` that goes with it.
    fn driver(&self, method: &str) -> (Ident, Option<TokenStream>) {
        if self.function.is_async() {
            (format_ident!("{method}"), Some(quote!(.await)))
        } else {
            (format_ident!("{method}_blocking"), None)
        }
    }

    fn timeout(&self, inner: &TokenStream) -> TokenStream {
        let call = &self.call;
        quote!({
            #call.begin_timeout();
            #inner
        })
    }

    fn cache(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self { call, outcome, .. } = self;
        let [key, share, value] = ["key", "share", "value"].map(ours);
        let (bound, told) = (self.cache_key(layer, &key), self.share());
        let (ask, wait) = self.driver("cached");
        // The compiler underlines this where the value cannot be cloned, and does so once if all of it is
        // there.
        let span = Span::mixed_site().located_at(self.value_span());
        let asked = {
            let [call, ask, key, share] =
                [call, &ask, &key, &share].map(|name| located(name, span));
            let wait = wait.map(|_| quote_spanned!(span=> .await));
            quote_spanned!(span=> #call.#ask(#key, #share)#wait)
        };
        let settle = {
            let [call, outcome, share] = [call, outcome, &share].map(|name| located(name, span));
            if let Some(test) = &layer.code.cache_if {
                let holds = self.holds(&value, test);
                quote_spanned!(span=> #call.settle_cached_if(#outcome, #share, |#value| #holds))
            } else {
                quote_spanned!(span=> #call.settle_cached(#outcome, #share))
            }
        };
        // The error is in no value that lives on while the body runs: it need not be `Send`. A cache
        // that is switched off does not look at the key, which may be long.
        // What a block is left with has a name first: syn 2, with which other macros read this code,
        // takes the path behind `break 'label` for a label of its own.
        quote!('__hardening_cached: {
            let #share = #told;
            if #call.is_cached() {
                #bound
                if let ::core::result::Result::Err(#outcome) = #asked {
                    break '__hardening_cached #outcome;
                }
            }
            let #outcome = #inner;
            #settle
        })
    }

    /// How an error is told to those who wait for the same run. The closure's name tells what types the
    /// function is compiled for, those of its `impl` block included, which are not seen from here.
    fn share(&self) -> TokenStream {
        let (private, returned) = (&self.private, self.returned());
        if self.is_fallible() || !self.is_only_cached() {
            let error = quote!(#private::Known::<#private::ErrorOf<#returned>>);
            quote!(|| {
                #[allow(unused_imports)]
                use #private::Unknown as _;
                #private::Share::new(#error::ITSELF, #error::REASON, #error::CLASS)
            })
        } else {
            quote!(|| {
                #[allow(unused_imports)]
                use #private::Otherwise as _;
                #private::Of::<#returned>::NEW.share()
            })
        }
    }

    fn rate_limit(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self { private, call, .. } = self;
        let [taken_from, tokens] = ["key", "cost"].map(ours);
        let key = self.limit_key(layer, &taken_from);
        let (cost, tokens) = match &layer.code.cost {
            Some(cost) => {
                let cost = quote!(let #tokens = #private::cost(#cost););
                (Some(cost), tokens.into_token_stream())
            }
            None => (None, quote!(1)),
        };
        let (admit, wait) = self.driver("rate_limit");
        let refused = ours("refused");
        // A limit that is switched off asks for no key and no cost.
        quote!('__hardening_limited: {
            if #call.is_limited() {
                #key
                #cost
                if let ::core::result::Result::Err(#refused) = #call.#admit(#taken_from, #tokens)#wait {
                    break '__hardening_limited #refused.outcome();
                }
            }
            #inner
        })
    }

    fn retry(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self { call, outcome, .. } = self;
        let clones = layer.code.clone.iter().map(|name| self.cloned(name));
        let [retry, delay] = ["retry", "delay"].map(ours);
        let (pause, wait) = self.driver("pause");
        let next = self.at_the_error(|at| self.next(layer, at));
        // The error is gone before the wait: it need not be `Send`.
        quote!({
            let mut #retry = #call.retry();
            loop {
                #(#clones)*
                let #delay = {
                    let #outcome = #inner;
                    match #next {
                        ::core::option::Option::Some(#delay) => #delay,
                        ::core::option::Option::None => break #outcome,
                    }
                };
                #call.#pause(#delay)#wait;
            }
        })
    }

    /// An attempt's own copy of an argument, which the compiler calls what the signature does.
    fn cloned(&self, name: &Ident) -> TokenStream {
        let bindings = self.function.bindings();
        let binding = bindings.iter().find(|binding| binding.name == *name);
        let conditions = binding.map_or(&[][..], |binding| &binding.conditions);
        let is_mutable = binding.is_some_and(|binding| binding.is_mutable);
        let mutability = (is_mutable || self.plan.unshared.contains(name)).then(|| quote!(mut));
        let span = Span::mixed_site().located_at(name.span());
        let clone = quote_spanned!(span=> ::core::clone::Clone::clone);
        let copy = located(
            name,
            binding.map_or(name.span(), |binding| {
                name.span().located_at(binding.name.span())
            }),
        );
        quote!(#(#conditions)* let #mutability #copy = #clone(&#name);)
    }

    /// Asks the retry what follows an attempt.
    fn next(&self, layer: &Layer, at: Span) -> TokenStream {
        let [retry, outcome] = [ours("retry"), self.outcome.clone()].map(|name| located(&name, at));
        let hook = layer.code.on_retry.as_ref().map(|hook| self.hook(hook));
        match (&layer.code.retry_if, hook) {
            (None, None) => quote_spanned!(at=> #retry.next(&#outcome)),
            (None, Some(hook)) => quote_spanned!(at=> #retry.next_telling(&#outcome, #hook)),
            (Some(test), hook) => {
                let (private, error) = (&self.private, ours("error"));
                let (holds, weigh) = (self.holds(&error, test), self.weigh(&error));
                let hook = hook.unwrap_or_else(|| quote!(|_| {}));
                quote_spanned! {at=>
                    #retry.next_if(&#outcome, |#error| #private::class_if(#holds, #weigh), #hook)
                }
            }
        }
    }

    /// Whether the user's `test` holds of `value`; the compiler underlines the test where it does not
    /// fit.
    fn holds(&self, value: &Ident, test: &Expr) -> TokenStream {
        let span = Span::mixed_site().located_at(test.span());
        let (private, value) = (moved_to(&self.private, span), located(value, span));
        quote_spanned!(span=> #private::holds(#value, #test))
    }

    /// Whether the error's type has to say what it is worth, because the retry asks it.
    fn is_classified(&self) -> bool {
        let retry = self.plan.layer(LayerKind::Retry);
        retry.is_some_and(|layer| layer.code.retry_if.is_none())
    }

    /// Code that asks the error: the compiler underlines the error's type where that cannot answer, and
    /// does so once if all of the code is there.
    fn at_the_error(&self, code: impl FnOnce(Span) -> TokenStream) -> TokenStream {
        code(Span::mixed_site().located_at(self.error_span()))
    }

    fn of_the_error(&self, function: &str) -> TokenStream {
        self.at_the_error(|at| {
            let (private, function) = (moved_to(&self.private, at), Ident::new(function, at));
            quote_spanned!(at=> #private::#function)
        })
    }

    /// The class of `error`, if its type can say.
    fn weigh(&self, error: &Ident) -> TokenStream {
        let private = &self.private;
        quote!({
            #[allow(unused_imports)]
            use #private::{Unweighed as _, Weighed as _};
            (&#private::Weigh(#error)).class()
        })
    }

    fn hook(&self, hook: &Expr) -> TokenStream {
        let span = Span::mixed_site().located_at(hook.span());
        let (private, event) = (moved_to(&self.private, span), located(&ours("event"), span));
        quote_spanned!(span=> |#event| #private::tell(#event, #hook))
    }

    fn circuit_breaker(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self { call, outcome, .. } = self;
        let [probe, error, result] = ["probe", "error", "result"].map(ours);
        let settle = if let Some(test) = &layer.code.failure_if {
            let holds = self.holds(&result, test);
            quote!(#probe.settle_if(#outcome, |#result| #holds))
        } else {
            let class = if self.is_classified() {
                self.of_the_error("known_class")
            } else {
                let weigh = self.weigh(&error);
                quote!(|#error| #weigh)
            };
            let told = self.at_the_error(|at| {
                let (probe, outcome) = (located(&probe, at), located(outcome, at));
                quote_spanned!(at=> #probe.settle(&#outcome, #class);)
            });
            quote!(#told #outcome)
        };
        let label = quote!('__hardening_broken);
        let entered = entered(&label, &probe, &quote!(#call.circuit_breaker()));
        quote!(#label: {
            #entered
            let #outcome = #inner;
            #settle
        })
    }

    fn bulkhead(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self {
            private,
            call,
            outcome,
            ..
        } = self;
        let [refused, priority] = ["refused", "priority"].map(ours);
        let (chosen, priority) = match &layer.code.priority {
            Some(chosen) => {
                let chosen = quote!(let #priority: #private::Priority = #chosen;);
                (Some(chosen), priority.into_token_stream())
            }
            None => (None, quote!(#private::Priority::Normal)),
        };
        let (enter, wait) = self.driver("bulkhead");
        quote!('__hardening_placed: {
            #chosen
            if let ::core::result::Result::Err(#refused) = #call.#enter(#priority)#wait {
                break '__hardening_placed #refused.outcome();
            }
            let #outcome = #inner;
            #call.leave_bulkhead();
            #outcome
        })
    }
}

/// Binds `guard` to what `layer` gives to a call that it admits; a refusal leaves the block `label`.
/// What is further in stands behind this, not in an arm of it: the refusal would take up room in
/// the future while the body runs.
fn entered(label: &TokenStream, guard: &Ident, layer: &TokenStream) -> TokenStream {
    let refused = ours("refused");
    quote! {
        let #guard = match #layer {
            ::core::result::Result::Ok(#guard) => #guard,
            ::core::result::Result::Err(#refused) => break #label #refused.outcome(),
        };
    }
}
