//! The op table as a page for readers. `cargo xtask docs` writes it to `docs/opcodes.md`.

use crate::code::Intrinsic;
use crate::ops::{Extra, Op, Role};
use crate::special::Special;
use std::fmt::Write;

/// First op of each family in the table's order, as the table's comments name them.
const FAMILIES: &[(Op, &str)] = &[
    (Op::Move, "Moves and constants"),
    (Op::MakeCell, "Cells"),
    (Op::LoadGlobal, "Globals and names"),
    (Op::LoadAttr, "Attributes and items"),
    (Op::Add, "Arithmetic"),
    (Op::Lt, "Comparison"),
    (Op::Jump, "Branches"),
    (Op::GetIter, "Iteration"),
    (Op::Call, "Calls"),
    (Op::MakeFunction, "Functions and classes"),
    (Op::MakeGenerator, "Generators and coroutines"),
    (Op::Raise, "Exceptions"),
    (Op::BuildTuple, "Displays"),
    (Op::MatchSequence, "Match statement"),
    (Op::ImportName, "Imports"),
    (Op::LoadGlobalCell, "Put in by the loader and by quickening"),
];

/// The page: how instructions are coded, then every op, intrinsic and special method.
pub fn ops_markdown() -> String {
    let mut out =
        String::from("<!-- Written by `cargo xtask docs` from engine/bytecode. -->\n\n# Opcodes\n\n");
    // The table's own head comment explains the coding; it is not said twice.
    for line in include_str!("ops.rs").lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        out += &line.replace("[`Code`](crate::Code)", "`Code`");
        out.push('\n');
    }
    for op in Op::ALL {
        if let Some((_, family)) = FAMILIES.iter().find(|(first, _)| first == op) {
            let _ = write!(out, "\n## {family}\n\n| number | instruction | effect |\n|---|---|---|\n");
        }
        let (number, prose) = (*op as u8, cell(op.info().prose));
        let _ = writeln!(out, "| {number} | `{}` | {prose} |", cell(&signature(*op)));
    }
    out += "\n## Intrinsics\n\n| number | intrinsic | arguments and effect |\n|---|---|---|\n";
    for intrinsic in Intrinsic::ALL {
        let (number, name) = (*intrinsic as u8, intrinsic.name());
        let _ = writeln!(out, "| {number} | `{name}` | {} |", cell(intrinsic.prose().trim()));
    }
    out += "\n## Special methods\n\nNumbers of `load.special_method` and `bind.special`.\n\n";
    for special in Special::ALL {
        let sep = if *special as usize + 1 < Special::COUNT { ",\n" } else { ".\n" };
        let _ = write!(out, "{} `{}`{sep}", *special as u8, special.name());
    }
    out
}

/// Mnemonic and operands as in the text form: `add r[a], r[b], r[c]`.
fn signature(op: Op) -> String {
    let info = op.info();
    let mut operands = Vec::new();
    for (role, letter) in info.operands.into_iter().zip(["a", "b", "c"]) {
        operands.push(match role {
            Role::Dst | Role::Src | Role::Upd => format!("r[{letter}]"),
            Role::First | Role::Outs => format!("r[{letter}..]"),
            Role::Win => "r[w..]".to_owned(),
            Role::Num | Role::Imm => letter.to_owned(),
            Role::Lo => "bc".to_owned(),
            Role::Hi | Role::WinHi | Role::No => continue,
        });
    }
    operands.extend(match info.extra {
        Extra::No => None,
        Extra::Const => Some("constant".to_owned()),
        Extra::Name | Extra::Attr | Extra::Method | Extra::Global => Some("name".to_owned()),
        Extra::Jump => Some("target".to_owned()),
        Extra::Far => Some("r[dst], r[src]".to_owned()),
        Extra::Raw => Some("w".to_owned()),
    });
    format!("{} {}", info.text, operands.join(", ")).trim_end().to_owned()
}

/// Text that may stand in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_stand_in_the_tables_order() {
        assert_eq!(FAMILIES[0].0 as u8, 0);
        assert!(FAMILIES.windows(2).all(|w| (w[0].0 as u8) < w[1].0 as u8));
        let comments = include_str!("ops.rs").lines().filter(|line| line.starts_with("// ---- ")).count();
        assert_eq!(comments, FAMILIES.len(), "a family of the table is missing in FAMILIES");
    }

    #[test]
    fn every_op_has_its_row() {
        let page = ops_markdown();
        assert!(page.contains("| `call r[w..], b` |"));
        assert!(page.contains("| `or r[a], r[b], r[c]` | r[a] = r[b] \\| r[c]. |"));
        let rows = |l: &&str| l.starts_with("| ") && l.as_bytes()[2].is_ascii_digit();
        assert_eq!(page.lines().filter(rows).count(), Op::ALL.len() + Intrinsic::ALL.len());
    }
}
