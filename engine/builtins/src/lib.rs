//! What Python sees of the builtin types ([`types`]), and the modules that the engine itself needs ([`modules`]).
//!
//! The runtime below knows this crate as one table, [`BUILTINS`].

pub mod modules;
pub mod report;
pub mod types;

use skein_runtime::vm::Builtins;

/// The table for [`skein_runtime::vm::Hooks::builtins`].
pub static BUILTINS: Builtins = Builtins {
    types: types::DEFS,
    assemble: types::assemble,
    fill_exceptions: types::exceptions::fill,
    init: modules::init,
    instance_dict: &types::INSTANCE_DICT,
    context_type: &modules::contextvars::CONTEXT,
    import: modules::import,
    run_signal_handlers: modules::run_signal_handlers,
    finalize_generator: types::generator::finalize,
    takes_from_generator: modules::streams::takes_from_generator,
    generator_over: modules::streams::generator_over,
    finalize_awaitable: types::generator::finalize_awaitable,
    views: types::views,
    number_binary: types::number_binary,
    generic_alias: types::generic::alias::of,
    exceptions_to_reraise: types::exceptions::group::exceptions_to_reraise,
    typing_intrinsic: modules::typing_intrinsic,
    interpolation: types::interpolation_of,
    template: types::template_of,
    print_unraisable: report::print_unraisable,
    source_line: report::source_line,
};
