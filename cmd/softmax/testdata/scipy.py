# Writes arrays, and what SciPy makes of them, as .npy files into a directory:
#
#   python3 scipy.py DIRECTORY values|special
#
# After a line with the versions it prints a line of JSON for each result.
import json
import os
import sys

import numpy as np
import scipy
import scipy.special

directory, kind = sys.argv[1:]
operations = {
    "softmax": scipy.special.softmax,
    "log-softmax": scipy.special.log_softmax,
    "log-sum-exp": scipy.special.logsumexp,
}
wider = {"float16": np.float64, "float32": np.float64, "float64": np.longdouble}
count = 0


def save(array):
    global count
    count += 1
    path = os.path.join(directory, "%d.npy" % count)
    np.save(path, array)
    return path


def apply(array, axes):
    path = save(array)
    wide = array.astype(wider[array.dtype.name])
    for axis in axes:
        for name, operation in operations.items():
            with np.errstate(all="ignore"):
                want = operation(array, axis=axis)
                exact = operation(wide, axis=axis)
            print(json.dumps({
                "In": path,
                "Op": name,
                "Axis": axis,
                "Want": save(want),
                "Exact": save(np.asarray(exact).astype(np.float64)),
            }))


print("NumPy %s, SciPy %s" % (np.__version__, scipy.__version__))
if np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant:
    sys.exit("long double is no wider than float64: it cannot tell the error of float64")
random = np.random.default_rng(1)
inf, nan = np.inf, np.nan
for dtype in "float32", "float64", "float16":
    if kind == "special":
        apply(np.array([
            [1, -inf, 1],
            [-inf, -inf, -inf],
            [nan, 1, 2],
            [1, inf, 2],
            [inf, inf, inf],
            [nan, inf, -inf],
            [np.finfo(dtype).min, 0, -inf],
            [np.finfo(dtype).max, 0, -inf],
        ], dtype=dtype), [-1])
        continue
    for shape in [(1,), (7,), (4, 5), (1, 6), (3, 400), (2, 3, 5), (4, 1, 3), (2, 3, 4, 5)]:
        axes = range(-len(shape), len(shape))
        # Ordinary logits; far from 0; so far apart that probabilities are subnormal.
        for mean, spread in (0, 3), (1000, 3), (0, 60):
            array = (mean + spread * random.standard_normal(shape)).astype(dtype)
            apply(array, axes)
            apply(np.asfortranarray(array), axes)
