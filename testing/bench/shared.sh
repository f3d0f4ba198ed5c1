# What the benchmarks share. Sourced by each, in this folder.
#
# A benchmark alternates between ours and the peers in one run, takes the median of RUNS measurements
# of each, and prints a row per kind of work: name, ours, the best peer, the ratio (above 1: ours is
# better), the bar.
set -eu
RUNS=${RUNS:-5}
RUN_SECONDS=${RUN_SECONDS:-3}
# What is measured is what is installed: the package, with its start-up cache.
HAWSER=${HAWSER:-../../dist/target/hawser/bin/hawser}
work=$(mktemp -d "${BENCH_FOLDER:-/var/tmp}/hawser-bench.XXXXXX")
servers=
trap 'stop_all; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say() {
  echo "bench: $*" >&2
}

# start NAME COMMAND...: a server on the socket $work/NAME.sock that goes on until stop_all.
start() {
  name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  servers="$servers $!"
  until nbdinfo --size "$(uri "$name")" >/dev/null 2>&1; do
    kill -0 $! 2>/dev/null || { cat "$work/$name.log" >&2; say "$name did not start"; exit 1; }
    sleep 0.05
  done
}

stop_all() {
  for pid in $servers; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  servers=
}

uri() {
  echo "nbd+unix:///?socket=$work/$1.sock"
}

# The three servers. Each gets an image of its own, for ours and QEMU's lock theirs.
start_ours() {
  start hawser "$HAWSER" nbd -t -e 16 -k "$work/hawser.sock" "$@"
}

start_qemu() {
  start qemu-nbd qemu-nbd -t -e 16 -k "$work/qemu-nbd.sock" "$@"
}

start_nbdkit() {
  start nbdkit nbdkit -f -U "$work/nbdkit.sock" file "$@"
}

# drive NAME RW BLOCK DEPTH JOBS: fio against a server; its fields, separated by semicolons.
drive() {
  fio --minimal --name=load --ioengine=nbd --uri="$(uri "$1")" --rw="$2" --bs="$3" --iodepth="$4" \
    --numjobs="$5" --thread --group_reporting --time_based --ramp_time=1 --runtime="$RUN_SECONDS" \
    --size="${SPAN:-1g}" --randrepeat=0
}

# load NAME RW BLOCK DEPTH JOBS: requests per second.
load() {
  drive "$@" | awk -F';' 'NF > 100 { print $8 + $49 }'
}

# slowest NAME RW BLOCK DEPTH JOBS: how many microseconds 99 of 100 reads stay below.
slowest() {
  drive "$@" | tr ';' '\n' | sed -n 's/^99\.000000%=//p' | head -n 1
}

# testkit CLASS ARGUMENT...: runs one of the loads that are written in Java.
testkit() {
  modules=../../tools/target/modules
  "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED \
    -cp "../testkit/target/classes:$modules/hawser-vhost-0.1.0.jar:$modules/hawser-sys-0.1.0.jar:$modules/hawser-base-0.1.0.jar" \
    "$@"
}

# keep NAME WORK VALUE: one measurement.
keep() {
  echo "$3" >>"$work/$2.$1.values"
}

median() {
  sort -n "$work/$2.$1.values" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# seconds COMMAND...: how long it takes.
seconds() {
  began=$(date +%s%N)
  "$@" >/dev/null
  echo "$(($(date +%s%N) - began))" | awk '{ printf "%.3f\n", $1 / 1e9 }'
}

# row WORK TITLE UNIT more|less BAR PEER...: the row, from what was kept.
row() {
  key=$1 title=$2 unit=$3 better=$4 bar=$5
  shift 5
  best= best_value=
  for peer; do
    value=$(median "$peer" "$key")
    case $better in more) sign='>' ;; less) sign='<' ;; esac
    if [ -z "$best" ] || awk "BEGIN { exit !($value $sign $best_value) }"; then
      best=$peer best_value=$value
    fi
  done
  awk -v title="$title" -v unit="$unit" -v ours="$(median hawser "$key")" -v best="$best" \
    -v value="$best_value" -v better="$better" -v bar="$bar" 'BEGIN {
      ratio = better == "more" ? ours / value : value / ours
      form = ours < 100 ? "%.2f" : "%.0f"
      printf "| %s | " form " %s | " form " %s (%s) | %.2f | %s |\n", title, ours, unit, value, unit, best, ratio, bar
    }'
}

# mixed FILE MIB: a disk of which a quarter each is text and programs, random, zeroes, and a hole.
mixed() {
  part=$(($2 / 4))
  truncate -s "$2M" "$1"
  tar -C / -cf - usr/lib usr/share 2>/dev/null | head -c "${part}M" | dd of="$1" bs=1M conv=notrunc status=none
  head -c "${part}M" /dev/urandom | dd of="$1" bs=1M seek="$part" conv=notrunc status=none
  head -c "${part}M" /dev/zero | dd of="$1" bs=1M seek="$((part * 2))" conv=notrunc status=none
}
