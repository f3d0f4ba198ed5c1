#!/bin/sh
# Fuzzes TARGET for FUZZ_SECONDS (600) or until a bug is found; all: each in turn; without TARGET, says
# what there is. New inputs are kept under target/fuzz/TARGET. SEED repeats the fuzzer's own dice. The
# targets crash, faults and escape are not a fuzzer's: the first two look at every state in which a crash,
# or an error of the file, can leave a qcow2 image, in workloads that follow from SEED; with the last one a
# guest tries to get out of its shared folder.
set -eu
cd "$(dirname "$0")"
targets="header mapping image server client state stream crash faults escape"
seconds=${FUZZ_SECONDS:-600}

[ -d target/lib ] || {
  echo "hawser: testing/fuzz is not built yet" >&2
  exit 1
}
java=java
[ -z "${JAVA_HOME:-}" ] || java=$JAVA_HOME/bin/java
path=target/classes:$(echo target/lib/*.jar | tr ' ' ':')

# The explorers: EXPLORER SEED
explore() {
  "$java" --enable-native-access=ALL-UNNAMED -cp "$path" "hawser.fuzz.$1" \
    "${2:-$(date +%s)}" "$seconds"
}

# Jazzer: TARGET CLASS SEED
fuzz() {
  found=target/fuzz/$1
  mkdir -p "$found"
  "$java" --enable-native-access=ALL-UNNAMED -cp "$path" com.code_intelligence.jazzer.Jazzer \
    --target_class="hawser.fuzz.$2" --instrumentation_includes='hawser.**' \
    --reproducer_path="$found" -artifact_prefix="$found/" -max_total_time="$seconds" -print_final_stats=1 \
    ${3:+-seed="$3"} ${FUZZ_RUNS:+-runs="$FUZZ_RUNS"} "$found" "src/test/resources/hawser/fuzz/$1"
}

run() {
  echo "hawser: fuzzing $1 for $seconds seconds"
  case $1 in
    header) fuzz "$1" HeaderTarget "${2:-}" ;;
    mapping) fuzz "$1" MappingTarget "${2:-}" ;;
    image) fuzz "$1" ImageTarget "${2:-}" ;;
    server) fuzz "$1" ServerHandshakeTarget "${2:-}" ;;
    client) fuzz "$1" ClientTarget "${2:-}" ;;
    state) fuzz "$1" StateTarget "${2:-}" ;;
    stream) fuzz "$1" QemuStreamTarget "${2:-}" ;;
    crash) explore crash.CrashExplorer "${2:-}" ;;
    faults) explore crash.FaultExplorer "${2:-}" ;;
    escape) explore escape.EscapeExplorer "${2:-}" ;;
  esac || {
    echo "hawser: fuzzing $1 found a bug, or could not run"
    return 1
  }
  echo "hawser: fuzzing $1 found nothing"
}

case " $targets all " in
  *" ${1:-} "*) ;;
  *)
    echo "Targets: $targets all"
    [ -z "${1:-}" ] && exit 0
    exit 1
    ;;
esac
[ "$1" = all ] || targets=$1
failed=
for target in $targets; do
  run "$target" "${2:-}" || failed="$failed $target"
done
[ -z "$failed" ] || {
  echo "hawser: fuzzing failed:$failed"
  exit 1
}
