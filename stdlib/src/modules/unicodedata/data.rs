//! Properties that no crate tells, from `unicode.txt`: read once, found by binary search.

use std::collections::HashMap;
use std::rc::Rc;

static TEXT: &str = include_str!("unicode.txt");

type Rows = Vec<(u32, u32, &'static str)>;

/// The sections of the file.
#[derive(Default)]
pub struct Data {
    sections: HashMap<&'static str, Rows>,
}

/// The file, read at the first call.
#[derive(Default)]
pub struct Lazy(std::cell::OnceCell<Rc<Data>>);

impl Lazy {
    pub fn get(&self) -> Rc<Data> {
        self.0.get_or_init(|| Rc::new(read())).clone()
    }
}

fn read() -> Data {
    let mut data = Data::default();
    let mut section = "";
    for line in TEXT.lines().filter(|l| !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
            continue;
        }
        let (range, value) = line.split_once(' ').unwrap_or((line, ""));
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        let number = |s| u32::from_str_radix(s, 16).expect("the file has hexadecimal numbers");
        data.sections.entry(section).or_default().push((number(first), number(last), value));
    }
    data
}

impl Data {
    /// The value of a code point in a section, and the first code point of its range.
    pub fn find(&self, section: &str, c: u32) -> Option<(&'static str, u32)> {
        let rows = self.sections.get(section)?;
        let i = rows.partition_point(|row| row.1 < c);
        rows.get(i).filter(|row| row.0 <= c).map(|row| (row.2, row.0))
    }

    pub fn value(&self, section: &str, c: u32) -> Option<&'static str> {
        self.find(section, c).map(|(v, _)| v)
    }
}
