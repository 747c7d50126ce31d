//! The file form comes back equal, and broken bytes give an error.

mod common;

use skein_bytecode::{
    Code, Const, FORMAT_VERSION, FileError, Position, Positions, parse, read_file, read_packed, write_file,
};

#[test]
fn random_codes_come_back() {
    common::with_seeds(2000, |rng| {
        let code = common::code(rng, 2);
        let bytes = write_file(&code).unwrap();
        assert_eq!(read_file(&bytes).unwrap(), code);
    });
}

#[test]
fn codes_within_packed_ones_are_the_same_when_they_are_looked_at() {
    common::with_seeds(500, |rng| {
        let code = common::code(rng, 3);
        let bytes: &'static [u8] = write_file(&code).unwrap().leak();
        let packed = read_packed(bytes, |_| None).unwrap();
        let heads = |c: &Code| {
            c.consts
                .iter()
                .filter_map(|c| match c {
                    Const::Code(c) => Some((*c.head(), c.qualname().to_owned(), c.filename().to_owned())),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(heads(&packed), heads(&code));
        assert_eq!(*packed, code);
        assert_eq!(heads(&packed), heads(&code));
        let renamed = read_packed(bytes, |_| Some("elsewhere".into())).unwrap();
        assert!(heads(&renamed).iter().all(|(_, _, filename)| filename == "elsewhere"));
    });
}

#[test]
fn broken_bytes_give_an_error_or_a_code() {
    common::with_seeds(4000, |rng| {
        let mut bytes = write_file(&common::code(rng, 2)).unwrap();
        for _ in 0..1 + rng.below(6) {
            // Behind the header, which would only end it all at once.
            let at = 16 + rng.below(bytes.len() - 16);
            match rng.below(5) {
                0 => bytes.truncate(at.max(17)),
                1 => drop(bytes.splice(at..at, [rng.next() as u8; 3])),
                2 => bytes[at] = 0xff,
                3 => bytes[at] ^= 1 << rng.below(8),
                _ => bytes[at] = rng.next() as u8,
            }
        }
        if let Ok(code) = read_file(&bytes) {
            // What was read must not upset anything else that takes codes.
            let _ = skein_bytecode::verify(&code);
            let _ = format!("{code:#}");
            let _ = code.positions.at(rng.below(100) as u32);
        }
    });
}

#[test]
fn bytes_out_of_nowhere_give_an_error() {
    common::with_seeds(2000, |rng| {
        let mut bytes = write_file(&common::code(rng, 0)).unwrap();
        bytes.truncate(16);
        bytes.extend((0..rng.below(300)).map(|_| rng.next() as u8 >> rng.pick(&[0, 0, 4])));
        let _ = read_file(&bytes);
    });
}

fn small() -> Code {
    parse("code $0 f\n  regs 1\n    load.int r0, 1\n    return r0\nend\n").unwrap()
}

#[test]
fn errors_say_what_is_wrong() {
    let good = write_file(&small()).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        read_file(&bytes).unwrap_err()
    };
    assert_eq!(read_file(b""), Err(FileError::NotACode));
    assert_eq!(read_file(b"import this: not bytecode at all"), Err(FileError::NotACode));
    assert_eq!(with(4, 99), FileError::Version(99));
    assert_ne!(FORMAT_VERSION, 99);
    assert_eq!(with(9, !good[9]), FileError::OtherOps);
    assert_eq!(read_file(&good[..good.len() - 1]).unwrap_err(), FileError::Broken("the end", good.len() - 1));
    let longer = [&good[..], &[0]].concat();
    assert_eq!(
        read_file(&longer).unwrap_err().to_string(),
        format!("broken bytecode file: something behind the code at byte {}", good.len())
    );
}

#[test]
fn depth_is_bounded_both_ways() {
    let nested = |depth| {
        let mut code = small();
        code.consts.push((0..depth).fold(Const::None, |inner, _| Const::Tuple(vec![inner])));
        code
    };
    let deep = nested(250);
    assert_eq!(read_file(&write_file(&deep).unwrap()).unwrap(), deep);
    assert_eq!(write_file(&nested(300)), Err(FileError::TooDeep));
    // A tuple in a tuple in a tuple…, by hand: tag 11, count 1.
    let mut bytes = write_file(&nested(1)).unwrap();
    let at = bytes.windows(3).position(|w| w == [11, 1, 0]).unwrap();
    bytes.splice(at..at, [11, 1].repeat(100_000));
    assert!(matches!(read_file(&bytes), Err(FileError::Broken("constants that nest too deeply", _))));
}

#[test]
fn few_bytes_do_not_make_much_text() {
    let mut code = small();
    code.names = vec!["x".repeat(20_000).into(); 5_000];
    let bytes = write_file(&code).unwrap();
    assert!(bytes.len() < 40_000);
    assert!(matches!(read_file(&bytes), Err(FileError::Broken("too much text", _))));
}

#[test]
fn broken_position_tables_yield_fewer_rows() {
    common::with_seeds(2000, |rng| {
        let bytes: Box<[u8]> = (0..rng.below(60)).map(|_| rng.next() as u8 | rng.pick(&[0, 0x80])).collect();
        let positions = Positions::from_bytes(bytes);
        assert!(positions.rows().count() <= 12);
        let _ = positions.at(rng.next() as u32);
    });
    assert_eq!(Positions::default().at(0), Position::NONE);
}
