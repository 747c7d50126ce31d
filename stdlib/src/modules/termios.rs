//! `termios`: the settings of terminals.

use super::support::{add_exception, descriptor, raise_args};
use skein_runtime::native::{FromArg, NativeDef};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{R, Value, Vm, native_functions};

/// A descriptor, or an object with `fileno()`.
#[derive(Clone, Copy)]
struct Fd(i32);

impl FromArg for Fd {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<Fd> {
        descriptor(vm, v).map(Fd)
    }
}

native_functions! { FUNCTIONS:
    "tcgetattr(fd, /)" => tcgetattr, "Get the tty attributes for file descriptor fd.";
    "tcsetattr(fd, when, attributes, /)" => tcsetattr, "Set the tty attributes for file descriptor fd.";
    "tcsendbreak(fd, duration, /)" => |vm: &Vm, fd: Fd, n: i32| call(vm, || unsafe { libc::tcsendbreak(fd.0, n) }), "Send a break on file descriptor fd.";
    "tcdrain(fd, /)" => |vm: &Vm, fd: Fd| call(vm, || unsafe { libc::tcdrain(fd.0) }), "Wait until all output written to file descriptor fd has been transmitted.";
    "tcflush(fd, queue, /)" => |vm: &Vm, fd: Fd, queue: i32| call(vm, || unsafe { libc::tcflush(fd.0, queue) }), "Discard queued data on file descriptor fd.";
    "tcflow(fd, action, /)" => |vm: &Vm, fd: Fd, action: i32| call(vm, || unsafe { libc::tcflow(fd.0, action) }), "Suspend or resume input or output on file descriptor fd.";
    "tcgetwinsize(fd, /)" => tcgetwinsize, "Get the tty winsize for file descriptor fd.";
    "tcsetwinsize(fd, winsize, /)" => tcsetwinsize, "Set the tty winsize for file descriptor fd.";
}

/// A call that is tried again after signals. termios.error.
fn call(vm: &Vm, mut what: impl FnMut() -> i32) -> R<()> {
    let done = vm.retry(|| match what() {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    })?;
    match done {
        Ok(()) => Ok(()),
        Err(e) => {
            let errno = e.raw_os_error().unwrap_or(0);
            let text = vm.str(&skein_runtime::vm::strerror(errno))?;
            Err(raise_args(vm, "termios.error", &[Value::small_int(errno.into()), text]))
        }
    }
}

fn settings(vm: &Vm, fd: Fd) -> R<libc::termios> {
    // SAFETY: plain data.
    let mut t: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    call(vm, || unsafe { libc::tcgetattr(fd.0, &mut t) })?;
    Ok(t)
}

fn tcgetattr(vm: &Vm, fd: Fd) -> R<Ref<List>> {
    let t = settings(vm, fd)?;
    // SAFETY: reads the struct only.
    let (input, output) = unsafe { (libc::cfgetispeed(&t), libc::cfgetospeed(&t)) };
    let characters = List::with_capacity(vm, t.c_cc.len())?;
    for (i, &c) in t.c_cc.iter().enumerate() {
        // Without line editing these two are numbers.
        let number = t.c_lflag & libc::ICANON == 0 && (i == libc::VMIN || i == libc::VTIME);
        characters.push(vm, if number { Value::small_int(c.into()) } else { vm.bytes(&[c])? })?;
    }
    let int = |n: u32| Value::small_int(n.into());
    let row = [int(t.c_iflag), int(t.c_oflag), int(t.c_cflag), int(t.c_lflag), int(input), int(output)];
    let list = List::new(vm, &row)?;
    list.push(vm, characters.value())?;
    Ok(list)
}

fn tcsetattr(vm: &Vm, fd: Fd, when: i32, attributes: Value) -> R<()> {
    let Some(list) = attributes.cast::<List>().filter(|l| l.len() == 7) else {
        return Err(vm.type_error("tcsetattr, arg 3: must be 7 element list"));
    };
    let mut t = settings(vm, fd)?;
    let item = |i: usize| list.get(i).unwrap_or(Value::NONE);
    let flag = |i: usize| -> R<u32> {
        let n = vm.index_i64(item(i))?;
        u32::try_from(n)
            .or_else(|_| i32::try_from(n).map(|n| n as u32))
            .map_err(|_| vm.overflow_error("Python int too large to convert to C unsigned int"))
    };
    (t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag) = (flag(0)?, flag(1)?, flag(2)?, flag(3)?);
    let (input, output) = (flag(4)?, flag(5)?);
    let wanted = t.c_cc.len();
    let Some(characters) = item(6).cast::<List>().filter(|l| l.len() == wanted) else {
        return Err(vm.type_error(format!("tcsetattr: attributes[6] must be {wanted} element list")));
    };
    for i in 0..wanted {
        let v = characters.get(i).unwrap_or(Value::NONE);
        t.c_cc[i] = match v.cast::<Bytes>().map(|b| b.bytes().to_vec()).as_deref() {
            Some(&[c]) => c,
            None if vm.is_int(v) => vm.index_i64(v)? as u8,
            _ => {
                let text = "tcsetattr: elements of attributes must be characters or integers";
                return Err(vm.type_error(text));
            }
        };
    }
    // SAFETY: changes the struct only.
    call(vm, || unsafe { libc::cfsetispeed(&mut t, input) })?;
    // SAFETY: as above.
    call(vm, || unsafe { libc::cfsetospeed(&mut t, output) })?;
    // SAFETY: plain data in.
    call(vm, || unsafe { libc::tcsetattr(fd.0, when, &t) })
}

fn tcgetwinsize(vm: &Vm, fd: Fd) -> R<Value> {
    // SAFETY: plain data.
    let mut w: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    call(vm, || unsafe { libc::ioctl(fd.0, libc::TIOCGWINSZ, &mut w) })?;
    vm.tuple(&[Value::small_int(w.ws_row.into()), Value::small_int(w.ws_col.into())])
}

fn tcsetwinsize(vm: &Vm, fd: Fd, size: Value) -> R<()> {
    let text = "tcsetwinsize, arg 2: must be a two-item sequence";
    let Some(row) = vm.absorb(vm.list_from(size), vm.exc.type_error)?.filter(|r| r.len() == 2) else {
        return Err(vm.type_error(text));
    };
    let number = |i: usize| -> R<u16> {
        let n = vm.index_i64(row.get(i).unwrap_or(Value::NONE))?;
        u16::try_from(n).map_err(|_| vm.overflow_error("winsize value(s) out of range."))
    };
    // SAFETY: plain data.
    let mut w: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out, which keeps the size in pixels.
    call(vm, || unsafe { libc::ioctl(fd.0, libc::TIOCGWINSZ, &mut w) })?;
    (w.ws_row, w.ws_col) = (number(0)?, number(1)?);
    // SAFETY: plain data in.
    call(vm, || unsafe { libc::ioctl(fd.0, libc::TIOCSWINSZ, &w) })
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i64)),*] };
}

/// Constants under their own names.
#[allow(clippy::unnecessary_cast)]
const NAMED: &[(&str, i64)] = numbers! {
    B0 B1000000 B110 B115200 B1152000 B1200 B134 B150 B1500000 B1800 B19200 B200 B2000000 B230400 B2400
    B2500000 B300 B3000000 B3500000 B38400 B4000000 B460800 B4800 B50 B500000 B57600 B576000 B600 B75
    B921600 B9600 BRKINT BS0 BS1 BSDLY CBAUD CBAUDEX CIBAUD CLOCAL CR0 CR1 CR2 CR3 CRDLY CREAD CRTSCTS CS5
    CS6 CS7 CS8 CSIZE CSTOPB ECHO ECHOCTL ECHOE ECHOK ECHOKE ECHONL ECHOPRT EXTA EXTB EXTPROC FF0 FF1
    FFDLY FIOASYNC FIOCLEX FIONBIO FIONCLEX FIONREAD FLUSHO HUPCL IBSHIFT ICANON ICRNL IEXTEN IGNBRK IGNCR
    IGNPAR IMAXBEL INLCR INPCK ISIG ISTRIP IUCLC IUTF8 IXANY IXOFF IXON NCCS NL0 NL1 NLDLY NOFLSH OCRNL
    OFDEL OFILL OLCUC ONLCR ONLRET ONOCR OPOST PARENB PARMRK PARODD PENDIN TAB0 TAB1 TAB2 TAB3 TABDLY
    TCFLSH TCGETS TCIFLUSH TCIOFF TCIOFLUSH TCION TCOFLUSH TCOOFF TCOON TCSADRAIN TCSAFLUSH TCSANOW TCSBRK
    TCSBRKP TCSETS TCSETSF TCSETSW TCXONC TIOCCONS TIOCEXCL TIOCGETD TIOCGICOUNT TIOCGLCKTRMIOS TIOCGPGRP
    TIOCGSERIAL TIOCGSOFTCAR TIOCGWINSZ TIOCINQ TIOCLINUX TIOCMBIC TIOCMBIS TIOCMGET TIOCMIWAIT TIOCMSET
    TIOCM_CAR TIOCM_CD TIOCM_CTS TIOCM_DSR TIOCM_DTR TIOCM_LE TIOCM_RI TIOCM_RNG TIOCM_RTS TIOCM_SR
    TIOCM_ST TIOCNOTTY TIOCNXCL TIOCOUTQ TIOCPKT TIOCSCTTY TIOCSERCONFIG TIOCSERGETLSR TIOCSERGETMULTI
    TIOCSERGSTRUCT TIOCSERGWILD TIOCSERSETMULTI TIOCSERSWILD TIOCSETD TIOCSLCKTRMIOS TIOCSPGRP TIOCSSERIAL
    TIOCSSOFTCAR TIOCSTI TIOCSWINSZ TOSTOP VDISCARD VEOF VEOL VEOL2 VERASE VINTR VKILL VLNEXT VMIN VQUIT
    VREPRINT VSTART VSTOP VSUSP VSWTC VT0 VT1 VTDLY VTIME VWERASE XCASE XTABS _POSIX_VDISABLE
};

/// Those that the crate `libc` lacks, as Linux has them.
pub const OTHERS: &[(&str, i64)] = &[
    ("B14400", 14400),
    ("B28800", 28800),
    ("B7200", 7200),
    ("B76800", 76800),
    ("CDSUSP", 25),
    ("CEOF", 4),
    ("CEOL", 0),
    ("CEOT", 4),
    ("CERASE", 127),
    ("CFLUSH", 15),
    ("CINTR", 3),
    ("CKILL", 21),
    ("CLNEXT", 22),
    ("CQUIT", 28),
    ("CRPRNT", 18),
    ("CSTART", 17),
    ("CSTOP", 19),
    ("CSUSP", 26),
    ("CWERASE", 23),
    ("IOCSIZE_MASK", 1073676288),
    ("IOCSIZE_SHIFT", 16),
    ("N_MOUSE", 2),
    ("N_PPP", 3),
    ("N_SLIP", 1),
    ("N_STRIP", 4),
    ("N_TTY", 0),
    ("TIOCPKT_DATA", 0),
    ("TIOCPKT_DOSTOP", 32),
    ("TIOCPKT_FLUSHREAD", 1),
    ("TIOCPKT_FLUSHWRITE", 2),
    ("TIOCPKT_NOSTOP", 16),
    ("TIOCPKT_START", 8),
    ("TIOCPKT_STOP", 4),
    ("TIOCSER_TEMT", 1),
    ("VSWTCH", 7),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "termios", FUNCTIONS)?;
    add_exception(vm, m, "termios.error", vm.exc.exception)?;
    for &(name, n) in NAMED.iter().chain(OTHERS) {
        m.dict().set_name(vm, name, vm.int(n)?)?;
    }
    Ok(m)
}
