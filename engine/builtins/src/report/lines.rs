//! One traceback entry: the place, the source lines and the markers under them.

use crate::modules::MainCode;
use skein_bytecode::Position;
use skein_runtime::object::Ref;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::vm::Vm;
use unicode_width::UnicodeWidthChar;

/// The lines of a source file; nothing if it cannot be read.
pub fn source(vm: &Vm, filename: &str) -> Option<String> {
    if let Some(text) = vm.hooks.packaged_source(vm, filename) {
        return Some(text);
    }
    if filename.starts_with('<') {
        return None;
    }
    let bytes = std::fs::read(filename).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
}

/// `File "…", line …, in …` and what follows.
pub fn entry(vm: &Vm, tb: Ref<Traceback>) -> String {
    let code = tb.code();
    let p = code.portable();
    let line = tb.line();
    let mut out = match line {
        0 => format!("  File \"{}\", line None, in {}\n", p.filename, p.name),
        n => format!("  File \"{}\", line {n}, in {}\n", p.filename, p.name),
    };
    let mut position = p.positions.at(tb.unit());
    if position.line != line {
        position = Position { line, end_line: line, ..Position::NONE };
    }
    let text = match vm.state::<MainCode>().source_of(p) {
        Some(text) => Some(text.to_string()),
        None => source(vm, &p.filename),
    };
    if let Some(text) = text
        && let Some(shown) = marked(vm, &text, position)
    {
        for l in shown {
            out.push_str("    ");
            out.push_str(&l);
            out.push('\n');
        }
    }
    out
}

/// Blanks at the beginning, in characters.
fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).count()
}

/// Character offset of a byte offset.
fn char_offset(line: &str, byte: usize) -> usize {
    line.bytes().take(byte).filter(|b| b & 0xc0 != 0x80).count()
}

fn byte_offset(line: &str, chars: usize) -> usize {
    line.char_indices().nth(chars).map_or(line.len(), |(i, _)| i)
}

/// Cells of a terminal that a character takes, as CPython counts them: two where it is wide.
fn width(c: char) -> usize {
    if c.width() == Some(2) { 2 } else { 1 }
}

fn display_width(line: &str, chars: usize) -> usize {
    line.chars().take(chars).map(width).sum()
}

/// The source lines of a position with their markers; None without source.
fn marked(vm: &Vm, text: &str, p: Position) -> Option<Vec<String>> {
    let all: Vec<&str> = text.split('\n').collect();
    let first = all.get((p.line as usize).checked_sub(1)?)?;
    if first.trim().is_empty() {
        return None;
    }
    let known = p.col != u32::MAX && p.end_col != u32::MAX && p.end_line >= p.line;
    if !known {
        return Some(vec![first.trim().to_string()]);
    }
    let originals = all.get(p.line as usize - 1..(p.end_line as usize).min(all.len()))?;
    let common = originals.iter().filter(|l| !l.trim().is_empty()).map(|l| indentation(l)).min().unwrap_or(0);
    let lines: Vec<&str> = originals
        .iter()
        .map(|l| l.get(byte_offset(l, common.min(indentation(l)))..).unwrap_or("").trim_end())
        .collect();
    let last_original = originals.last()?;
    let start = char_offset(first, p.col as usize).saturating_sub(common);
    let end = char_offset(last_original, p.end_col as usize).saturating_sub(common);
    Some(with_markers(vm, &lines, start, end))
}

/// `start` and `end` are character offsets in the first and the last line.
fn with_markers(vm: &Vm, lines: &[&str], start: usize, end: usize) -> Vec<String> {
    let last = lines.len() - 1;
    let joined = lines.join("\n");
    let start_byte = byte_offset(lines[0], start);
    let end_byte = byte_offset(lines[last], end);
    let end_in_all = joined.len() - (lines[last].len() - end_byte);
    let segment = joined.get(start_byte..end_in_all).unwrap_or("");
    let anchors = vm.hooks.caret_anchors(segment);
    let plain_call = vm.hooks.is_plain_call(&joined, start_byte, end_byte);
    let around =
        !lines[0][..start_byte].trim_start().is_empty() || !lines[last][end_byte..].trim_end().is_empty();
    let show = !plain_call && (anchors.is_some() || around);
    // (line, display column) of an offset in the segment.
    let place = |offset: usize| {
        let before = &segment[..offset.min(segment.len())];
        let line = before.matches('\n').count();
        let column_text = &before[before.rfind('\n').map_or(0, |i| i + 1)..];
        let chars = column_text.chars().count() + if line == 0 { start } else { 0 };
        (line, display_width(lines[line.min(last)], chars))
    };
    let anchors = anchors.map(|(l, r)| (place(l), place(r)));
    let mut significant = std::collections::BTreeSet::from([0, last]);
    if let Some(((left, _), (right, _))) = anchors {
        for n in [left, right] {
            significant.extend(n.saturating_sub(1)..=(n + 1).min(last));
        }
    }
    let (first_column, end_column) = (display_width(lines[0], start), display_width(lines[last], end));
    let markers = |n: usize| -> Option<String> {
        if !show {
            return None;
        }
        let blanks = indentation(lines[n]);
        let columns = if n == last { end_column } else { display_width(lines[n], usize::MAX) };
        let marker = |col: usize| {
            if col < blanks || (n == 0 && col < first_column) {
                return ' ';
            }
            match anchors {
                Some((left, right)) if (n, col) < left || (n, col) >= right => '~',
                _ => '^',
            }
        };
        Some((0..columns).map(marker).collect())
    };
    let mut out = Vec::new();
    let mut previous: Option<usize> = None;
    for &n in &significant {
        let gap = previous.map_or(0, |p| n - p - 1);
        if gap == 1 {
            out.push(lines[n - 1].to_string());
            out.extend(markers(n - 1));
        } else if gap > 1 {
            out.push(format!("...<{gap} lines>..."));
        }
        out.push(lines[n].to_string());
        out.extend(markers(n));
        previous = Some(n);
    }
    out
}
