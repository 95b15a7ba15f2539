#!/usr/bin/python3
"""The published Python code of ADMM-Q (Huang et al. 2020), timed.

Imports `demo.py` of the authors' repository from the folder given (its plots and
spreadsheets replaced by nothing), calls each of its JIT-compiled methods once to compile
it, then prints the seconds and the medians of one slice of the grid as JSON. The
problem comes from NumPy files that bench_admmq reads too.
"""

import importlib.util
import json
import os
import sys
import time
import types

import numpy as np


def load(folder):
    for name in ("matplotlib", "matplotlib.pyplot", "data_writer"):
        sys.modules.setdefault(name, types.ModuleType(name))
    spec = importlib.util.spec_from_file_location("demo", os.path.join(folder, "demo.py"))
    demo = importlib.util.module_from_spec(spec)
    sys.modules["demo"] = demo  # numba's cache looks for it there
    spec.loader.exec_module(demo)
    return demo


def main():
    folder, problem = sys.argv[1:3]
    slices = json.loads(sys.argv[3])
    demo = load(folder)
    q = np.load(os.path.join(problem, "q.npy"))
    b = np.load(os.path.join(problem, "b.npy"))
    starts = np.load(os.path.join(problem, "starts.npy"))
    count, d = starts.shape
    qs = np.broadcast_to(q, (count, d, d)).copy()
    bs = np.broadcast_to(b.reshape(d, 1), (count, d, 1)).copy()
    x0 = starts.reshape(count, d, 1).copy()
    methods = {
        "admm-q": lambda s, x: demo.ADMM(qs[: len(x)], bs, x, s["rho"], d),
        "admm-s": lambda s, x: demo.ADMMs(qs[: len(x)], bs, x, s["beta"], s["rho"], d),
        "admm-r": lambda s, x: demo.ADMMr(qs[: len(x)], bs, x, s["probability"], s["rho"], d),
        "pgd": lambda s, x: demo.PGD(qs[: len(x)], bs, x, s["rho"], d),
    }
    for s in slices:
        methods[s["method"]](s, x0[:1])
    results = []
    for s in slices:
        begun = time.perf_counter()
        values = methods[s["method"]](s, x0)
        results.append({"seconds": time.perf_counter() - begun, "median": float(np.median(values))})
    print(json.dumps(results))


if __name__ == "__main__":
    main()
