//! Which instructions of the CPU a loop may use, and the macro that compiles one body for each level and picks at run time.
//!
//! It holds no arithmetic. The level changes the speed and never a bit: the bodies use only operations that IEEE 754 defines exactly.

use std::sync::OnceLock;

/// A set of CPU instructions, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What every CPU of the architecture has.
    Baseline,
    /// AVX2 and fused multiply-add: four numbers at a time.
    Avx2,
    /// AVX-512 (F, BW, CD, DQ, VL): eight numbers at a time.
    Avx512,
}

impl Level {
    /// All levels, from the least to the most.
    pub const ALL: [Level; 3] = [Level::Baseline, Level::Avx2, Level::Avx512];

    /// The highest level that this CPU has, found once.
    pub fn supported() -> Level {
        static SUPPORTED: OnceLock<Level> = OnceLock::new();
        *SUPPORTED.get_or_init(detect)
    }

    /// The level to use: the highest of this CPU, or less when the environment variable `OPTRUN_CPU` is `baseline`, `avx2` or `avx512`
    /// (other texts are as if it were not set: it can only change the speed).
    pub fn current() -> Level {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let asked = std::env::var("OPTRUN_CPU").ok().and_then(|name| Level::from_name(&name));
            asked.map_or(Level::supported(), Level::usable)
        })
    }

    /// The levels that this CPU has, from the least to the most.
    pub fn available() -> Vec<Level> {
        Level::ALL.into_iter().filter(|&level| level <= Level::supported()).collect()
    }

    /// This level, or the highest of this CPU where that is less. What [`dispatch!`](crate::dispatch) relies on for soundness.
    #[must_use]
    pub fn usable(self) -> Level {
        self.min(Level::supported())
    }

    /// Whether fused multiply-add has to be put together from other operations.
    pub fn is_slow(self) -> bool {
        cfg!(target_arch = "x86_64") && self == Level::Baseline
    }

    /// The name that `OPTRUN_CPU` takes.
    pub fn name(self) -> &'static str {
        match self {
            Level::Baseline => "baseline",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// The level of a name.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Baseline
}

/// Defines a function that runs one `#[inline(always)]` body compiled for the [`Level`](crate::numeric::dispatch::Level) it is given (its first argument):
///
/// ```ignore
/// dispatch! {
///     /// Replaces every number by its exponential.
///     pub fn exp_all(xs: &mut [f64]) = exp_all_body;
/// }
/// exp_all(Level::current(), &mut xs);
/// ```
///
/// A level that the CPU does not have is lowered to one that it has, so the function is safe to call with any.
#[macro_export]
macro_rules! dispatch {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path;)+) => {$(
        $(#[$meta])*
        $vis fn $name(level: $crate::numeric::dispatch::Level, $($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg),*)
                }
                #[allow(unsafe_code, reason = "`usable` returns only levels whose features were detected on this CPU")]
                match level.usable() {
                    $crate::numeric::dispatch::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    $crate::numeric::dispatch::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::numeric::dispatch::Level::Baseline => {}
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = level;
            $body($($arg),*)
        }
    )+};
}

/// Defines functions that say which machine code to use at a level: for a body that is generic over `Vector`, and
/// perhaps over what it computes, a function from a level to a pointer of type `$run`.
///
/// ```ignore
/// kernels! { Run = fn(View, Instr);
///     /// Adds rows.
///     pub(super) fn sum = sum_body;
///     /// One operand.
///     fn unary<F: Map1> = unary_body;
/// }
/// let run: Run = sum(Level::current());
/// ```
///
/// A loop over instructions calls these pointers, so that the level is looked at once and not in each step.
#[macro_export]
macro_rules! kernels {
    ($run:ident = fn($view:ty, $instr:ty); $($(#[$meta:meta])* $vis:vis fn $name:ident $(<$f:ident: $bound:path>)? = $body:ident;)+) => {$(
        $(#[$meta])*
        $vis fn $name $(<$f: $bound>)? (level: $crate::numeric::dispatch::Level) -> $run {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::numeric::vector::{Avx2, Avx512};
                #[target_feature(enable = "avx2,fma")]
                fn avx2 $(<$f: $bound>)? (view: &$view, instr: &$instr) {
                    $body::<Avx2 $(, $f)?>(view, instr);
                }
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
                fn avx512 $(<$f: $bound>)? (view: &$view, instr: &$instr) {
                    $body::<Avx512 $(, $f)?>(view, instr);
                }
                let chosen: Option<unsafe fn(&$view, &$instr)> = match level.usable() {
                    $crate::numeric::dispatch::Level::Avx512 => Some(avx512 $(::<$f>)?),
                    $crate::numeric::dispatch::Level::Avx2 => Some(avx2 $(::<$f>)?),
                    $crate::numeric::dispatch::Level::Baseline => None,
                };
                if let Some(chosen) = chosen {
                    #[allow(unsafe_code, reason = "`usable` returns only levels whose features were detected on this CPU, so calling it is safe")]
                    return unsafe { std::mem::transmute::<unsafe fn(&$view, &$instr), $run>(chosen) };
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = level;
            $body::<$crate::numeric::vector::Portable $(, $f)?>
        }
    )+};
}
