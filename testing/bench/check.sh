# compare and check of a 64 GiB qcow2 image with all of its metadata allocated; and check of one with
# small clusters, which has sixteen times as much of it.
. ./shared.sh
qemu-img create -q -f qcow2 -o preallocation=metadata "$work/disk.qcow2" 64G
cp --sparse=always "$work/disk.qcow2" "$work/same.qcow2"
qemu-img create -q -f qcow2 -o preallocation=metadata,cluster_size=4096 "$work/small.qcow2" 64G

for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  for program in hawser qemu-img; do
    case $program in hawser) img="$HAWSER img" ;; *) img=qemu-img ;; esac
    keep $program check "$(seconds $img check "$work/disk.qcow2")"
    keep $program small "$(seconds $img check "$work/small.qcow2")"
    keep $program compare "$(seconds $img compare "$work/disk.qcow2" "$work/same.qcow2")"
  done
done
row compare "compare, 64 GiB qcow2, all metadata" s less 1.0 qemu-img
row check "check, 64 GiB qcow2, all metadata" s less 1.5 qemu-img
row small "check, 64 GiB qcow2, all metadata, clusters of 4 KiB" s less 1.5 qemu-img
