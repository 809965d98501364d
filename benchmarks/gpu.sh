#!/bin/sh
# All that needs a GPU, in one go and under ten minutes: the kernels' tests on the device, then the
# benchmark, whose results file also says from which size on a kernel wins (GPU_CUTOFF).
#
#   benchmarks/gpu.sh [RESULTS.json] [SECONDS FOR THE BENCHMARK]
#
# Needs what `pip install -e ".[gpu,torch,test]"` brings, with a PyTorch built for CUDA. The exit code
# is 1 if a test fails, or if the benchmark finds Lossary wrong; 3 if there is no GPU to use.
set -u
results=$(realpath -m "${1:-$(dirname "$0")/results/gpu.json}")
seconds=${2:-240}
cd "$(dirname "$0")/.." || exit 3

python - <<'PYTHON' || exit 3
import sys

try:
    import torch
    import triton
except ImportError as error:
    sys.exit(f'{error}\nhint: pip install -e ".[gpu,torch,test]"')
if not torch.cuda.is_available():
    sys.exit("PyTorch sees no GPU here\nhint: nvidia-smi lists what the driver sees")
name = torch.cuda.get_device_name()
print(f"{name}, PyTorch {torch.__version__}, Triton {triton.__version__}", flush=True)
PYTHON

# A kernel is compiled for nearly every case: by several processes, where pytest-xdist is there.
workers=$(python -c 'import importlib.util as u, os
print(f"-n {min(12, os.cpu_count() or 1)}" if u.find_spec("xdist") else "")')
wrong=0
# shellcheck disable=SC2086  # no word, or two
(cd tests && TRITON_INTERPRET=0 timeout 280 python -m pytest triton_cases.py gpu_engine_cases.py \
    -q -o addopts= -p no:cacheprovider --tb=short $workers) || wrong=1

timeout $((seconds + 60)) python -m lossary bench --device cuda --size full --seconds "$seconds" \
    --json "$results" || wrong=1
exit $wrong
