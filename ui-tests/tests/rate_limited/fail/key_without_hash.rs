use hardening::rate_limited;
use ui_tests::AppError;

struct User {
    weight: f64,
}

#[rate_limited(op = "search", key = user)]
fn a_struct(user: &User) -> Result<f64, AppError> {
    Ok(user.weight)
}

#[rate_limited(op = "search", key = (id, user.weight))]
async fn part_of_a_tuple(id: u64, user: &User) -> Result<f64, AppError> {
    let _ = id;
    Ok(user.weight)
}

fn main() {
    let user = User { weight: 0.5 };
    let _ = a_struct(&user);
    drop(part_of_a_tuple(1, &user));
}
