//! From a plan to code. Nothing is refused here: every plan expands, and with mistakes the function
//! is emitted as it was, so that its callers and the editor still know it.
//!
//! Each layer wraps the expression that is further in. The body stands in the expansion once, in a
//! block of its own, so that its `?` and `return` leave the attempt and not the wrapper; nothing of
//! ours is a closure or a future around another layer, so a call stays one flat state machine, and
//! async and blocking functions differ by `.await` alone.

use crate::{
    errors::Errors,
    function::Function,
    future,
    plan::{Layer, Plan},
    surroundings::Surroundings,
};
use hardening_config::LayerKind;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, FnArg, GenericArgument, Pat, PathArguments, ReturnType, Type, spanned::Spanned};

/// The name of the item that tells a site's path; it also marks a body that is already ours.
const HERE: &str = "__hardening_here";

/// Whether `body` has been expanded before.
pub(crate) fn is_ours(body: &TokenStream) -> bool {
    let mut words = body.clone().into_iter().take(256);
    words.any(|word| matches!(word, TokenTree::Ident(word) if word == HERE))
}

/// The function with its plan, or as it was, with its mistakes.
pub(crate) fn function(
    function: &Function,
    plan: &Plan,
    around: &Surroundings,
    errors: &Errors,
) -> TokenStream {
    let Some(body) = &function.body else {
        let errors = errors.to_compile_errors();
        return quote!(#function #errors);
    };
    let told = around.told_once();
    let body = if errors.hinder() {
        body.clone()
    } else {
        Expansion::new(function, plan, around).body(body)
    };
    let used = &plan.used;
    let mut function = Function {
        body: Some(quote!(#told #used #body)),
        ..function.clone()
    };
    if let (true, Some(retry)) = (errors.is_empty(), plan.layer(LayerKind::Retry)) {
        leave_mut_to_the_copies(&mut function, &retry.code.clone);
    }
    let errors = errors.to_compile_errors();
    quote!(#function #errors)
}

/// The body changes each attempt's own copy, not the argument.
fn leave_mut_to_the_copies(function: &mut Function, cloned: &[Ident]) {
    for argument in &mut function.signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let Pat::Ident(pat) = &mut *argument.pat
            && cloned.contains(&pat.ident)
        {
            pat.mutability = None;
        }
    }
}

/// A name of ours in generated code, which the user's code can neither see nor shadow.
fn ours(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

struct Expansion<'a> {
    function: &'a Function,
    plan: &'a Plan,
    /// `::hardening::private`.
    private: TokenStream,
    call: Ident,
    outcome: Ident,
    site: Ident,
    shape: Ident,
}

impl<'a> Expansion<'a> {
    fn new(function: &'a Function, plan: &'a Plan, around: &Surroundings) -> Self {
        let root = around.root();
        Self {
            function,
            plan,
            private: quote!(#root::private),
            call: ours("call"),
            outcome: ours("outcome"),
            site: format_ident!("__HARDENING_SITE", span = Span::mixed_site()),
            shape: ours("shape"),
        }
    }

    fn body(&self, body: &TokenStream) -> TokenStream {
        let Self {
            call,
            outcome,
            site,
            shape,
            ..
        } = self;
        let (static_site, shape_of) = (self.static_site(), self.shape());
        let attempt = self.attempt(body);
        let layers = self.plan.layers.iter().rev();
        let wrapped = layers.fold(attempt, |inner, layer| self.wrap(layer, &inner));
        let end = self.end();
        let run = quote! {
            let #shape = #shape_of;
            let mut #call = #site.call();
            let #outcome = #wrapped;
            #end
        };
        match self.function.future() {
            None => quote!(#static_site #run),
            Some(future::Kind::Opaque) => quote!(#static_site async move { #run }),
            Some(future::Kind::Boxed) => {
                quote!(#static_site ::std::boxed::Box::pin(async move { #run }))
            }
        }
    }

    /// The site, as static data that the linker collects.
    fn static_site(&self) -> TokenStream {
        let Self {
            private,
            site,
            plan,
            ..
        } = self;
        let here = format_ident!("{}", HERE, span = Span::mixed_site());
        let layers = plan.layers.iter().map(|layer| self.declared(layer));
        let line = plan
            .layers
            .iter()
            .map(|layer| line_of(&layer.at))
            .min()
            .unwrap_or(0);
        quote! {
            fn #here() {}
            static #site: #private::Site = #private::Site::new(
                #private::Place {
                    within: || #private::type_name_of_val(&#here),
                    file: ::core::file!(),
                    line: #line,
                },
                &[#(#layers),*],
            );
            #private::inventory::submit! { #private::Registered(&#site) }
        }
    }

    fn declared(&self, layer: &Layer) -> TokenStream {
        let private = &self.private;
        let kind = format_ident!("{}", format!("{:?}", layer.kind));
        let line = line_of(&layer.at);
        let policy = layer.policy.as_ref().map(|policy| quote!(.policy(#policy)));
        let name = layer.name.as_ref().map(|name| quote!(.name(#name)));
        let settings = layer
            .settings
            .iter()
            .map(|(key, text)| quote!((#key, #text)));
        let settings = (!layer.settings.is_empty()).then(|| quote!(.settings(&[#(#settings),*])));
        quote!(#private::Declared::new(#private::LayerKind::#kind, #line) #policy #name #settings)
    }

    /// How the function returns. Every attribute but `cached` needs a `Result`; of that one, the
    /// compiler says what the return type is, whatever it is called.
    fn shape(&self) -> TokenStream {
        let private = &self.private;
        if self.is_fallible() {
            return quote!(#private::Fallible);
        }
        let returned = self.returned();
        let found = quote!({
            #[allow(unused_imports)]
            use #private::Otherwise as _;
            #private::Of::<#returned>::NEW.shape()
        });
        if self.is_only_cached() {
            return found;
        }
        let span = self.error_span();
        quote_spanned!(span=> #private::refusing::<#returned, _>(#found))
    }

    fn is_only_cached(&self) -> bool {
        let mut layers = self.plan.layers.iter();
        layers.all(|layer| layer.kind == LayerKind::Cache)
    }

    /// Whether the return type is called `Result`, or is generic and called so at its end. What any
    /// other name stands for (a `SearchResult` is a value), the compiler knows.
    fn is_fallible(&self) -> bool {
        match self.function.returns() {
            Some(Type::Path(path)) => {
                let last = path.path.segments.last();
                last.is_some_and(|last| {
                    let is_generic = !last.arguments.is_none();
                    last.ident == "Result"
                        || (is_generic && last.ident.to_string().ends_with("Result"))
                })
            }
            _ => false,
        }
    }

    /// Where the function says its error's type, or else what it returns.
    fn error_span(&self) -> Span {
        let Some(ty) = self.function.returns() else {
            return Span::call_site();
        };
        let error = match ty {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .and_then(|last| match &last.arguments {
                    PathArguments::AngleBracketed(arguments) if arguments.args.len() == 2 => {
                        match arguments.args.last() {
                            Some(GenericArgument::Type(error)) => Some(error),
                            _ => None,
                        }
                    }
                    _ => None,
                }),
            _ => None,
        };
        error.unwrap_or(ty).span()
    }

    /// The return type, with `_` for what cannot be named.
    fn returned(&self) -> TokenStream {
        let ty = self.function.returns().map(ToTokens::to_token_stream);
        ty.map_or_else(|| quote!(()), without_impl)
    }

    /// One run of the body.
    fn attempt(&self, body: &TokenStream) -> TokenStream {
        let Self { call, shape, .. } = self;
        let returned = self.returned();
        if self.function.future().is_some() {
            // Here the body makes the future; its `return` is that of this closure.
            let made = match &self.function.signature.output {
                ReturnType::Type(_, ty) => without_impl(ty.to_token_stream()),
                ReturnType::Default => quote!(()),
            };
            let made =
                (self.function.future() == Some(future::Kind::Boxed)).then(|| quote!(-> #made));
            quote!(#call.attempt(#shape, async { (|| #made { #body })().await }).await)
        } else if self.function.is_async() {
            // Nothing else says the type of an async block, and `?` needs it.
            let typed = ours("typed");
            quote! {
                #call.attempt(#shape, async {
                    #[allow(
                        unreachable_code,
                        clippy::diverging_sub_expression,
                        clippy::empty_loop,
                        clippy::let_unit_value,
                        clippy::let_with_type_underscore,
                        clippy::needless_return
                    )]
                    if false {
                        let #typed: #returned = loop {};
                        return #typed;
                    }
                    #body
                }).await
            }
        } else {
            quote!(#call.attempt_blocking(#shape, || -> #returned { #body }))
        }
    }

    /// `inner`, wrapped in `layer`.
    fn wrap(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
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
        let Self {
            private,
            call,
            outcome,
            ..
        } = self;
        let (key, share) = (self.cache_key(layer), self.share());
        let (join, wait) = self.driver("join");
        let [value, absent, lead, fingerprint] = ["value", "absent", "lead", "key"].map(ours);
        let keep = if let Some(test) = &layer.code.cache_if {
            quote_spanned!(layer.at.span()=> |#value| #private::holds(#value, #test))
        } else {
            quote!(|_| true)
        };
        // The error is in no value that lives on while the body runs: it need not be `Send`. A cache
        // that is switched off does not look at the key, which may be long.
        quote!('__hardening_cached: {
            let #lead = if #call.is_cached() {
                #[allow(clippy::used_underscore_binding)]
                let #fingerprint = #key;
                match #call.cache(#fingerprint) {
                    #private::Cached::Hit(#value) => {
                        break '__hardening_cached ::core::result::Result::Ok(#value)
                    }
                    #private::Cached::Miss(#absent) => match #absent.#join(&mut #call, #share)#wait {
                        #private::Found::Answered(#outcome) => break '__hardening_cached #outcome,
                        #private::Found::Lead(#lead) => #lead,
                    },
                }
            } else {
                #private::Leading::none()
            };
            let #outcome = #inner;
            #lead.settle(&#call, #outcome, #keep)
        })
    }

    /// The key that was written, or else all arguments but `self`, and what a generic function is
    /// generic over: its types share a site, and need not be seen in its arguments.
    fn cache_key(&self, layer: &Layer) -> TokenStream {
        let hasher = quote!(CacheKey);
        if let Some(key) = &layer.code.key {
            return self.key(&hasher, key);
        }
        let arguments = self
            .function
            .argument_names()
            .into_iter()
            .map(Ident::into_token_stream);
        let generics = &self.function.signature.generics;
        let types = generics.type_params().map(|parameter| {
            let name = &parameter.ident;
            quote!(::core::any::type_name::<#name>())
        });
        let consts = generics
            .const_params()
            .map(|parameter| parameter.ident.to_token_stream());
        self.key_of(&hasher, arguments.chain(types).chain(consts))
    }

    fn key(&self, hasher: &TokenStream, key: &Expr) -> TokenStream {
        match key {
            Expr::Tuple(tuple) => self.key_of(hasher, tuple.elems.iter()),
            key => self.key_of(hasher, std::iter::once(key)),
        }
    }

    /// The parts are not moved into a tuple, which hashes as they do one by one.
    fn key_of(
        &self,
        hasher: &TokenStream,
        parts: impl Iterator<Item = impl ToTokens>,
    ) -> TokenStream {
        let (private, key) = (&self.private, ours("key"));
        let parts = parts.map(|part| quote_spanned!(part.span()=> #key.part(&(#part));));
        quote!({
            #[allow(unused_mut)]
            let mut #key = #private::#hasher::new();
            #[allow(unused_parens, clippy::used_underscore_binding)]
            { #(#parts)* }
            #key.done()
        })
    }

    /// How an error is told to those who wait for the same run.
    fn share(&self) -> TokenStream {
        let (private, returned) = (&self.private, self.returned());
        if self.is_fallible() || !self.is_only_cached() {
            quote!(#private::share_errors!(<#private::Fallible as #private::Split<#returned>>::Error))
        } else {
            quote!({
                #[allow(unused_imports)]
                use #private::Otherwise as _;
                #private::Of::<#returned>::NEW.share()
            })
        }
    }

    fn rate_limit(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self { private, call, .. } = self;
        let hasher = quote!(LimitKey);
        let key = match &layer.code.key {
            Some(key) => self.key(&hasher, key),
            None => self.key_of(&hasher, std::iter::empty::<&Expr>()),
        };
        let cost = layer.code.cost.as_ref();
        let cost = cost.map_or_else(|| quote!(1), |cost| quote!(#private::cost(#cost)));
        let (admit, wait) = self.driver("rate_limit");
        let [taken_from, tokens, admitted] = ["key", "cost", "admitted"].map(ours);
        let refused = self.refused();
        // A limit that is switched off asks for no key and no cost.
        quote!({
            let #admitted = if #call.is_limited() {
                let #taken_from = #key;
                let #tokens = #cost;
                #call.#admit(#taken_from, #tokens)#wait
            } else {
                ::core::result::Result::Ok(())
            };
            match #admitted {
                ::core::result::Result::Ok(()) => #inner,
                #refused
            }
        })
    }

    fn retry(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self {
            private,
            call,
            outcome,
            ..
        } = self;
        let clones = layer.code.clone.iter().map(|name| self.cloned(name));
        let [retry, delay] = ["retry", "delay"].map(ours);
        let (pause, wait) = self.driver("pause");
        let (class, hook) = (self.class(layer), self.hook(layer));
        quote!({
            let mut #retry = #call.retry();
            loop {
                #(#clones)*
                let #outcome = #inner;
                let #delay = match #retry.next(#outcome, #class, #hook) {
                    #private::Next::Done(#outcome) => break #outcome,
                    #private::Next::Wait(#delay) => #delay,
                };
                #call.#pause(#delay)#wait;
            }
        })
    }

    /// An attempt's own copy of an argument.
    fn cloned(&self, name: &Ident) -> TokenStream {
        let mutability = self.is_mutable(name).then(|| quote!(mut));
        quote!(let #mutability #name = ::core::clone::Clone::clone(&#name);)
    }

    fn is_mutable(&self, name: &Ident) -> bool {
        self.function.signature.inputs.iter().any(|argument| {
            matches!(argument, FnArg::Typed(argument)
                if matches!(&*argument.pat, Pat::Ident(pat) if pat.ident == *name && pat.mutability.is_some()))
        })
    }

    /// What an error is worth to the retry.
    fn class(&self, layer: &Layer) -> TokenStream {
        let private = &self.private;
        let error = ours("error");
        let Some(test) = &layer.code.retry_if else {
            return quote_spanned!(layer.at.span()=> |#error| #private::classify(#error));
        };
        let weigh = self.weigh(&error);
        quote!(|#error| #private::class_if(#private::holds(#error, #test), #weigh))
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

    fn hook(&self, layer: &Layer) -> TokenStream {
        let (private, event) = (&self.private, ours("event"));
        if let Some(hook) = &layer.code.on_retry {
            quote!(|#event| #private::tell(#event, #hook))
        } else {
            quote!(|_| ())
        }
    }

    fn circuit_breaker(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self {
            private,
            call,
            outcome,
            ..
        } = self;
        let [probe, error, result] = ["probe", "error", "result"].map(ours);
        let settle = if let Some(test) = &layer.code.failure_if {
            quote!(#probe.settle_if(#outcome, |#result| #private::holds(#result, #test)))
        } else {
            let weigh = self.weigh(&error);
            quote!(#probe.settle(#outcome, |#error| #weigh))
        };
        let refused = self.refused();
        quote! {
            match #call.circuit_breaker() {
                ::core::result::Result::Ok(#probe) => {
                    let #outcome = #inner;
                    #settle
                }
                #refused
            }
        }
    }

    fn bulkhead(&self, layer: &Layer, inner: &TokenStream) -> TokenStream {
        let Self {
            private,
            call,
            outcome,
            ..
        } = self;
        let [place, priority] = ["place", "priority"].map(ours);
        let chosen = layer.code.priority.as_ref();
        let chosen = chosen.map_or_else(
            || quote!(#private::Priority::Normal),
            |chosen| quote!(#chosen),
        );
        let (enter, wait) = self.driver("bulkhead");
        let refused = self.refused();
        quote!({
            let #priority: #private::Priority = #chosen;
            match #call.#enter(#priority)#wait {
                ::core::result::Result::Ok(#place) => {
                    let #outcome = #inner;
                    ::core::mem::drop(#place);
                    #outcome
                }
                #refused
            }
        })
    }

    /// The arm for a layer that refuses.
    fn refused(&self) -> TokenStream {
        let (private, rejected) = (&self.private, ours("rejected"));
        quote! {
            ::core::result::Result::Err(#rejected) => {
                ::core::result::Result::Err(#private::Failure::Rejected(#rejected))
            }
        }
    }

    /// The outer edge, and the fallback behind it.
    fn end(&self) -> TokenStream {
        let Self {
            call,
            outcome,
            site,
            shape,
            ..
        } = self;
        let span = self.error_span();
        // The compiler underlines this where the error cannot carry a rejection.
        let span = Span::mixed_site().located_at(span);
        let [call, shape, outcome] = [call, shape, outcome].map(|name| located(name, span));
        let fallback = self.plan.layer(LayerKind::Fallback);
        let Some(closure) = fallback.and_then(|layer| layer.code.fallback.as_ref()) else {
            return quote_spanned!(span=> #call.finish(#shape, #outcome));
        };
        let end = quote_spanned!(span=> #call.end(#outcome));
        let [value, error] = ["value", "error"].map(ours);
        let pattern = closure
            .inputs
            .first()
            .map_or_else(|| quote!(_), ToTokens::to_token_stream);
        let body = &closure.body;
        quote! {
            match #end {
                ::core::result::Result::Ok(#value) => ::core::result::Result::Ok(#value),
                ::core::result::Result::Err(#error) => {
                    #site.degraded();
                    #[allow(unused_variables, clippy::no_effect_underscore_binding)]
                    let #pattern = #error;
                    #body
                }
            }
        }
    }
}

/// `name` at another place.
fn located(name: &Ident, at: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(at);
    name
}

fn line_of(at: &Ident) -> u32 {
    u32::try_from(at.span().unwrap().line()).unwrap_or(u32::MAX)
}

/// `ty` with `_` in the place of each `impl Trait`, which only a signature can name.
fn without_impl(ty: TokenStream) -> TokenStream {
    let mut plain = Vec::<TokenTree>::new();
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "impl" => {
                skip_bounds(&mut tokens);
                plain.push(TokenTree::Ident(Ident::new("_", word.span())));
            }
            TokenTree::Group(group) => {
                let inner = without_impl(group.stream());
                let mut whole = proc_macro2::Group::new(group.delimiter(), inner);
                whole.set_span(group.span());
                plain.push(whole.into());
            }
            other => plain.push(other),
        }
    }
    plain.into_iter().collect()
}

/// Skips to the comma or the closing bracket behind the bounds of an `impl Trait`.
fn skip_bounds(tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    let (mut depth, mut before) = (0_usize, ' ');
    while let Some(token) = tokens.peek() {
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                ',' if depth == 0 => return,
                '>' if before != '-' && depth == 0 => return,
                '>' if before != '-' => depth -= 1,
                '<' => depth += 1,
                _ => {}
            }
            before = punct.as_char();
        } else {
            before = ' ';
        }
        tokens.next();
    }
}
