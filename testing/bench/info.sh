# img info from the package: processor time and wall time of one call.
. ./shared.sh
qemu-img create -q -f qcow2 "$work/disk.qcow2" 1G
CALLS=20

# Milliseconds of processor time of one call, over CALLS calls.
processor() {
  (
    for call in $(seq $CALLS); do "$@" >/dev/null; done
    times
  ) | tail -n 1 | awk -F'[ms ]+' -v calls=$CALLS '{ print ($1 * 60 + $2 + $3 * 60 + $4) * 1000 / calls }'
}

many() {
  for call in $(seq $CALLS); do "$@" >/dev/null; done
}

wall() {
  seconds many "$@" | awk -v calls=$CALLS '{ print $1 * 1000 / calls }'
}

for run in $(seq "$RUNS"); do
  keep hawser cpu "$(processor "$HAWSER" img info "$work/disk.qcow2")"
  keep qemu-img cpu "$(processor qemu-img info "$work/disk.qcow2")"
  keep hawser wall "$(wall "$HAWSER" img info "$work/disk.qcow2")"
  keep qemu-img wall "$(wall qemu-img info "$work/disk.qcow2")"
done
row cpu "img info from the package, processor time" ms less "60 ms" qemu-img
row wall "img info from the package, wall time" ms less - qemu-img
