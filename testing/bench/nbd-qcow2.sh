# Requests to a qcow2 image in the page cache: once preallocated, once growing.
. ./shared.sh

images() {
  for server in hawser qemu-nbd; do
    qemu-img create -q -f qcow2 -o preallocation="$1" "$work/$server.qcow2" 1G
  done
}

# measure KEY RW BLOCK DEPTH JOBS IMAGE WORDS UNIT
measure() {
  say "$1"
  for run in $(seq "$RUNS"); do
    for server in hawser qemu-nbd; do
      [ "$6" = allocated ] || fresh $server
      keep $server "$1" "$(load $server "$2" "$3" "$4" "$5")"
    done
  done
  row "$1" "NBD server, qcow2 $6, $7" "$8" more 1.2 qemu-nbd
}

# Takes a server's clusters away, so that the next writes allocate again.
fresh() {
  qemu-io -f raw -c 'discard 0 1G' "$(uri "$1")" >/dev/null
}

images full
for server in hawser qemu-nbd; do
  qemu-io -f qcow2 -c 'write -q -P 7 0 1G' "$work/$server.qcow2" >/dev/null
done
start_ours --discard=unmap -f qcow2 "$work/hawser.qcow2"
start_qemu --discard=unmap -f qcow2 "$work/qemu-nbd.qcow2"
for image in allocated growing; do
  for rw in read write; do
    [ "$image-$rw" != growing-read ] || continue
    measure "$image-$rw-1" "rand$rw" 4k 1 1 $image "4k rand$rw, QD1" "/s"
    measure "$image-$rw-64" "rand$rw" 4k 64 1 $image "4k rand$rw, QD64" "/s"
    measure "$image-$rw-16" "rand$rw" 4k 16 4 $image "4k rand$rw, 4 connections x QD16" "/s"
    measure "$image-$rw-1m" $rw 1m 8 1 $image "1 MiB sequential $rw, QD8" "MiB/s"
  done
done
