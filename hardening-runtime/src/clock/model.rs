//! Every interleaving of a reader with lines that replace each other.

use super::{line::Line, ticks::Scale};
use loom::{sync::Arc, thread};

fn line(all: u64) -> Line {
    Line {
        ticks: all,
        nanos: all,
        rate: all,
        span: all,
    }
}

#[test]
fn a_line_is_read_whole() {
    loom::model(|| {
        let scale = Arc::new(Scale::new());
        let drawing = {
            let scale = scale.clone();
            thread::spawn(move || (1..=2).for_each(|all| scale.set(line(all))))
        };
        let read = scale.line();
        assert_eq!(read, line(read.ticks));
        drawing.join().unwrap();
        assert_eq!(scale.line(), line(2));
    });
}
