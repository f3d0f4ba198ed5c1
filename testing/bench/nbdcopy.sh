# Our nbdcopy beside libnbd's; the server is nbdkit's memory plugin. Of a gigabyte, a tenth of a
# second to start is much.
. ./shared.sh

for size in 1 4; do
  head -c "${size}G" /dev/urandom >"$work/source.raw"
  start "nbdkit$size" nbdkit -f -U "$work/nbdkit$size.sock" memory "${size}G"
  nbdcopy "$work/source.raw" "$(uri "nbdkit$size")"
  for run in $(seq "$RUNS"); do
    say "$size GiB, run $run of $RUNS"
    keep hawser "out$size" "$(seconds "$HAWSER" nbdcopy "$(uri "nbdkit$size")" "$work/out.raw")"
    keep nbdcopy "out$size" "$(seconds nbdcopy "$(uri "nbdkit$size")" "$work/out.raw")"
    keep hawser "in$size" "$(seconds "$HAWSER" nbdcopy "$work/source.raw" "$(uri "nbdkit$size")")"
    keep nbdcopy "in$size" "$(seconds nbdcopy "$work/source.raw" "$(uri "nbdkit$size")")"
  done
done
for size in 1 4; do
  row "out$size" "nbdcopy of $size GiB from nbdkit memory to a file" s less 1.0 nbdcopy
  row "in$size" "nbdcopy of $size GiB from a file to nbdkit memory" s less 1.0 nbdcopy
done
