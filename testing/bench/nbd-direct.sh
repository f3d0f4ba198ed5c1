# 4 KiB random requests past the page cache: depth must reach the disk.
. ./shared.sh
for server in hawser io_uring native; do
  head -c 1G /dev/urandom >"$work/$server.raw"
done
sync
start_ours --cache=none -f raw "$work/hawser.raw"
for aio in io_uring native; do
  start $aio qemu-nbd -t -e 16 -k "$work/$aio.sock" --cache=none --aio=$aio -f raw "$work/$aio.raw"
done

measure() {
  say "$1"
  for run in $(seq "$RUNS"); do
    for server in hawser io_uring native; do
      keep $server "$1" "$(load $server "$2" 4k "$3" "$4")"
    done
  done
  row "$1" "NBD server, raw, O_DIRECT, 4k $2, $5" "/s" more 1.0 io_uring native
}

measure r1 randread 1 1 QD1
measure w1 randwrite 1 1 QD1
measure r64 randread 64 1 QD64
measure w64 randwrite 64 1 QD64
measure r16 randread 16 4 "4 connections x QD16"
measure w16 randwrite 16 4 "4 connections x QD16"
