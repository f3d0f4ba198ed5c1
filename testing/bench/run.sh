#!/bin/sh
# Runs benchmark NAME, or all, beside QEMU's programs and prints a table; --record keeps its rows in
# RESULTS.md in place of older rows for the same work. Measures the package, which is made anew;
# HAWSER names another program to measure.
set -eu
cd "$(dirname "$0")"
record=
name=
for argument; do
  case $argument in
    --record) record=yes ;;
    *) name=$argument ;;
  esac
done
[ -z "$name" ] || [ -r "$name.sh" ] || {
  echo "hawser: no benchmark '$name'; there are: $(ls *.sh | grep -vE '^(run|shared|fs-shared|blkio)\.sh$' | sed 's/\.sh//' | paste -sd' ' -)" >&2
  exit 1
}
../peers.sh
[ -n "${HAWSER-}" ] || ../../hawser dist >&2

machine="$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
echo "| work | Hawser | peer | ratio | at least | measured |"
echo "| --- | --- | --- | --- | --- | --- |"
for script in ${name:-$(ls *.sh | grep -vE '^(run|shared|fs-shared|blkio)\.sh$' | sed 's/\.sh//')}; do
  # Others' work on the machine makes a row doubtful, so it is told.
  load=$(cut -d' ' -f1 /proc/loadavg)
  sh "./$script.sh" | while read -r row; do
    row="$row $(date +%F), $machine, load before $load, \`./hawser bench $script\` |"
    echo "$row"
    [ -n "$record" ] || continue
    work=$(echo "$row" | cut -d'|' -f2)
    grep -vF "|$work|" RESULTS.md >RESULTS.new || true
    echo "$row" >>RESULTS.new
    mv RESULTS.new RESULTS.md
  done
done
