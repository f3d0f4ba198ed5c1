# The most memory that a process has had resident: the server with 16 busy clients, and convert -c.
. ./shared.sh

# Megabytes of a process so far; its own, not those of a script that started it.
peak() {
  awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$1/status" 2>/dev/null
}

# The peak of a command that ends: looked at again and again until it is gone.
peak_of() {
  "$@" >/dev/null 2>&1 &
  most=0
  while now=$(peak $!) && [ -n "$now" ]; do
    most=$now
    sleep 0.02
  done
  wait $!
  echo "$most"
}

head -c 1G /dev/urandom >"$work/disk.raw"
cp "$work/disk.raw" "$work/other.raw"
mixed "$work/mixed.raw" 1024
for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  start_ours -f raw "$work/disk.raw"
  load hawser randrw 64k 16 16 >/dev/null
  keep hawser nbd "$(peak $!)"
  stop_all
  start_qemu -f raw "$work/other.raw"
  load qemu-nbd randrw 64k 16 16 >/dev/null
  keep qemu-nbd nbd "$(peak $!)"
  stop_all
  for program in hawser qemu-img; do
    rm -f "$work/out"
    case $program in hawser) img="$HAWSER img" ;; *) img=qemu-img ;; esac
    keep $program convert "$(peak_of $img convert -c -f raw -O qcow2 "$work/mixed.raw" "$work/out")"
  done
done
row nbd "memory of the NBD server with 16 clients" MiB less "150 MiB" qemu-nbd
row convert "memory of convert -c" MiB less "250 MiB" qemu-img
