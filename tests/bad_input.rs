//! Bad input on the command line: a clear message, the right exit code, at once, and nothing written.
//!
//! What the messages about a spec's text say is in the corpus.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The command line, the spec or its data are wrong.
const WRONG: i32 = 2;
/// It failed while running.
const FAILED: i32 = 3;
/// The promise is 100 ms on a machine at rest; tests share theirs with a compiler, and may be built without optimization.
const AT_ONCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });

/// A spec that is right, to be spoilt.
const GOOD: &str = "param w = 4\nloss J = w^2\nsweep fit { minimize J; optimizer = gd(lr = 0.1); steps = 20 }\n";

/// A folder of its own for a test.
struct Desk {
    folder: TempDir,
}

/// What a command said.
struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path().join(name), content).unwrap();
        self
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs a command that must be refused: with this exit code and these words, at once, and without a trace.
    fn refused(&self, args: &[&str], code: i32, words: &[&str]) -> Answer {
        let before = self.names();
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_optrun")).args(args).current_dir(self.path()).env("NO_COLOR", "1").output().unwrap();
        let time = start.elapsed();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let answer = Answer { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        let shown: String = answer.stderr.chars().take(2000).collect();
        assert_eq!(answer.code, Some(code), "{args:?}: {shown}");
        assert!(!answer.stderr.contains("panicked"), "{args:?}: {shown}");
        assert!(time < AT_ONCE, "{args:?} took {time:?}");
        for word in words {
            assert!(answer.stderr.contains(word), "{args:?}: `{word}` is not said in:\n{shown}");
        }
        assert!(answer.stderr.len() < 20_000, "{args:?} says {} bytes", answer.stderr.len());
        assert_eq!(answer.stdout, "", "{args:?}: stdout carries results only");
        assert_eq!(self.names(), before, "{args:?} wrote something");
        answer
    }

    /// A spec that is refused when it is run, and when it is checked.
    fn wrong(&self, spec: impl AsRef<[u8]>, words: &[&str]) {
        self.put("spec.opt", spec);
        self.refused(&["spec.opt"], WRONG, words);
        self.refused(&["check", "spec.opt"], WRONG, words);
    }

    /// A csv file that is refused.
    fn wrong_csv(&self, csv: impl AsRef<[u8]>, words: &[&str]) {
        self.put("d.csv", csv);
        self.wrong(data_spec("d.csv"), words);
    }
}

fn data_spec(path: &str) -> String {
    format!(
        "dataset d {{ csv \"{path}\" }}\nparam w = 0\nloss J = mean((y - w*x)^2)\nsweep s {{ minimize J; optimizer = gd(lr = 0.1); steps = 2 }}\n"
    )
}

fn loss_spec(loss: &str) -> String {
    format!("param w = 4\nloss J = {loss}\nsweep fit {{ minimize J; optimizer = gd(lr = 0.1); steps = 2 }}\n")
}

#[test]
fn the_good_spec_is_good() {
    let desk = Desk::new();
    desk.put("spec.opt", GOOD).put("d.csv", "x,y\n1,2\n2,4\n").put("data.opt", data_spec("d.csv"));
    for spec in ["spec.opt", "data.opt"] {
        let output = Command::new(env!("CARGO_BIN_EXE_optrun")).args(["check", spec]).current_dir(desk.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_missing_file() {
    Desk::new().refused(&["nothing.opt"], WRONG, &["there is no file `nothing.opt`"]);
}

#[test]
fn a_folder_instead_of_a_file() {
    let desk = Desk::new();
    fs::create_dir(desk.path().join("folder.opt")).unwrap();
    desk.refused(&["folder.opt"], WRONG, &["`folder.opt` is a folder, not a spec"]);
    desk.refused(&["check", "."], WRONG, &["`.` is a folder"]);
}

#[test]
fn an_empty_file() {
    Desk::new().wrong("", &["`spec.opt` is empty"]);
    Desk::new().wrong(" \n\n", &["`spec.opt` is empty"]);
}

#[test]
fn a_file_that_is_no_text() {
    Desk::new().wrong(b"param w = \xff\xfe\n", &["`spec.opt` is no UTF-8 text"]);
    Desk::new().wrong([0u8; 64], &["`spec.opt` is no text", "byte 0 is zero"]);
}

#[test]
fn a_csv_with_a_short_row() {
    Desk::new().wrong_csv("x,y\n1,2\n3\n5,6\n", &["E0503", "row 2", "has 1 cell", "has 2"]);
}

#[test]
fn a_text_cell_in_a_column_of_numbers() {
    Desk::new().wrong_csv("x,y\n1,2\n3,four\n5,6\n7,8\n", &["E0508", "`y`", "row 2", "four"]);
}

#[test]
fn a_column_that_does_not_exist() {
    Desk::new().wrong_csv("x,z\n1,2\n3,4\n", &["E0204", "nothing is called `y`"]);
}

#[test]
fn a_csv_without_rows() {
    Desk::new().wrong_csv("x,y\n", &["E0517", "no rows"]);
    Desk::new().wrong_csv("", &["E0517", "empty"]);
}

#[test]
fn an_unknown_optimizer() {
    Desk::new().wrong(GOOD.replace("gd(", "adamm("), &["E0437", "no optimizer is called `adamm`", "did you mean `adam`?"]);
}

#[test]
fn a_setting_given_twice() {
    Desk::new().wrong(GOOD.replace("lr = 0.1", "lr = 0.1, lr = 0.2"), &["E0220", "`lr` is given twice"]);
    Desk::new().wrong(GOOD.replace("steps = 20", "lr in [0.1, 0.2]; steps = 20"), &["E0440", "already fixes `lr`"]);
    Desk::new().wrong(GOOD.replace("(lr = 0.1)", "; lr = 0.1; lr = 0.2"), &["E0403", "`lr` is given twice"]);
}

#[test]
fn a_sweep_of_a_million_million_cells() {
    let axes = "lr in geomspace(1e-4, 1, 10_000); beta1 in linspace(0, 0.9, 10_000); beta2 in linspace(0, 0.9, 10_000)";
    let spec = GOOD.replace("gd(lr = 0.1)", &format!("adam; {axes}"));
    Desk::new().wrong(&spec, &["E0407", "1000000000000 cells", "the limit is 100000"]);
    // And one whose product does not fit into a machine word.
    let mut hypers = String::new();
    let mut axes = String::new();
    for i in 0..12 {
        let _ = writeln!(hypers, "hyper h{i} = 1");
        let _ = write!(axes, "h{i} in linspace(0, 1, 10_000); ");
    }
    let spec = format!("{hypers}{}", GOOD.replace("steps = 20", &format!("{axes}steps = 20")));
    Desk::new().wrong(&spec, &["E0407"]);
}

#[test]
fn an_array_of_eight_exabytes() {
    let spec =
        "param W: [1_000_000_000, 1_000_000_000] = 0\nloss J = sum(W^2)\nsweep s { minimize J; optimizer = gd(lr = 0.1); steps = 2 }\n";
    Desk::new().wrong(spec, &["E0343", "1000000000 x 1000000000", "EiB", "the limit is"]);
    Desk::new().wrong(spec.replace("W: [", "W: [1e300, "), &["E0"]);
    Desk::new().wrong(loss_spec("w^2 + sum(zeros([1_000_000, 1_000_000]))"), &["E0343", "the limit is"]);
    Desk::new().wrong(loss_spec("w^2 + sum(linspace(0, 1, 1_000_000_000_000))"), &["the limit is"]);
}

#[test]
fn a_hundred_thousand_parentheses() {
    for (open, close) in [("(", ")"), ("[", "]"), ("-(", ")"), ("abs(", ")")] {
        let deep = format!("{}w{}", open.repeat(100_000), close.repeat(100_000));
        Desk::new().wrong(loss_spec(&deep), &["E0105", "nested more than"]);
        Desk::new().wrong(loss_spec(&open.repeat(100_000)), &["E0105", "nested more than"]);
    }
    Desk::new().wrong(loss_spec(&format!("{}w", "-".repeat(100_000))), &["E0105", "nested more than"]);
    Desk::new().wrong(loss_spec(&format!("w{}", "^2".repeat(100_000))), &["E0105", "nested more than"]);
    Desk::new().wrong(loss_spec(&format!("{}w{}", "if w then ".repeat(50_000), " else 0".repeat(50_000))), &["E0105"]);
    Desk::new().wrong(loss_spec(&format!("w{}", " ".repeat(1 << 20))), &["a spec has at most 1048576"]);
}

#[test]
fn a_sum_of_a_hundred_thousand_terms_is_checked() {
    let desk = Desk::new();
    desk.put("spec.opt", loss_spec(&format!("w^2{}", " + w".repeat(100_000))));
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_optrun")).args(["check", "spec.opt"]).current_dir(desk.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", &said[..said.len().min(2000)]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn an_output_folder_below_a_file() {
    let desk = Desk::new();
    desk.put("spec.opt", GOOD).put("file", "text");
    desk.refused(&["spec.opt", "--out", "file/out"], FAILED, &["file"]);
    desk.refused(&["spec.opt", "--out", "file"], FAILED, &["file"]);
    assert_eq!(fs::read_to_string(desk.path().join("file")).unwrap(), "text");
}

#[test]
fn commands_and_flags_that_do_not_exist() {
    let desk = Desk::new();
    desk.put("spec.opt", GOOD);
    desk.refused(&["spec.opt", "--thread", "2"], WRONG, &["--thread"]);
    desk.refused(&["check", "spec.opt", "--fast"], WRONG, &["--fast"]);
    desk.refused(&["chek", "spec.opt"], WRONG, &["chek"]);
    desk.refused(&["spec.opt", "--threads", "0"], WRONG, &["--threads"]);
    desk.refused(&["spec.opt", "--threads", "-1"], WRONG, &["-1"]);
    desk.refused(&["spec.opt", "--max-steps", "many"], WRONG, &["many"]);
    desk.refused(&["spec.opt", "--only", "fitt"], WRONG, &["fitt", "did you mean `fit`?"]);
    desk.refused(&["std", "adamm"], WRONG, &["adamm", "did you mean `adam`?"]);
}

#[test]
fn paths_that_leave_the_folder() {
    let desk = Desk::new();
    desk.put("x.csv", "x,y\n1,2\n");
    fs::create_dir(desk.path().join("in")).unwrap();
    for path in ["../x.csv", "in/../../x.csv", "/etc/passwd", "./../x.csv"] {
        fs::write(desk.path().join("in/spec.opt"), data_spec(path)).unwrap();
        desk.refused(&["in/spec.opt"], WRONG, &["E0702", "below its own folder"]);
        fs::write(desk.path().join("in/spec.opt"), format!("import \"{path}\"\n{GOOD}")).unwrap();
        desk.refused(&["in/spec.opt"], WRONG, &["E0702", "below its own folder"]);
    }
    for path in ["in\\\\x.csv", "a\\u{0}b.csv", "a\\nb.csv", ""] {
        fs::write(desk.path().join("in/spec.opt"), data_spec(path)).unwrap();
        desk.refused(&["in/spec.opt"], WRONG, &["error"]);
    }
}

#[cfg(unix)]
#[test]
fn links_and_devices() {
    use std::os::unix::fs::symlink;
    let desk = Desk::new();
    desk.put("secret.csv", "x,y\n1,2\n");
    let inside = desk.path().join("in");
    fs::create_dir(&inside).unwrap();
    symlink(desk.path().join("secret.csv"), inside.join("link.csv")).unwrap();
    symlink("/dev/zero", inside.join("zero.csv")).unwrap();
    symlink("loop.csv", inside.join("loop.csv")).unwrap();
    for name in ["link.csv", "zero.csv", "loop.csv"] {
        fs::write(inside.join("spec.opt"), data_spec(name)).unwrap();
        let answer = desk.refused(&["in/spec.opt"], WRONG, &["error[E07"]);
        assert!(!answer.stderr.contains("secret"), "{}", answer.stderr);
    }
    assert!(Command::new("mkfifo").arg(inside.join("pipe.csv")).status().unwrap().success());
    assert!(Command::new("mkfifo").arg(desk.path().join("pipe.opt")).status().unwrap().success());
    fs::write(inside.join("spec.opt"), data_spec("pipe.csv")).unwrap();
    desk.refused(&["in/spec.opt"], WRONG, &["no regular file"]);
    desk.refused(&["pipe.opt"], WRONG, &["no regular file"]);
    desk.refused(&["/dev/zero"], WRONG, &["no regular file"]);
}

#[test]
fn names_cannot_paint_the_terminal() {
    let desk = Desk::new();
    let nasty = "\u{1b}[31mred\u{202e}txt";
    let said = |args: &[&str]| {
        let stderr = desk.refused(args, WRONG, &["error"]).stderr;
        assert!(!stderr.contains('\u{1b}') && !stderr.contains('\u{202e}'), "{stderr:?}");
    };
    said(&[&format!("{nasty}.opt")]);
    desk.put("spec.opt", data_spec(nasty));
    said(&["spec.opt"]);
    desk.put("d.csv", format!("x,y\n1,2\n3,{nasty}\n5,6\n7,8\n")).put("spec.opt", data_spec("d.csv"));
    said(&["spec.opt"]);
    desk.put("d.csv", format!("x,{nasty}\n1,2\n3,4\n")).put("spec.opt", data_spec("d.csv").replace("y -", "d.yy -"));
    said(&["spec.opt"]);
    desk.put("spec.opt", GOOD.replace("J = w^2", &format!("J = w^2 # {nasty}\nloss K = v")));
    said(&["spec.opt"]);
    desk.put("spec.opt", GOOD.replace("w^2", &format!("w^2 + `{nasty}`")));
    said(&["spec.opt"]);
}
