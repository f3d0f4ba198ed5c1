# 1 MiB sequential requests to a raw file in the page cache, and libnbd's nbdcopy as the client.
. ./shared.sh
for server in hawser qemu-nbd nbdkit source; do
  head -c 1G /dev/urandom >"$work/$server.raw"
done
start_ours -f raw "$work/hawser.raw"
start_qemu -f raw "$work/qemu-nbd.raw"
start_nbdkit "$work/nbdkit.raw"

for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  for server in hawser qemu-nbd nbdkit; do
    keep $server read "$(load $server read 1m 8 1)"
    keep $server write "$(load $server write 1m 8 1)"
    keep $server out "$(seconds nbdcopy "$(uri $server)" null:)"
    keep $server in "$(seconds nbdcopy "$work/source.raw" "$(uri $server)")"
  done
done
row read "NBD server, raw, page cache, 1 MiB sequential read, QD8" "MiB/s" more 1.0 qemu-nbd nbdkit
row write "NBD server, raw, page cache, 1 MiB sequential write, QD8" "MiB/s" more 1.0 qemu-nbd nbdkit
row out "NBD server, raw, libnbd's nbdcopy of 1 GiB out" s less 1.0 qemu-nbd nbdkit
row in "NBD server, raw, libnbd's nbdcopy of 1 GiB in" s less 1.0 qemu-nbd nbdkit
