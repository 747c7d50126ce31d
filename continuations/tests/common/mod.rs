//! Runs each test function, generic over the backend, on all backends.

#[macro_export]
macro_rules! on_each_backend {
    ($($test:ident),* $(,)?) => {
        mod corosensei {
            $(#[test] fn $test() { super::$test::<skein_continuations::Corosensei>() })*
        }
        #[cfg(feature = "generator")]
        mod generator {
            $(#[test] fn $test() { super::$test::<skein_continuations::Generator>() })*
        }
    };
}
