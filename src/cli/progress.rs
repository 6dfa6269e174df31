//! The progress bar: on stderr, when that is a terminal and the work lasts longer than a second.
//!
//! It changes nothing that is computed.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pipeline::Progress;

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pictures a second.
const RATE: u8 = 10;

/// A bar that may never be seen.
pub(super) struct Bar {
    started: Instant,
    picture: Mutex<ProgressBar>,
    terminal: bool,
}

impl Bar {
    /// A bar for work that starts now.
    pub(super) fn start() -> Self {
        Bar { started: Instant::now(), picture: Mutex::new(ProgressBar::hidden()), terminal: std::io::stderr().is_terminal() }
    }

    /// Shows how far the work is. It may be called from any thread; a call that finds another at work does nothing.
    pub(super) fn show(&self, progress: &Progress) {
        if !self.terminal || self.started.elapsed() < PATIENCE {
            return;
        }
        let Ok(mut bar) = self.picture.try_lock() else { return };
        if bar.is_hidden() {
            *bar = visible(progress.total, self.started.elapsed());
        }
        bar.set_position(progress.done);
        let loss = progress.loss.map(|loss| format!("loss {loss:.4e}  ")).unwrap_or_default();
        bar.set_message(format!("{loss}{}", left(progress, self.started.elapsed())));
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Ok(bar) = self.picture.lock() {
            bar.finish_and_clear();
        }
    }
}

/// The time left, if the rest goes as the work so far did: runs are of one kind, so the mean pace is the best guess.
fn left(progress: &Progress, elapsed: Duration) -> String {
    if progress.done == 0 {
        return String::new();
    }
    let rest = progress.total.saturating_sub(progress.done) as f64;
    let seconds = (elapsed.as_secs_f64() * rest / progress.done as f64).round() as u64;
    if seconds < 120 { format!("{seconds} s left") } else { format!("{} min left", seconds.div_ceil(60)) }
}

fn visible(total: u64, elapsed: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}").expect("internal: the template is fixed");
    let target = ProgressDrawTarget::stderr_with_hz(RATE);
    ProgressBar::with_draw_target(Some(total), target).with_style(style).with_elapsed(elapsed)
}
