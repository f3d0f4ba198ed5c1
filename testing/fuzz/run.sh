#!/bin/sh
# Fuzzes TARGET until stopped or until a bug is found; without TARGET, says what there is. New inputs
# are kept under target/fuzz/TARGET. SEED repeats the fuzzer's own dice. The target crash is not a
# fuzzer's: it looks at every state in which a crash can leave a qcow2 image.
set -eu
cd "$(dirname "$0")"
case ${1:-} in
  header) class=HeaderTarget ;;
  mapping) class=MappingTarget ;;
  image) class=ImageTarget ;;
  server) class=ServerHandshakeTarget ;;
  client) class=ClientTarget ;;
  crash) class= ;;
  *)
    echo "Targets: header mapping image server client crash"
    [ -z "${1:-}" ] && exit 0
    exit 1
    ;;
esac
java=java
[ -z "${JAVA_HOME:-}" ] || java=$JAVA_HOME/bin/java
[ -d target/lib ] || {
  echo "hawser: testing/fuzz is not built yet" >&2
  exit 1
}
path=target/classes:$(echo target/lib/*.jar | tr ' ' ':')
[ -n "$class" ] || exec "$java" --enable-native-access=ALL-UNNAMED -cp "$path" \
  hawser.fuzz.crash.CrashExplorer ${2:+"$2"}
found=target/fuzz/$1
mkdir -p "$found"
exec "$java" --enable-native-access=ALL-UNNAMED -cp "$path" com.code_intelligence.jazzer.Jazzer \
  --target_class="hawser.fuzz.$class" --instrumentation_includes='hawser.**' \
  --reproducer_path="$found" -artifact_prefix="$found/" ${2:+-seed="$2"} ${FUZZ_RUNS:+-runs="$FUZZ_RUNS"} \
  "$found" "src/test/resources/hawser/fuzz/$1"
