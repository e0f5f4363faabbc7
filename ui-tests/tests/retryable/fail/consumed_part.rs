use hardening::retryable;
use ui_tests::AppError;

struct Order {
    id: u64,
    name: String,
    note: Option<String>,
}

#[retryable]
async fn matched(text: Option<String>) -> Result<String, AppError> {
    match text {
        Some(text) => Ok(text),
        None => Ok(String::new()),
    }
}

#[retryable]
fn destructured(pair: (String, u8)) -> Result<String, AppError> {
    let (text, _) = pair;
    Ok(text)
}

#[retryable]
async fn on_a_condition(text: Option<String>, other: Option<String>) -> Result<String, AppError> {
    if let Some(text) = text {
        return Ok(text);
    }
    let Some(other) = other else {
        return Ok(String::new());
    };
    Ok(other)
}

#[retryable]
async fn fields(order: Order) -> Result<(u64, String), AppError> {
    let note = match order.note {
        Some(note) if note.is_empty() => note,
        _ => order.name,
    };
    Ok((order.id, note))
}

impl Order {
    #[retryable]
    fn named(self) -> Result<String, AppError> {
        Ok(self.name)
    }
}

#[retryable]
fn generic<T>(value: Option<T>) -> Result<Vec<T>, AppError> {
    match value {
        Some(value) => Ok(vec![value]),
        None => Ok(vec![]),
    }
}

#[retryable]
fn mistaken(order: Order) -> Result<u64, AppError> {
    Ok(order.ident)
}

#[retryable]
fn of_another_type(text: String) -> Result<u64, AppError> {
    match text {
        Some(number) => Ok(number),
        None => Ok(0),
    }
}

fn main() {
    drop((matched(None), on_a_condition(None, None)));
    let _ = (destructured, fields, Order::named, generic::<u8>, mistaken, of_another_type);
}
