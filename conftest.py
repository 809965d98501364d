"""What must be so before a test or an example imports a framework."""

import contextlib
import os

# Threads of OpenMP wait in a loop, which takes the other worker's core: a small training took seven
# times as long. Their number stays; libraries read this when they are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Inductor believes what the processor says of its vectors: to ask the compiler for each kind, and
# to load what it made in a process that imports PyTorch, took as long as five graphs.
os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")

# Triton and TensorFlow each bring LLVM; a process lives only if Triton comes first.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401
