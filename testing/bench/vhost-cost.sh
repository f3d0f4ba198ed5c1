# What a disk over vhost-user costs: processor time for each request, memory; and what several queues
# are good for, with a disk that does nothing.
. ./shared.sh
. ./blkio.sh

# used PID: processor time of a process so far, in milliseconds.
used() {
  awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / ticks }' "/proc/$1/stat"
}

# cost NAME: microseconds of the server's processor time for each request.
cost() {
  before=$(used "$served")
  rate=$(blkio "$work/$1.sock" randread 4096 32)
  echo "$before $(used "$served") $rate $RUN_SECONDS" | awk '{ print ($2 - $1) * 1000 / ($3 * $4) }'
}

for server in hawser qemu; do
  head -c 1G /dev/urandom >"$work/$server.raw"
done
for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  for server in hawser qemu; do
    case $server in
      hawser) vhost_ours "$work/hawser.raw" -f raw ;;
      qemu) vhost_qemu qemu "$work/qemu.raw" raw "" ;;
    esac
    served=$!
    # The first load is for the compiler.
    cost "$server" >/dev/null
    keep "$server" cost "$(cost "$server")"
    keep "$server" memory "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$served/status")"
    stop_all
  done
  for queues in 1 4; do
    name=hawser
    [ $queues = 4 ] || name=one-queue
    start_vhost "$name" "$HAWSER" vhost-user-blk --socket-path="$work/$name.sock" \
      --blk-file='json:{"driver":"null-co","size":"1G","read-zeroes":true}' --num-queues=$queues
    keep "$name" queues "$(testkit hawser.testkit.BlkLoad "$work/$name.sock" $queues 32 "$RUN_SECONDS")"
    stop_all
  done
done
row cost "vhost-user-blk, raw, page cache, 4k randread, QD32: processor time of a request" us less 1.0 qemu
row memory "vhost-user-blk, memory with one disk, at most" MiB less "150 MiB" qemu
row queues "vhost-user-blk, null device, 4k reads, 4 queues of 32" "/s" more "the cores" one-queue
