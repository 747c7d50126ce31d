//! What finding and reading a packed module costs, without running it.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn lookup(c: &mut Criterion) {
    c.bench_function("find collections.abc", |b| b.iter(|| skein_stdlib::find(black_box("collections.abc"))));
    c.bench_function("find a name that is not there", |b| b.iter(|| skein_stdlib::find(black_box("numpy"))));
    for name in ["os", "collections", "typing", "asyncio.events", "_pydecimal"] {
        let Some(entry) = skein_stdlib::find(name) else { continue };
        c.bench_function(&format!("code bytes of {name}"), |b| b.iter(|| black_box(entry.code()).len()));
        let code = entry.code();
        c.bench_function(&format!("read code of {name} ({} bytes)", code.len()), |b| {
            b.iter(|| skein_bytecode::read_file(black_box(code)));
        });
        c.bench_function(&format!("source of {name}"), |b| b.iter(|| black_box(entry.source()).len()));
    }
}

criterion_group!(benches, lookup);
criterion_main!(benches);
