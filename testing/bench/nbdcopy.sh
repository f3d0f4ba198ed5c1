# Our nbdcopy beside libnbd's; the server is nbdkit's memory plugin.
. ./shared.sh
head -c 1G /dev/urandom >"$work/source.raw"
start nbdkit nbdkit -f -U "$work/nbdkit.sock" memory 1G
nbdcopy "$work/source.raw" "$(uri nbdkit)"

for run in $(seq "$RUNS"); do
  say "run $run of $RUNS"
  keep hawser out "$(seconds "$HAWSER" nbdcopy "$(uri nbdkit)" "$work/out.raw")"
  keep nbdcopy out "$(seconds nbdcopy "$(uri nbdkit)" "$work/out.raw")"
  keep hawser in "$(seconds "$HAWSER" nbdcopy "$work/source.raw" "$(uri nbdkit)")"
  keep nbdcopy in "$(seconds nbdcopy "$work/source.raw" "$(uri nbdkit)")"
done
row out "nbdcopy of 1 GiB from nbdkit memory to a file" s less 1.0 nbdcopy
row in "nbdcopy of 1 GiB from a file to nbdkit memory" s less 1.0 nbdcopy
