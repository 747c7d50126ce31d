//! Tokens of a text that is not there as a whole yet.

use super::{Lexer, State, Token, TokenError, end_of_line};
use crate::errors::ErrorKind;

/// The tokens of a text that comes line by line: those of a line are there before the next one is asked for. Of what goes
/// over several lines and is one token, all lines are needed.
#[derive(Default)]
pub struct Lines {
    text: String,
    state: State,
    tokens: Vec<Token>,
    error: Option<TokenError>,
    /// All is read, and there are no tokens but these.
    done: bool,
    /// Lines since the one where the state is, and how many there are to be before it is worth while to try again.
    pending: usize,
    wanted: usize,
}

/// So many lines of one token are looked at again for each new one.
const EAGER: usize = 64;

impl Lines {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// What the tokens end with.
    pub fn error(&self) -> Option<&TokenError> {
        self.error.as_ref()
    }

    /// Whether there will be no further tokens.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Adds a line. False: there is no memory for it.
    pub fn feed(&mut self, line: &str) -> bool {
        if self.text.try_reserve(line.len()).is_err() {
            return false;
        }
        self.text.push_str(line);
        self.pending += 1;
        if line.contains('\0') {
            self.done = true;
            let message = "source code cannot contain null bytes".into();
            self.error = Some(TokenError { kind: ErrorKind::Syntax, message, line: 1, col: 0 });
        } else {
            self.advance(false);
        }
        true
    }

    /// Says that there are no more lines.
    pub fn finish(&mut self) {
        self.advance(true);
    }

    fn advance(&mut self, last: bool) {
        if self.done || !last && self.pending < self.wanted {
            return;
        }
        let known = self.tokens.len();
        let text = self.text.as_bytes();
        let mut state = self.state.clone();
        state.line_end = end_of_line(text, state.line_start);
        let mut lexer = Lexer { text, last, state, out: std::mem::take(&mut self.tokens) };
        let ran = lexer.run();
        let at_end = lexer.at_end();
        let Lexer { state, mut out, .. } = lexer;
        match ran {
            Ok(finished) if finished || state.at == state.line_start => {
                self.done = finished;
                (self.state, self.pending, self.wanted) = (state, 0, 0);
            }
            Err(error) if last || !at_end => {
                self.done = true;
                self.error = Some(error);
            }
            _ => {
                // Something goes on in the next line.
                out.truncate(known);
                self.wanted = if self.pending < EAGER { 0 } else { self.pending + self.pending / 4 };
            }
        }
        self.tokens = out;
    }
}
