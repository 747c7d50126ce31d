//! Why recordings fail.

/// Declares why a recording can fail.
macro_rules! aborts {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// Why a recording was given up.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Abort { $($(#[$doc])* $name),* }

        impl Abort {
            pub const fn text(self) -> &'static str {
                match self { $(Abort::$name => $text),* }
            }
        }
    };
}
aborts! {
    /// The loop's round has more instructions than a trace may have.
    Long "too long";
    Deep "too many frames";
    LeftLoop "the loop ended";
    /// Behind the loop's end: its trace would run on in another one, and not come back to who entered it.
    OtherLoop "another loop behind this one";
    /// A loop in it that has no trace of its own yet.
    InnerLoop "inner loop without a trace";
    /// Another microthread runs.
    Switched "switched to another microthread";
    /// An exception leaves the trace's frames.
    Raised "an exception leaves its frames";
    /// A native that is called without a frame raised an exception, which the next recording knows.
    RaisedThere "a native raises an exception";
    /// The machine did something else than the recorder took it to do.
    Surprised "went on elsewhere than foreseen";
    /// The frame that the trace began in was left.
    Returned "returned from the loop's frame";
    /// A run of the interpreter ends.
    Exited "the run ended";
    /// Somebody wants to be told of events there.
    Watched "events are wanted";
    /// A type is not what it was, a frame was written to, or the like.
    Void "what it relies on has changed";
    /// The loop goes over a generator from now on, in the place of an iterator over one.
    Replaced "an iterator becomes a generator";
    /// An instruction that no helper does.
    Unknown "instruction without a helper";
    /// What is left to a function's own trace runs without being recorded, and nothing else is meanwhile.
    LongCall "a call in it takes long";
    /// Registers are too far from the root frame's.
    FarFrame "frame in another chunk";
}
