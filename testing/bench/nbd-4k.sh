# 4 KiB random requests to a raw file in the page cache, over a unix socket.
. ./shared.sh
for server in hawser qemu-nbd nbdkit; do
  head -c 1G /dev/urandom >"$work/$server.raw"
done
start_ours -f raw "$work/hawser.raw"
start_qemu -f raw "$work/qemu-nbd.raw"
start_nbdkit "$work/nbdkit.raw"

measure() {
  say "$1"
  for run in $(seq "$RUNS"); do
    for server in hawser qemu-nbd nbdkit; do
      keep $server "$1" "$(load $server "$2" 4k "$3" "$4")"
    done
  done
  row "$1" "NBD server, raw, page cache, 4k $2, $5" "/s" more "$6" qemu-nbd nbdkit
}

measure r1 randread 1 1 QD1 1.2
measure w1 randwrite 1 1 QD1 1.2
measure r64 randread 64 1 QD64 1.2
measure w64 randwrite 64 1 QD64 1.2
measure r16 randread 16 4 "4 connections x QD16" 1.0
measure w16 randwrite 16 4 "4 connections x QD16" 1.0
