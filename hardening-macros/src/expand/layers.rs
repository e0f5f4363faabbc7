//! One wrapping for each layer: what the call asks of it, around the expression that is further in.

use super::{Expansion, located, moved_to, ours};
use crate::{brackets, plan::Layer};
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

    /// `method`, or its `_blocking` twin, which waits where it stands.
    fn driver(&self, method: &str) -> Ident {
        if self.function.is_async() {
            format_ident!("{method}")
        } else {
            format_ident!("{method}_blocking")
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
        let ask = self.driver("cached");
        // The compiler underlines this where the value cannot be cloned, and does so once if all of it is
        // there.
        let span = Span::mixed_site().located_at(self.value_span());
        let asked = {
            let [call, ask, key, share] =
                [call, &ask, &key, &share].map(|name| located(name, span));
            quote_spanned!(span=> #call.#ask(#key, #share))
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
                if let ::core::option::Option::Some(#outcome) = #asked {
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
                let cost = brackets::without(cost);
                let cost = quote!(let #tokens = #private::cost(#cost););
                (Some(cost), tokens.into_token_stream())
            }
            None => (None, quote!(1)),
        };
        let admit = self.driver("rate_limit");
        let (label, ask) = (
            quote!('__hardening_limited),
            quote!(#call.#admit(#taken_from, #tokens)),
        );
        let asked = unless_refused(&label, &ask);
        // A limit that is switched off asks for no key and no cost.
        quote!(#label: {
            if #call.is_limited() {
                #key
                #cost
                #asked
            }
            #inner
        })
    }

    fn retry(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self { call, outcome, .. } = self;
        let clones = layer.code.clone.iter().map(|name| self.cloned(name));
        let [retry, delay] = ["retry", "delay"].map(ours);
        let pause = self.driver("pause");
        let next = self.at_the_error(|at| self.next(layer, at));
        quote!({
            let mut #retry = #call.retry();
            loop {
                #(#clones)*
                let #outcome = #inner;
                let ::core::option::Option::Some(#delay) = #next else {
                    break #outcome;
                };
                #call.#pause(#delay);
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
        let [retry, call, outcome] = [&ours("retry"), &self.call, &self.outcome];
        let [retry, call, outcome] = [retry, call, outcome].map(|name| located(name, at));
        let hook = layer.code.on_retry.as_ref().map(|hook| self.hook(hook));
        match (&layer.code.retry_if, hook) {
            (None, None) => quote_spanned!(at=> #retry.next(&#call, &#outcome)),
            (None, Some(hook)) => {
                quote_spanned!(at=> #retry.next_telling(&#call, &#outcome, #hook))
            }
            (Some(test), hook) => {
                let (private, error) = (&self.private, ours("error"));
                let (holds, weigh) = (self.holds(&error, test), self.weigh(&error));
                let hook = hook.unwrap_or_else(|| quote!(|_| {}));
                quote_spanned! {at=>
                    #retry.next_if(&#call, &#outcome, |#error| #private::class_if(#holds, #weigh), #hook)
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
        let [error, result] = ["error", "result"].map(ours);
        let settle = if let Some(test) = &layer.code.failure_if {
            let holds = self.holds(&result, test);
            quote!(#call.tell_circuit_if(#outcome, |#result| #holds))
        } else {
            let class = if self.is_classified() {
                self.of_the_error("known_class")
            } else {
                let weigh = self.weigh(&error);
                quote!(|#error| #weigh)
            };
            let told = self.at_the_error(|at| {
                let (call, outcome) = (located(call, at), located(outcome, at));
                quote_spanned!(at=> #call.tell_circuit(&#outcome, #class);)
            });
            quote!(#told #outcome)
        };
        let label = quote!('__hardening_broken);
        let asked = unless_refused(&label, &quote!(#call.circuit_breaker()));
        quote!(#label: {
            #asked
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
        let priority = ours("priority");
        let (chosen, priority) = match &layer.code.priority {
            Some(chosen) => {
                let chosen = brackets::without(chosen);
                let chosen = quote!(let #priority: #private::Priority = #chosen;);
                (Some(chosen), priority.into_token_stream())
            }
            None => (None, quote!(#private::Priority::Normal)),
        };
        let (label, enter) = (quote!('__hardening_placed), self.driver("bulkhead"));
        let asked = unless_refused(&label, &quote!(#call.#enter(#priority)));
        quote!(#label: {
            #chosen
            #asked
            let #outcome = #inner;
            #call.leave_bulkhead();
            #outcome
        })
    }
}

/// Asks a layer; its refusal leaves the block `label`. What is further in stands behind this, not in an arm
/// of it: the refusal would take up room in the future while the body runs.
fn unless_refused(label: &TokenStream, ask: &TokenStream) -> TokenStream {
    let refused = ours("refused");
    quote! {
        if let ::core::result::Result::Err(#refused) = #ask {
            break #label #refused.outcome();
        }
    }
}
