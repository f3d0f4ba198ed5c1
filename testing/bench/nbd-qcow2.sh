# 4 KiB random requests to a qcow2 image in the page cache: once preallocated, once growing.
. ./shared.sh

images() {
  for server in hawser qemu-nbd; do
    qemu-img create -q -f qcow2 -o preallocation="$1" "$work/$server.qcow2" 1G
  done
}

measure() {
  say "$1"
  for run in $(seq "$RUNS"); do
    for server in hawser qemu-nbd; do
      [ "$5" = allocated ] || fresh $server
      keep $server "$1" "$(load $server "$2" 4k "$3" "$4")"
    done
  done
  row "$1" "NBD server, qcow2 $5, 4k $2, $6" "/s" more 1.2 qemu-nbd
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
measure r1 randread 1 1 allocated QD1
measure w1 randwrite 1 1 allocated QD1
measure r64 randread 64 1 allocated QD64
measure w64 randwrite 64 1 allocated QD64
measure r16 randread 16 4 allocated "4 connections x QD16"
measure w16 randwrite 16 4 allocated "4 connections x QD16"
measure f1 randwrite 1 1 growing QD1
measure f64 randwrite 64 1 growing QD64
