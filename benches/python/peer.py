"""What the Python peers share: inputs, the clock, and the conversation with the harness.

A peer is started as `peer FOLDER` and reads commands, one a line. `load WORKLOAD SIZE` prepares a workload and answers `ready` and the seconds
that compiling took, or `missing` and the reason. `run SECONDS` runs it again and again for so long and answers with the least seconds that one
run took. `results` answers with the results of the last run, on one line.
"""
import sys
import time

import numpy as np

FOLDER = sys.argv[1]


def doubles(name, *shape):
    return np.fromfile(f"{FOLDER}/{name}.f64", dtype=np.float64).reshape(shape)


def integers(name, *shape):
    return np.fromfile(f"{FOLDER}/{name}.i32", dtype=np.int32).reshape(shape)


def wisconsin(rows=699):
    i = np.arange(rows) % 699
    return doubles("wisconsin_X", 699, 10)[i], doubles("wisconsin_y", 699)[i]


def points():
    x = [14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28, 20, 8, 64, 99, 70, 27, 17, 8]
    return [float(v) for v in x], [30.0 + 2 * v for v in x]


def seconds_of(f):
    start = time.perf_counter()
    result = f()
    return time.perf_counter() - start, result


def converse(table):
    """`table` has, for each workload, a function of the size that gives the function to run and the seconds of compiling."""
    run = results = None
    for line in sys.stdin:
        command, *words = line.split()
        if command == "load":
            if words[0] not in table:
                print("missing not written for this peer", flush=True)
                continue
            run = results = None  # frees the inputs of the workload before
            run, compiling = table[words[0]](int(words[1]))
            results = run()
            print("ready", compiling, flush=True)
        elif command == "run":
            least, begin = float("inf"), time.perf_counter()
            while least == float("inf") or time.perf_counter() < begin + float(words[0]):
                took, results = seconds_of(run)
                least = min(least, took)
            print(least, flush=True)
        elif command == "results":
            print(*(repr(float(x)) for x in np.ravel(results)), flush=True)
