//! What the methods of `str` and of bytes share: searching and cutting rows of bytes.
//!
//! `TEXT` says that the row is WTF-8 whose characters must not be cut; otherwise each byte is one.

use crate::types::text::{is_byte_space, is_space, rfind};
use skein_runtime::types::str::{char_width, code_points};
use skein_runtime::value::R;
use skein_runtime::vm::Vm;
use std::ops::Range;

/// The character that begins at `i`, and its width.
#[inline]
pub fn char_at<const TEXT: bool>(row: &[u8], i: usize) -> (u32, usize) {
    let b = row[i];
    if !TEXT || b < 0x80 {
        return (u32::from(b), 1);
    }
    let width = char_width(b);
    (code_points(&row[i..]).next().unwrap_or(0), width)
}

/// The character that ends before `end`, and its width.
#[inline]
pub fn char_before<const TEXT: bool>(row: &[u8], end: usize) -> (u32, usize) {
    let mut i = end - 1;
    if TEXT {
        while row[i] & 0xc0 == 0x80 {
            i -= 1;
        }
    }
    (char_at::<TEXT>(row, i).0, end - i)
}

#[inline]
fn space<const TEXT: bool>(c: u32) -> bool {
    if TEXT { is_space(c) } else { is_byte_space(c as u8) }
}

/// Where the row begins and ends without the characters that `drop` names.
pub fn strip<const TEXT: bool>(
    row: &[u8],
    left: bool,
    right: bool,
    drop: impl Fn(u32) -> bool,
) -> Range<usize> {
    let (mut start, mut end) = (0, row.len());
    while left && start < end {
        let (c, width) = char_at::<TEXT>(row, start);
        if !drop(c) {
            break;
        }
        start += width;
    }
    while right && end > start {
        let (c, width) = char_before::<TEXT>(row, end);
        if !drop(c) {
            break;
        }
        end -= width;
    }
    start..end
}

/// As [`strip`] of white space.
pub fn strip_space<const TEXT: bool>(row: &[u8], left: bool, right: bool) -> Range<usize> {
    strip::<TEXT>(row, left, right, space::<TEXT>)
}

/// Where the parts of a row are, in the order in which they were found. A few need no memory of their own.
#[derive(Default)]
pub struct Parts {
    few: [(usize, usize); FEW],
    len: usize,
    /// All, if they are more than that.
    many: Vec<(usize, usize)>,
}

const FEW: usize = 8;

impl Parts {
    fn push(&mut self, vm: &Vm, part: Range<usize>) -> R<()> {
        let part = (part.start, part.end);
        if self.len < FEW {
            self.few[self.len] = part;
        } else {
            if self.len == FEW {
                vm.grow(&mut self.many, 2 * FEW)?;
                self.many.extend_from_slice(&self.few);
            }
            vm.push(&mut self.many, part)?;
        }
        self.len += 1;
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Start and end of each part.
    pub fn as_slice(&self) -> &[(usize, usize)] {
        if self.len <= FEW { &self.few[..self.len] } else { &self.many }
    }

    fn as_mut_slice(&mut self) -> &mut [(usize, usize)] {
        if self.len <= FEW { &mut self.few[..self.len] } else { &mut self.many }
    }
}

/// Parts between white space, at most `max` cuts.
pub fn split_space<const TEXT: bool>(vm: &Vm, row: &[u8], max: usize, parts: &mut Parts) -> R<()> {
    let mut i = 0;
    loop {
        i += strip_space::<TEXT>(&row[i..], true, false).start;
        if i >= row.len() {
            return Ok(());
        }
        if parts.len() == max {
            parts.push(vm, i..row.len())?;
            return Ok(());
        }
        let start = i;
        while i < row.len() {
            let (c, width) = char_at::<TEXT>(row, i);
            if space::<TEXT>(c) {
                break;
            }
            i += width;
        }
        parts.push(vm, start..i)?;
    }
}

/// As [`split_space`] from the right.
pub fn rsplit_space<const TEXT: bool>(vm: &Vm, row: &[u8], max: usize, parts: &mut Parts) -> R<()> {
    let mut end = row.len();
    loop {
        end = strip_space::<TEXT>(&row[..end], false, true).end;
        if end == 0 {
            break;
        }
        if parts.len() == max {
            parts.push(vm, 0..end)?;
            break;
        }
        let mut start = end;
        while start > 0 {
            let (c, width) = char_before::<TEXT>(row, start);
            if space::<TEXT>(c) {
                break;
            }
            start -= width;
        }
        parts.push(vm, start..end)?;
        end = start;
    }
    parts.as_mut_slice().reverse();
    Ok(())
}

/// Parts between separators, at most `max` cuts; the separator is not empty.
pub fn split(vm: &Vm, row: &[u8], sep: &[u8], max: usize, parts: &mut Parts) -> R<()> {
    let mut start = 0;
    if sep.len() == 1 {
        for at in memchr::memchr_iter(sep[0], row).take(max) {
            parts.push(vm, start..at)?;
            start = at + 1;
        }
    } else {
        for at in memchr::memmem::find_iter(row, sep).take(max) {
            parts.push(vm, start..at)?;
            start = at + sep.len();
        }
    }
    parts.push(vm, start..row.len())?;
    Ok(())
}

/// As [`split`] from the right.
pub fn rsplit(vm: &Vm, row: &[u8], sep: &[u8], max: usize, parts: &mut Parts) -> R<()> {
    let mut end = row.len();
    while parts.len() < max
        && let Some(at) = rfind(&row[..end], sep)
    {
        parts.push(vm, at + sep.len()..end)?;
        end = at;
    }
    parts.push(vm, 0..end)?;
    parts.as_mut_slice().reverse();
    Ok(())
}

/// Lines, with their ends if `keep`.
pub fn split_lines<const TEXT: bool>(vm: &Vm, row: &[u8], keep: bool, parts: &mut Parts) -> R<()> {
    let (mut start, mut i) = (0, 0);
    while i < row.len() {
        let (c, width) = char_at::<TEXT>(row, i);
        let breaks =
            matches!(c, 10 | 13) || (TEXT && matches!(c, 11 | 12 | 28..=30 | 0x85 | 0x2028 | 0x2029));
        let end = i;
        i += width;
        if breaks {
            if c == 13 && row.get(i) == Some(&10) {
                i += 1;
            }
            parts.push(vm, start..if keep { i } else { end })?;
            start = i;
        }
    }
    if start < row.len() {
        parts.push(vm, start..row.len())?;
    }
    Ok(())
}

/// Places that do not overlap; of an empty needle: between all characters and at the ends.
pub fn count<const TEXT: bool>(row: &[u8], needle: &[u8]) -> usize {
    match needle {
        [] if TEXT => skein_runtime::types::str::count_chars(row) + 1,
        [] => row.len() + 1,
        [b] => memchr::memchr_iter(*b, row).count(),
        _ => memchr::memmem::find_iter(row, needle).count(),
    }
}

/// The row with up to `max` places replaced; None: it stays as it is.
pub fn replace<const TEXT: bool>(
    vm: &Vm,
    row: &[u8],
    old: &[u8],
    new: &[u8],
    max: usize,
) -> R<Option<Vec<u8>>> {
    if max == 0 || old == new {
        return Ok(None);
    }
    if old.is_empty() {
        let mut out = Vec::new();
        let (mut from, mut done) = (0, 0);
        while done < max {
            vm.put(&mut out, new)?;
            done += 1;
            if from >= row.len() {
                break;
            }
            let width = char_at::<TEXT>(row, from).1;
            vm.put(&mut out, &row[from..from + width])?;
            from += width;
        }
        vm.put(&mut out, &row[from..])?;
        return Ok(Some(out));
    }
    let mut size = row.len();
    if new.len() > old.len() {
        // Counted first, so that it is asked for at once.
        let all = count::<TEXT>(row, old).min(max);
        size = size.saturating_add(all.saturating_mul(new.len() - old.len()));
    }
    match old {
        &[b] => replaced::<TEXT>(vm, row, 1, new, size, memchr::memchr_iter(b, row).take(max)),
        _ => replaced::<TEXT>(vm, row, old.len(), new, size, memchr::memmem::find_iter(row, old).take(max)),
    }
}

/// The row with what is at these places replaced, in a buffer of this size; None: there are none.
fn replaced<const TEXT: bool>(
    vm: &Vm,
    row: &[u8],
    width: usize,
    new: &[u8],
    size: usize,
    places: impl Iterator<Item = usize>,
) -> R<Option<Vec<u8>>> {
    let mut out = Vec::new();
    let (mut from, mut done) = (0, 0);
    for i in places {
        if done == 0 {
            out = vm.buffer(size)?;
        }
        done += 1;
        // Text does not change, whatever a signal's handler does.
        if TEXT && done % (1 << 14) == 0 {
            vm.check_signals()?;
        }
        out.extend_from_slice(&row[from..i]);
        out.extend_from_slice(new);
        from = i + width;
    }
    if done == 0 {
        return Ok(None);
    }
    vm.put(&mut out, &row[from..])?;
    Ok(Some(out))
}

/// At most how long the row is after `expand_tabs`.
pub fn expanded_len(row: &[u8], size: usize) -> usize {
    let tabs = row.iter().filter(|c| **c == 9).count();
    row.len().saturating_add(tabs.saturating_mul(size))
}

/// Tabs replaced by spaces up to the next column that is a multiple of `size`.
pub fn expand_tabs<const TEXT: bool>(vm: &Vm, row: &[u8], size: usize) -> R<Vec<u8>> {
    let mut out = vm.buffer(expanded_len(row, size))?;
    let (mut i, mut column) = (0, 0usize);
    while i < row.len() {
        let (c, width) = char_at::<TEXT>(row, i);
        match c {
            9 if size > 0 => {
                let n = size - column % size;
                out.resize(out.len() + n, b' ');
                column += n;
            }
            9 => {}
            10 | 13 => {
                out.push(c as u8);
                column = 0;
            }
            _ => {
                out.extend_from_slice(&row[i..i + width]);
                column += 1;
            }
        }
        i += width;
    }
    Ok(out)
}

/// Fill characters left and right for a row that is to be centred.
pub fn centre(len: usize, width: usize) -> (usize, usize) {
    let missing = width.saturating_sub(len);
    let left = missing / 2 + (missing & width & 1);
    (left, missing - left)
}

/// With zeros after the sign, up to this width.
pub fn zero_fill(vm: &Vm, row: &[u8], chars: usize, width: usize) -> R<Vec<u8>> {
    let missing = width.saturating_sub(chars);
    let signed = usize::from(matches!(row.first(), Some(b'+' | b'-')));
    let mut out = vm.buffer(row.len() + missing)?;
    out.extend_from_slice(&row[..signed]);
    out.resize(signed + missing, b'0');
    out.extend_from_slice(&row[signed..]);
    Ok(out)
}
