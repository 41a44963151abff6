#!/usr/bin/env bash
# Makes the most of a machine with a GPU and no network: measures the engine and PyTorch, then trains until the time is up.
#   run.sh [--cpu] --seconds N [--stages squad|sst2]
# Writes to $OUT (default: out/ next to this script) as it goes: at most 8 files, each smaller than 16 MiB. See README.md.
set -uo pipefail
began=$(date +%s)
kit=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$kit/out}

usage() {
  echo "error: $1; use run.sh [--cpu] --seconds N [--stages squad|sst2]" >&2
  exit 2
}
cpu='' seconds='' stages=''
while [ $# -gt 0 ]; do
  case $1 in
    --cpu) cpu=yes ;;
    --seconds) seconds=${2:-} && shift ;;
    --stages) stages=${2:-} && shift ;;
    *) usage "unknown option $1" ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || usage "--seconds must be a number of seconds"
first=$(head -n 1 "$kit/stages")
stages=${stages:-$first}
grep -qx "$stages" "$kit/stages" || usage "--stages: the kit holds $(paste -sd ' ' "$kit/stages")"
queue=$kit/training/configs/gpu-$stages-queue.toml

# What all of it writes to before it is packed; it stays on the machine, so that a second call goes on.
work=$kit/work
mkdir -p "$out" "$work/measured" || exit 1
export PATH=$PATH:/usr/sbin:/sbin XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$work} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Seconds that the end takes: packing and the summary.
ending=3
left() { echo $((began + seconds - ending - $(date +%s))); }

log=$work/measured/log.txt
: >"$log"
note() { echo "$*" | tee -a "$log"; }
pack() { tar -czf "$work/measured.tar.gz" -C "$work" measured && mv "$work/measured.tar.gz" "$out/measured.tar.gz"; }

# Runs a command with a time limit and notes its outcome: try NAME SECONDS FILE COMMAND…
try() {
  local name=$1 most=$2 file=$3 code before
  shift 3
  most=$((most < $(left) ? most : $(left)))
  if [ "$most" -lt 2 ]; then
    note "skipped: $name: no time left"
    return 1
  fi
  before=$(date +%s)
  timeout --kill-after=2 "$most" "$@" >"$file" 2>"$file.err"
  code=$?
  case $code in
    0) note "ran: $name, $(($(date +%s) - before)) s" ;;
    3) note "skipped: $name: $(tail -n 1 "$file.err")" ;;
    124 | 137) note "stopped: $name, after $most s" ;;
    *) note "FAILED: $name: $(tail -n 1 "$file.err")" ;;
  esac
  [ -s "$file.err" ] || rm -f "$file.err"
  pack
  return $code
}

python=''
has_torch='import importlib.util as u, sys; sys.exit(not (u.find_spec("torch") and u.find_spec("numpy")))'
for candidate in "${PYTHON:-}" python3 "$(cat "$kit/python" 2>/dev/null)"; do
  if [ -n "$candidate" ] && "$candidate" -c "$has_torch" 2>/dev/null; then
    python=$candidate
    break
  fi
done

# Vulkan: the loader from the kit where the machine has none, and the driver where it keeps it.
if ! ldconfig -p | grep -q libvulkan; then
  root=/
  [ "$(id -u)" = 0 ] || root=$work/vulkan
  for package in "$kit"/deb/*.deb; do
    [ -f "$package" ] && dpkg -x "$package" "$root"
  done
  if [ "$root" = / ]; then ldconfig; else export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}; fi
  note "unpacked Vulkan's loader from the kit into $root"
fi
drivers=$(find /usr/share/vulkan/icd.d /etc/vulkan/icd.d -name '*.json' 2>/dev/null)
given=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -n "$cpu" ]; then
  software=$(echo "$drivers" | grep lvp_icd | head -n 1)
  [ -z "$software" ] || export VK_DRIVER_FILES=$software
elif ! echo "$drivers" | grep -q nvidia && [ -f "$given" ]; then
  export VK_DRIVER_FILES=${VK_DRIVER_FILES:-$given}
fi

# 1. Measuring: a quarter of the time, at most 150 s; on a processor, where one run takes seconds, half.
share=$((seconds / 4 < 150 ? seconds / 4 : 150))
[ -z "$cpu" ] || share=$((seconds / 2))
until=$(($(date +%s) + share))
rest() { echo $((until - $(date +%s))); }
bench=("$kit/mobilebert" bench --device gpu)
measured=$work/measured
if [ -n "$cpu" ]; then
  try "engine: profile, software Vulkan" "$(rest)" "$measured/profile.txt" \
    "${bench[@]}" --variant mobilebert --sequence 64 --runs 1 --profile --logits "$measured/logits.json"
  for peer in eager 'torch.compile and CUDA graphs'; do note "skipped: PyTorch $peer: --cpu"; done
else
  lengths=64,128,256,384,512
  try "engine: profile at 128 and 384 tokens" $((share / 5)) "$measured/profile.txt" \
    "${bench[@]}" --variant mobilebert --sequence 128,384 --profile
  try "engine: overhead" $((share / 10)) "$measured/overhead.json" "${bench[@]}" --overhead --json
  try "engine: batch 1" $((share / 5)) "$measured/bench-1.json" \
    "${bench[@]}" --variant mobilebert --sequence $lengths --profile --json --logits "$measured/logits.json"
  for batch in 8 32; do
    try "engine: batch $batch" $((share / 10)) "$measured/bench-$batch.json" \
      "${bench[@]}" --variant mobilebert --sequence $lengths --batch $batch --profile --json
  done
  try "engine: shipped model, 8 bits" $((share / 10)) "$measured/bench-q8.json" \
    "${bench[@]}" --model "$kit/shipped/mobilebert-$stages" --sequence $lengths --profile --json
  try "engine: shipped model, one kernel per layer" $((share / 10)) "$measured/bench-chain-q8.json" \
    "${bench[@]}" --model "$kit/shipped/mobilebert-$stages" --schedule chain --sequence $lengths --profile --json
  try "engine: batch 1, one kernel per layer" $((share / 10)) "$measured/bench-chain-1.json" \
    "${bench[@]}" --variant mobilebert --schedule chain --sequence $lengths --profile --json
  ours=()
  [ ! -s "$measured/logits.json" ] || ours=(--ours "$measured/logits.json")
  if [ -n "$python" ]; then
    # A fifth at least, whatever the engine took.
    for_peers=$(($(rest) > share / 5 ? $(rest) : share / 5))
    try "PyTorch eager, torch.compile and CUDA graphs" $((for_peers + 2)) "$measured/torch.jsonl" \
      "$python" "$kit/bench/peers/torch_gpu.py" --seconds "$for_peers" "${ours[@]}"
  fi
fi

# 2. Training: the first stage of the queue that isn't finished, from its checkpoint where there is one.
[ -n "$python" ] || note "FAILED: no Python with PyTorch and NumPy: name one by PYTHON"
if [ -n "$python" ]; then
  folders=("$work/checkpoint-$stages")
  [ "$stages" != "$first" ] || folders+=("$kit/checkpoint")
  for known in "${folders[@]}"; do
    [ -f "$out/checkpoint/index.json" ] || [ ! -f "$known/index.json" ] || cp -r "$known" "$out/checkpoint"
  done
  smaller=()
  [ -z "$cpu" ] || smaller=(--set optim.batch_size=4 --set loop.evaluate_every=0 --set loop.log_every=1)
  cd "$kit" || exit 1
  hidden=()
  [ -z "$cpu" ] || hidden=(env CUDA_VISIBLE_DEVICES=)
  try "training: $stages" "$(left)" "$measured/training.txt" "${hidden[@]}" "$python" -m training queue \
    --config "$queue" --data "$kit/data" --models "$kit/models" --shipped "$kit/shipped" --out "$work/runs" \
    --checkpoints "$out/checkpoint" --seconds "$(($(left) - 3))" "${smaller[@]}"
  trained=$?
  [ -s "$measured/training.txt" ] && tail -n 2 "$measured/training.txt" | tee -a "$log"
  # A second call on this machine goes on even where $out is another folder then.
  rm -rf "$work/checkpoint-$stages" && cp -r "$out/checkpoint" "$work/checkpoint-$stages" 2>/dev/null
fi
for run in "$work"/runs/*/; do
  [ -f "$run/log.jsonl" ] && cp "$run/log.jsonl" "$measured/$(basename "$run").jsonl"
done
pack

# 3. One screen of what happened.
"${python:-python3}" "$kit/bench/gpu/summary.py" "$kit" "$work" "$out" "$(($(date +%s) - began))" "$seconds" |
  tee "$out/summary.txt"
exit "${trained:-1}"
