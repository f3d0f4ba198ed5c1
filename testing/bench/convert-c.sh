# convert -c of 1 GiB of mixed data, by both kinds of compression.
. ./shared.sh
mixed "$work/disk.raw" 1024

convert() {
  "$@" "$work/out"
}

# Reads the source, and fills as much memory as will be written: in a virtual machine whose free
# pages are given back to the host, the first to touch them pays several seconds.
fresh() {
  rm -f "$work/out"
  sync
  cat "$work/disk.raw" >"$work/out"
  rm -f "$work/out"
}

for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  for type in zlib zstd; do
    options="-c -f raw -O qcow2 -o compression_type=$type"
    fresh
    keep hawser $type "$(seconds convert "$HAWSER" img convert $options "$work/disk.raw")"
    fresh
    keep qemu-img $type "$(seconds convert qemu-img convert $options "$work/disk.raw")"
    fresh
    keep qemu-img-W $type "$(seconds convert qemu-img convert -m 16 -W $options "$work/disk.raw")"
  done
done
row zlib "convert -c, zlib, 1 GiB mixed" s less 3 qemu-img qemu-img-W
row zstd "convert -c, zstd, 1 GiB mixed" s less 2 qemu-img qemu-img-W
