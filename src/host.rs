//! What the runtime reaches through its hooks: the compiler, the packaged library, the switcher.

use skein_builtins::modules::IntMaxDigits;
use skein_bytecode::CodeRef;
use skein_compiler::tree::{Wrong, schema::Class};
use skein_compiler::{Compiled, ErrorKind, Mode as CompilerMode, Options, SyntaxError, SyntaxWarning};
use skein_greenlets::{MicroTypes, Microthreads, StackPool, new_pool};
use skein_jit::Jit;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::{
    Builtins, Compile, Hooks, Maker, Mode, Switcher, SyntaxPlace, Tier, Tree, Vm, compile_flags,
};
use std::rc::Rc;

/// Raises the compiler's error as Python's exception.
fn raise_error(vm: &Vm, e: &SyntaxError, filename: &str) -> Raised {
    let ty = match e.kind {
        ErrorKind::Syntax => vm.exc.syntax_error,
        ErrorKind::Indentation => vm.exc.indentation_error,
        ErrorKind::Tab => vm.exc.tab_error,
        ErrorKind::Recursion => return vm.raise_text(vm.exc.recursion_error, &e.message),
        ErrorKind::Memory => return vm.raise_text(vm.exc.memory_error, &e.message),
    };
    let place = SyntaxPlace {
        filename,
        line: e.line,
        col: e.col,
        end_line: e.end_line,
        end_col: e.end_col,
        text: e.text.as_deref(),
    };
    vm.syntax_error(ty, &e.message, &place)
}

/// Issues the compiler's warning; where warnings are errors, it is a SyntaxError at its place.
fn warn(vm: &Vm, w: &SyntaxWarning, what: &Compile<'_>) -> R<()> {
    let issued = vm.warn_explicit(vm.exc.syntax_warning, &w.message, what.filename, w.line);
    if issued.is_err() && vm.catch(vm.exc.syntax_warning).is_some() {
        let text = String::from_utf8_lossy(what.source);
        let place = SyntaxPlace {
            filename: what.filename,
            line: w.line,
            col: w.col,
            end_line: w.end_line,
            end_col: w.end_col,
            text: text.split_inclusive('\n').nth(w.line as usize - 1),
        };
        // What it says of the future is no news where it is an error now.
        let message = w.message.replace(" Such sequences will not work in the future.", "");
        return Err(vm.syntax_error(vm.exc.syntax_error, &message, &place));
    }
    issued
}

/// The layers above the runtime.
pub struct Host {
    stacks: StackPool,
    types: Rc<MicroTypes>,
    pub jit: Jit,
}

impl Default for Host {
    fn default() -> Host {
        Host { stacks: new_pool(), types: Rc::default(), jit: Jit::default() }
    }
}

fn compiler_mode(mode: Mode) -> CompilerMode {
    match mode {
        Mode::Exec => CompilerMode::Exec,
        Mode::Eval => CompilerMode::Eval,
        Mode::Single => CompilerMode::Single,
    }
}

/// `__future__.CO_FUTURE_BARRY_AS_BDFL`.
const FUTURE_BARRY: u32 = 0x40_0000;

fn options(vm: &Vm, what: &Compile<'_>) -> Options {
    Options {
        optimize: what.optimize,
        future_annotations: what.flags & skein_bytecode::flags::FUTURE_ANNOTATIONS != 0,
        allow_top_level_await: what.flags & compile_flags::TOP_LEVEL_AWAIT != 0,
        dont_imply_dedent: what.flags & compile_flags::DONT_IMPLY_DEDENT != 0,
        lines_only: vm.config.lines_only,
        barry: what.flags & FUTURE_BARRY != 0,
        max_int_digits: usize::try_from(vm.state::<IntMaxDigits>().0.get()).ok(),
        decoded: what.decoded || what.flags & compile_flags::IGNORE_COOKIE != 0,
        ..Options::default()
    }
}

fn failed(vm: &Vm, e: &SyntaxError, what: &Compile<'_>) -> Raised {
    if e.incomplete && what.flags & compile_flags::ALLOW_INCOMPLETE_INPUT != 0 {
        return vm.raise_text(vm.exc.incomplete_input_error, "incomplete input");
    }
    raise_error(vm, e, what.filename)
}

/// A source in an encoding that only the program's codecs know, as UTF-8. SyntaxError with what they raise.
fn decoded_by_codec(vm: &Vm, what: &Compile<'_>) -> R<Option<Vec<u8>>> {
    if what.decoded || what.flags & compile_flags::IGNORE_COOKIE != 0 {
        return Ok(None);
    }
    let Some(encoding) = skein_compiler::foreign_encoding(what.source) else { return Ok(None) };
    let text = vm.call_method(vm.bytes(what.source)?, "decode", &[vm.str(&encoding)?]);
    let encoded = text.and_then(|text| vm.call_method(text, "encode", &[vm.str("utf-8")?]));
    match encoded {
        Ok(bytes) => Ok(bytes.cast::<Bytes>().map(|b| vm.copied(b.bytes())).transpose()?),
        Err(raised) => {
            let Some(error) = vm.catch(vm.exc.exception) else { return Err(raised) };
            let message = vm.str_string(error)?;
            let place =
                SyntaxPlace { filename: what.filename, line: 0, col: 0, end_line: 0, end_col: 0, text: None };
            Err(vm.syntax_error(vm.exc.syntax_error, &message, &place))
        }
    }
}

/// The code, after its warnings.
fn checked(vm: &Vm, compiled: Compiled, what: &Compile<'_>) -> R<CodeRef> {
    #[cfg(debug_assertions)]
    if let Err(e) = skein_bytecode::verify(&compiled.code) {
        return Err(vm.system_error(format!("bad code from the compiler: {e}")));
    }
    for w in &compiled.warnings {
        warn(vm, w, what)?;
    }
    Ok(CodeRef::new(compiled.code))
}

/// What a whole tree is for a mode.
fn tree_class(mode: Mode) -> Class {
    match mode {
        Mode::Exec => Class::Module,
        Mode::Eval => Class::Expression,
        Mode::Single => Class::Interactive,
    }
}

/// The tree that a program made, if it is a possible one.
fn valid_tree(vm: &Vm, tree: Value, class: Class) -> R<skein_compiler::tree::Node> {
    let tree = skein_stdlib::tree_from_object(vm, tree, class)?;
    skein_compiler::tree::validate(&tree).map_err(|wrong| match wrong {
        Wrong::Value(text) => vm.value_error(text),
        Wrong::Type(text) => vm.type_error(text),
    })?;
    Ok(tree)
}

impl Hooks for Host {
    fn builtins(&self) -> &'static Builtins {
        &skein_builtins::BUILTINS
    }

    fn compile(&self, vm: &Vm, what: &Compile<'_>) -> R<CodeRef> {
        if let Some(text) = decoded_by_codec(vm, what)? {
            return self.compile(vm, &Compile { source: &text, decoded: true, ..*what });
        }
        let mode = compiler_mode(what.mode);
        let compiled =
            skein_compiler::compile_with_warnings(what.source, what.filename, mode, &options(vm, what))
                .map_err(|e| failed(vm, &e, what))?;
        checked(vm, compiled, what)
    }

    fn parse(&self, vm: &Vm, what: &Compile<'_>, tree: Tree) -> R<Value> {
        if let Some(text) = decoded_by_codec(vm, what)? {
            return self.parse(vm, &Compile { source: &text, decoded: true, ..*what }, tree);
        }
        let options = Options {
            feature_version: tree.feature_version,
            type_comments: what.flags & compile_flags::TYPE_COMMENTS != 0,
            ..options(vm, what)
        };
        if tree.function_type {
            let tree = skein_compiler::tree::parse_function_type(what.source, &options)
                .map_err(|e| failed(vm, &e, what))?;
            return skein_stdlib::tree_to_object(vm, &tree);
        }
        let parsed = skein_compiler::tree::parse(what.source, compiler_mode(what.mode), &options)
            .map_err(|e| failed(vm, &e, what))?;
        for w in &parsed.warnings {
            warn(vm, w, what)?;
        }
        let mut tree = parsed.tree;
        if what.flags & compile_flags::OPTIMIZED_AST != 0 {
            skein_compiler::tree::optimize(&mut tree, what.optimize);
        }
        skein_stdlib::tree_to_object(vm, &tree)
    }

    fn symbol_table(&self, vm: &Vm, what: &Compile<'_>) -> R<Value> {
        if let Some(text) = decoded_by_codec(vm, what)? {
            return self.symbol_table(vm, &Compile { source: &text, decoded: true, ..*what });
        }
        let mode = compiler_mode(what.mode);
        let table = skein_compiler::symtable::symbol_table(what.source, mode, &options(vm, what))
            .map_err(|e| failed(vm, &e, what))?;
        skein_stdlib::symbols_to_object(vm, &table)
    }

    fn is_tree(&self, vm: &Vm, v: Value) -> R<bool> {
        skein_stdlib::is_tree(vm, v)
    }

    fn checked_tree(&self, vm: &Vm, tree: Value, what: &Compile<'_>, function_type: bool) -> R<Value> {
        let class = if function_type { Class::FunctionType } else { tree_class(what.mode) };
        if function_type || what.flags & compile_flags::OPTIMIZED_AST == 0 {
            skein_stdlib::check_tree_class(vm, tree, class)?;
            return Ok(tree);
        }
        let mut tree = valid_tree(vm, tree, class)?;
        skein_compiler::tree::optimize(&mut tree, what.optimize);
        skein_stdlib::tree_to_object(vm, &tree)
    }

    fn compile_tree(&self, vm: &Vm, tree: Value, what: &Compile<'_>) -> R<CodeRef> {
        let tree = valid_tree(vm, tree, tree_class(what.mode))?;
        let mode = compiler_mode(what.mode);
        let compiled = skein_compiler::tree::compile(&tree, what.filename, mode, &options(vm, what))
            .map_err(|e| failed(vm, &e, what))?;
        checked(vm, compiled, what)
    }

    fn packaged_module(&self, vm: &Vm, name: &str) -> R<Option<(CodeRef, bool)>> {
        let Some(entry) = skein_stdlib::find(name) else { return Ok(None) };
        let library = &vm.config.library;
        let rename = |written: &str| {
            let path = written.strip_prefix(skein_stdlib::FILENAME_PREFIX).filter(|_| !library.is_empty());
            path.map(|path| format!("{library}/{path}"))
        };
        match skein_bytecode::read_packed(entry.code(), rename) {
            Ok(code) => Ok(Some((code, entry.is_package()))),
            Err(e) => Err(vm.import_error(format!("packaged code of {name}: {e}"))),
        }
    }

    fn packaged_source(&self, vm: &Vm, filename: &str) -> Option<String> {
        let name = match filename.strip_prefix("<frozen ").and_then(|f| f.strip_suffix('>')) {
            Some(name) => name.to_string(),
            None => {
                let path = vm.within_library(filename)?.strip_suffix(".py")?;
                path.strip_suffix("/__init__").unwrap_or(path).replace('/', ".")
            }
        };
        String::from_utf8(skein_stdlib::find(&name)?.source()).ok()
    }

    fn packaged_file(&self, vm: &Vm, path: &str) -> Option<Vec<u8>> {
        skein_stdlib::file(vm.within_library(path)?)
    }

    fn caret_anchors(&self, segment: &str) -> Option<(usize, usize)> {
        skein_compiler::caret_anchors(segment).map(|a| (a.left, a.right))
    }

    fn is_plain_call(&self, lines: &str, start: usize, end: usize) -> bool {
        skein_compiler::is_plain_call(lines, start, end)
    }

    fn native_module(&self, vm: &Vm, name: &str) -> R<Option<Value>> {
        if let Some(m) = skein_greenlets::native_module(vm, name)? {
            return Ok(Some(m));
        }
        match skein_jit::native_module(vm, name)? {
            Some(m) => Ok(Some(m)),
            None => skein_stdlib::native_module(vm, name),
        }
    }

    fn packaged_module_names(&self) -> Vec<&'static str> {
        skein_stdlib::entries().map(|e| e.name()).filter(|name| !name.contains('.')).collect()
    }

    fn packaged_children(&self, package: &str) -> Vec<(String, bool)> {
        let children = skein_stdlib::children(package);
        let tail = |name: &'static str| name.rsplit('.').next().unwrap_or(name).to_string();
        children.map(|e| (tail(e.name()), e.is_package())).collect()
    }

    fn native_module_names(&self) -> Vec<&'static str> {
        let mut names = skein_stdlib::native_module_names();
        names.extend(skein_greenlets::MODULE_NAMES);
        names.push(skein_jit::MODULE_NAME);
        names
    }

    fn weak_cleared(&self, vm: &Vm, container: Value) {
        skein_stdlib::weak_cleared(vm, container);
    }

    fn finalize_apart(&self, vm: &Vm) -> bool {
        skein_stdlib::finalize_apart(vm)
    }

    fn maker(&self) -> Maker {
        crate::make_isolate
    }

    fn new_switcher(&self, vm: &Vm, thread: u32) -> (Box<dyn Switcher>, *const ()) {
        let micros = Box::new(Microthreads::new(thread, self.stacks.clone(), self.types.clone()));
        micros.attach(vm);
        let state: *const Microthreads = &*micros;
        (micros, state.cast())
    }

    fn tier(&self) -> &dyn Tier {
        &self.jit
    }
}
