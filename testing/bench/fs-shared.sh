# What the benchmarks of shared folders have in common. Sourced by each, in this folder.
. ./shared.sh
virtiofsd=../target/virtiofsd/virtiofsd
[ -x "$virtiofsd" ] || {
  say "virtiofsd cannot be had here"
  exit 1
}
# virtiofsd keeps a descriptor for every file that the guest knows.
ulimit -n 1000000 2>/dev/null || say "open files are limited to $(ulimit -n)"

# The kernel's filters cost each call the same.
WITHOUT_SANDBOX="--sandbox none --seccomp none"

# start_fs NAME FOLDER COMMAND...: a back-end on the socket $work/NAME.sock; its process is $served.
start_fs() {
  name=$1
  folder=$2
  shift 2
  mkdir -p "$folder"
  "$@" --socket-path="$work/$name.sock" --shared-dir="$folder" >"$work/$name.log" 2>&1 &
  served=$!
  servers="$servers $served"
  until grep -q "$work/$name.sock" /proc/net/unix; do
    kill -0 $served 2>/dev/null || { cat "$work/$name.log" >&2; say "$name did not start"; exit 1; }
    sleep 0.05
  done
}
