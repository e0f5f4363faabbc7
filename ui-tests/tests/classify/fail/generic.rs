use hardening::Classify;
use std::marker::PhantomData;

struct Opaque;

#[derive(Classify)]
enum ShopError<E, T> {
    #[classify(forward)]
    Inner(Box<E>),
    #[permanent]
    Gone(PhantomData<T>),
}

fn main() {
    let _ = ShopError::<std::io::Error, Opaque>::Gone(PhantomData).classify();
    let asked: ShopError<Opaque, u32> = ShopError::Inner(Box::new(Opaque));
    let _ = Classify::classify(&asked);
}
