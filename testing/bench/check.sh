# compare and check of a 64 GiB qcow2 image with all of its metadata allocated.
. ./shared.sh
qemu-img create -q -f qcow2 -o preallocation=metadata "$work/disk.qcow2" 64G
cp --sparse=always "$work/disk.qcow2" "$work/same.qcow2"

for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  keep hawser check "$(seconds "$HAWSER" img check "$work/disk.qcow2")"
  keep qemu-img check "$(seconds qemu-img check "$work/disk.qcow2")"
  keep hawser compare "$(seconds "$HAWSER" img compare "$work/disk.qcow2" "$work/same.qcow2")"
  keep qemu-img compare "$(seconds qemu-img compare "$work/disk.qcow2" "$work/same.qcow2")"
done
row compare "compare, 64 GiB qcow2, all metadata" s less 1.0 qemu-img
row check "check, 64 GiB qcow2, all metadata" s less 1.5 qemu-img
