# convert of 4 GiB of mixed data with holes, between raw and qcow2.
. ./shared.sh
mixed "$work/disk.raw" 4096
qemu-img convert -O qcow2 "$work/disk.raw" "$work/disk.qcow2"

# A target is removed first: writing over an old file is another work. What others wrote is on disk
# before, so that nobody waits for somebody else's pages.
convert() {
  "$@" "$work/out"
}

# Reads the source, and fills as much memory as will be written: in a virtual machine whose free
# pages are given back to the host, the first to touch them pays several seconds. The kernel gives
# them back two seconds after a file is removed: the wait keeps that out of the measurement.
fresh() {
  rm -f "$work/out"
  sync
  sleep 3
  cat "$work/disk.$from" >"$work/out"
  rm -f "$work/out"
}

by() {
  case $1 in
    hawser) convert "$HAWSER" img convert -f "$from" -O "$to" "$work/disk.$from" ;;
    qemu-img) convert qemu-img convert -f "$from" -O "$to" "$work/disk.$from" ;;
    qemu-img-W) convert qemu-img convert -m 16 -W -f "$from" -O "$to" "$work/disk.$from" ;;
  esac
}

# Everybody comes after everybody else, for what the one before wrote and deleted can cost seconds.
order="hawser qemu-img qemu-img-W"
for run in $(seq "$RUNS"); do
  for way in raw-qcow2 qcow2-raw; do
    from=${way%-*} to=${way#*-}
    say "$way, run $run of $RUNS"
    for program in $order; do
      fresh
      keep "$program" $way "$(seconds by "$program")"
    done
  done
  order="${order#* } ${order%% *}"
done
row raw-qcow2 "convert, raw to qcow2, 4 GiB mixed" s less 1.0 qemu-img qemu-img-W
row qcow2-raw "convert, qcow2 to raw, 4 GiB mixed" s less 1.0 qemu-img qemu-img-W
