//! A Rust program that runs Python code: a guided tour of the library.

use skein::{Error, Interpreter};

fn main() -> Result<(), Error> {
    let python = Interpreter::builder().heap_limit(256 << 20).argv(["tour"]).hash_seed(1).build()?;

    // Statements run in `__main__`; what they define stays.
    python.exec(PRIMES, "primes.py")?;
    // The value of an expression becomes one of Rust's types.
    let primes: Vec<i64> = python.eval("list(islice(primes(), 10))")?;
    println!("{primes:?}");

    // An exception is an error with Python's own report.
    match python.eval::<f64>("1 / len('')") {
        Ok(x) => println!("{x}"),
        Err(e) => print!("{} caught:\n{e}", e.kind()),
    }

    // Microthreads are the isolate's: a tasklet that one piece of code leaves behind goes on in another.
    python.exec("import stackless\nlog = []\nstackless.tasklet(log.append)('ran')", "leave.py")?;
    println!("before: {:?}", python.eval::<Vec<String>>("log")?);
    python.exec("stackless.run()", "run.py")?;
    println!("after: {:?}", python.eval::<Vec<String>>("log")?);

    // Memory has a bound, and going beyond it is an exception like others.
    let error = python.exec("hoard = [None] * 10**9", "hoard.py").map_err(|e| e.kind().to_string());
    println!("{error:?}");
    python.finish();
    Ok(())
}

const PRIMES: &str = "
from itertools import count, islice

def primes():
    found = []
    for n in count(2):
        if all(n % p for p in found):
            found.append(n)
            yield n
";
