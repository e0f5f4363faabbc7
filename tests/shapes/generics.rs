//! What a generic function is generic over is part of its cache's key.

use hardening::cached;

#[cached]
fn size<T>() -> usize {
    size_of::<T>()
}

#[cached]
fn repeated<const N: usize>(of: u8) -> Vec<u8> {
    vec![of; N]
}

#[test]
fn two_types_of_one_generic_function_do_not_share_a_result() {
    assert_eq!((size::<u8>(), size::<u64>(), size::<u8>()), (1, 8, 1));
}

#[test]
fn two_constants_of_one_generic_function_do_not_share_a_result() {
    assert_eq!(repeated::<2>(7), [7, 7]);
    assert_eq!(repeated::<3>(7), [7, 7, 7]);
}
