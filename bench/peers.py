"""Times the softmax of NumPy, SciPy and PyTorch, on one thread.

The first line of output is a JSON object that tells of each library its version,
or why it is missing. Then every line of input is a request, a JSON object:

    peer    numpy, scipy or pytorch
    dtype   float32 or float64
    rows    rows of the array; if it is 1 the array has one dimension only
    cols    columns: the softmax is that of each row
    calls   how often to call
    src     file with the logits: numbers in little-endian order, nothing else
    dst     file to write the result to, likewise

Each is answered with a line: the seconds that all calls took.
"""

import json
import sys
import time

libraries = {}


def load(peer, module):
    """Imports a module and notes its version, or why that failed."""
    try:
        loaded = __import__(module, fromlist=["*"])
    except Exception as e:
        libraries[peer] = {"missing": f"{sys.executable}: {e}"}
        return None
    libraries[peer] = {"version": sys.modules[module.split(".")[0]].__version__}
    return loaded


numpy = load("numpy", "numpy")
special = load("scipy", "scipy.special")
torch = load("pytorch", "torch")
if torch is not None:
    torch.set_num_threads(1)
    if numpy is None:  # which reads and writes the files
        libraries["pytorch"] = libraries["numpy"]


def numpy_call(x):
    """Returns a function to time, and one that returns the result."""
    out = numpy.empty_like(x)

    def call():
        numpy.subtract(x, x.max(axis=-1, keepdims=True), out=out)
        numpy.exp(out, out=out)
        numpy.divide(out, out.sum(axis=-1, keepdims=True), out=out)

    return call, lambda: out


def scipy_call(x):
    """Does the same. SciPy makes a new array in each call."""

    def call():
        return special.softmax(x, axis=-1)

    return call, call


def pytorch_call(x):
    """Does the same."""
    x = torch.from_numpy(x)
    out = torch.empty_like(x)
    return lambda: torch.softmax(x, -1, out=out), out.numpy


calls = {"numpy": numpy_call, "scipy": scipy_call, "pytorch": pytorch_call}


def answer(request):
    x = numpy.fromfile(request["src"], dtype=numpy.dtype(request["dtype"]).newbyteorder("<"))
    x = x.astype(request["dtype"])
    if request["rows"] > 1:
        x = x.reshape(request["rows"], request["cols"])
    call, result = calls[request["peer"]](x)
    start = time.perf_counter()
    for _ in range(request["calls"]):
        call()
    seconds = time.perf_counter() - start
    out = result()
    out.astype(out.dtype.newbyteorder("<")).tofile(request["dst"])
    return seconds


print(json.dumps(libraries), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
