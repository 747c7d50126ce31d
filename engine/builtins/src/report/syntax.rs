//! SyntaxError: the line and markers under the place.

use skein_runtime::object::Ref;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::str::Str;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// The lines from `File …` to the message.
pub fn error(vm: &Vm, e: Ref<Exception>, name: &str) -> String {
    let field = |i: usize| e.field(i).filter(|v| !v.is_none());
    let text_of = |v: Value| v.cast::<Str>().map(|s| s.to_string_lossy().into_owned());
    // It may be anything.
    let filename = field(1).map(|v| super::safe_text(vm, v, "filename"));
    let (line, offset) = (field(2).and_then(|v| vm.as_i64(v)), field(3).and_then(|v| vm.as_i64(v)));
    let (end_line, end_offset) = (field(5).and_then(|v| vm.as_i64(v)), field(6).and_then(|v| vm.as_i64(v)));
    let mut out = String::new();
    let mut suffix = String::new();
    match (line, &filename) {
        (Some(l), f) => {
            out.push_str(&format!("  File \"{}\", line {l}\n", f.as_deref().unwrap_or("<string>")));
        }
        (None, Some(f)) => suffix = format!(" ({f})"),
        (None, None) => {}
    }
    if let Some(text) = field(4).and_then(text_of) {
        let right = text.trim_end_matches('\n');
        let left = right.trim_start_matches([' ', '\n', '\x0c']);
        let spaces = (right.chars().count() - left.chars().count()) as i64;
        out.push_str(&format!("    {left}\n"));
        if let (Some(offset), Some(line)) = (offset, line) {
            let (all, behind) = (text.chars().count() as i64, right.chars().count() as i64 + 1);
            let end = match end_line == Some(line) {
                true => end_offset.filter(|&o| o != 0).unwrap_or(offset),
                false => behind,
            };
            let bounded = |at: i64| if all > 0 && at > all { behind } else { at };
            let (offset, mut end) = (bounded(offset), bounded(end));
            if offset >= end || end < 0 {
                end = offset + 1;
            }
            let (col, end_col) = (offset - 1 - spaces, end - 1 - spaces);
            if col >= 0 {
                let space: String = left
                    .chars()
                    .chain(std::iter::repeat(' '))
                    .take(col as usize)
                    .map(|c| if c.is_whitespace() { c } else { ' ' })
                    .collect();
                out.push_str(&format!("    {space}{}\n", "^".repeat((end_col - col).max(0) as usize)));
            }
        }
    }
    let message = e.field(0).or_else(|| e.arg(0)).filter(|m| !m.is_none());
    let message = message.map_or("<no detail available>".to_string(), |m| super::safe_text(vm, m, "msg"));
    out.push_str(&format!("{name}: {message}{suffix}\n"));
    out
}
