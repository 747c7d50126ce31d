"""The numbers of attributes, keys and buttons, which programs store and compare, as ncurses has them."""

ERR, OK = -1, 0

A_NORMAL = 0
A_CHARTEXT = 0xFF
A_COLOR = 0xFF00
A_STANDOUT = 1 << 16
A_UNDERLINE = 1 << 17
A_REVERSE = 1 << 18
A_BLINK = 1 << 19
A_DIM = 1 << 20
A_BOLD = 1 << 21
A_ALTCHARSET = 1 << 22
A_INVIS = 1 << 23
A_PROTECT = 1 << 24
A_HORIZONTAL = 1 << 25
A_LEFT = 1 << 26
A_LOW = 1 << 27
A_RIGHT = 1 << 28
A_TOP = 1 << 29
A_VERTICAL = 1 << 30
A_ITALIC = 1 << 31
A_ATTRIBUTES = 0xFFFFFF00

COLOR_BLACK, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_MAGENTA, COLOR_CYAN, COLOR_WHITE = range(8)

# Keys in the order of their numbers, from KEY_BREAK on, with the strings that terminals send for them.
_KEYS = (
    "BREAK DOWN:kcud1 UP:kcuu1 LEFT:kcub1 RIGHT:kcuf1 HOME:khome BACKSPACE:kbs "
    + " ".join(f"F{n}:kf{n}" if n <= 63 else "" for n in range(64))
    + " DL:kdl1 IL:kil1 DC:kdch1 IC:kich1 EIC:krmir CLEAR:kclr EOS:ked EOL:kel SF:kind SR:kri NPAGE:knp PPAGE:kpp "
    "STAB:khts CTAB:kctab CATAB:ktbc ENTER:kent SRESET RESET PRINT:kprt LL:kll A1:ka1 A3:ka3 B2:kb2 C1:kc1 C3:kc3 "
    "BTAB:kcbt BEG:kbeg CANCEL:kcan CLOSE:kclo COMMAND:kcmd COPY:kcpy CREATE:kcrt END:kend EXIT:kext FIND:kfnd "
    "HELP:khlp MARK:kmrk MESSAGE:kmsg MOVE:kmov NEXT:knxt OPEN:kopn OPTIONS:kopt PREVIOUS:kprv REDO:krdo "
    "REFERENCE:kref REFRESH:krfr REPLACE:krpl RESTART:krst RESUME:kres SAVE:ksav SBEG:kBEG SCANCEL:kCAN "
    "SCOMMAND:kCMD SCOPY:kCPY SCREATE:kCRT SDC:kDC SDL:kDL SELECT:kslt SEND:kEND SEOL:kEOL SEXIT:kEXT SFIND:kFND "
    "SHELP:kHLP SHOME:kHOM SIC:kIC SLEFT:kLFT SMESSAGE:kMSG SMOVE:kMOV SNEXT:kNXT SOPTIONS:kOPT SPREVIOUS:kPRV "
    "SPRINT:kPRT SREDO:kRDO SREPLACE:kRPL SRIGHT:kRIT SRSUME:kRES SSAVE:kSAV SSUSPEND:kSPD SUNDO:kUND "
    "SUSPEND:kspd UNDO:kund MOUSE:kmous RESIZE"
).split()
KEY_MIN, KEY_MAX = 0o401, 0o777

# What a terminal sends, by the name of its string: the key's number.
SENT = {}
for _number, _key in enumerate(_KEYS, KEY_MIN):
    _name, _, _string = _key.partition(":")
    globals()["KEY_" + _name] = _number
    if _string:
        SENT[_string] = _number
NAMES = {_n: f"KEY_{_k.partition(':')[0]}" for _n, _k in enumerate(_KEYS, KEY_MIN)}
for _number in range(64):
    NAMES[KEY_F0 + _number] = f"KEY_F({_number})"  # noqa: F821

for _button in range(1, 6):
    for _bit, _event in enumerate(("RELEASED", "PRESSED", "CLICKED", "DOUBLE_CLICKED", "TRIPLE_CLICKED")):
        globals()[f"BUTTON{_button}_{_event}"] = 1 << (_button - 1) * 5 + _bit
BUTTON_CTRL, BUTTON_SHIFT, BUTTON_ALT = 1 << 25, 1 << 26, 1 << 27
REPORT_MOUSE_POSITION = 1 << 28
ALL_MOUSE_EVENTS = REPORT_MOUSE_POSITION - 1

# Characters for drawing: the letter of the VT100's set, what there is in Unicode, and without either.
ACS = {
    "ULCORNER": "l┌+", "LLCORNER": "m└+", "URCORNER": "k┐+", "LRCORNER": "j┘+", "LTEE": "t├+", "RTEE": "u┤+",
    "BTEE": "v┴+", "TTEE": "w┬+", "HLINE": "q─-", "VLINE": "x│|", "PLUS": "n┼+", "S1": "o⎺~", "S9": "s⎽_",
    "DIAMOND": "`◆+", "CKBOARD": "a▒:", "DEGREE": "f°'", "PLMINUS": "g±#", "BULLET": "~·o", "LARROW": ",←<",
    "RARROW": "+→>", "DARROW": ".↓v", "UARROW": "-↑^", "BOARD": "h░#", "LANTERN": "i␋#", "BLOCK": "0▮#",
    "S3": "p⎻-", "S7": "r⎼-", "LEQUAL": "y≤<", "GEQUAL": "z≥>", "PI": "{π*", "NEQUAL": "|≠!", "STERLING": "}£f",
    # Other names of the corners and tees: which sides have a line, from the top on clockwise.
    "BSSB": "l┌+", "SSBB": "m└+", "BBSS": "k┐+", "SBBS": "j┘+", "SBSS": "u┤+", "SSSB": "t├+", "SSBS": "v┴+",
    "BSSS": "w┬+", "BSBS": "q─-", "SBSB": "x│|", "SSSS": "n┼+",
}  # fmt: skip
DRAWN = {letter: (shown, plain) for letter, shown, plain in ACS.values()}


def public(namespace):
    """Puts the numbers into a module's namespace."""
    for name, value in globals().items():
        if name.startswith(("A_", "COLOR_", "KEY_", "BUTTON", "REPORT_", "ALL_")) or name in ("ERR", "OK"):
            namespace[name] = value
