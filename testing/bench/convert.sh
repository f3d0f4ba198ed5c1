# convert of 4 GiB of mixed data with holes, between raw and qcow2.
. ./shared.sh
mixed "$work/disk.raw" 4096
qemu-img convert -O qcow2 "$work/disk.raw" "$work/disk.qcow2"

# A target is removed first: writing over an old file is another work. What others wrote is on disk
# before, so that nobody waits for somebody else's pages.
convert() {
  "$@" "$work/out"
}

fresh() {
  rm -f "$work/out"
  sync
  # Some kernels take pages back that were not read for a few seconds.
  cat "$work/disk.$from" >/dev/null
}

for way in raw-qcow2 qcow2-raw; do
  from=${way%-*} to=${way#*-}
  for run in $(seq "$RUNS"); do
    say "$way, run $run of $RUNS"
    fresh
    keep hawser $way "$(seconds convert "$HAWSER" img convert -f $from -O $to "$work/disk.$from")"
    fresh
    keep qemu-img $way "$(seconds convert qemu-img convert -f $from -O $to "$work/disk.$from")"
    fresh
    keep qemu-img-W $way "$(seconds convert qemu-img convert -m 16 -W -f $from -O $to "$work/disk.$from")"
  done
done
row raw-qcow2 "convert, raw to qcow2, 4 GiB mixed" s less 1.0 qemu-img qemu-img-W
row qcow2-raw "convert, qcow2 to raw, 4 GiB mixed" s less 1.0 qemu-img qemu-img-W
