# How long vhost-user programs take from their start until a front-end can connect, and from SIGTERM
# until they are gone.
. ./shared.sh
virtiofsd=../target/virtiofsd/virtiofsd
truncate -s 1G "$work/disk.raw"
cp "$work/disk.raw" "$work/other.raw"
mkdir "$work/folder"
echo "1 30 1" >"$work/script"

now() {
  date +%s%N
}

millis() {
  echo "$(($2 - $1))" | awk '{ printf "%.1f\n", $1 / 1e6 }'
}

# life NAME WORK COMMAND...: starts it on the socket $work/NAME.sock and ends it.
life() {
  name=$1 key=$2
  shift 2
  rm -f "$work/$name.sock"
  began=$(now)
  "$@" >"$work/$name.log" 2>&1 &
  pid=$!
  servers=$pid
  # Looking all the time would take the processor away from it.
  until [ -S "$work/$name.sock" ]; do
    kill -0 $pid 2>/dev/null || { cat "$work/$name.log" >&2; say "$name did not start"; exit 1; }
    sleep 0.005
  done
  keep "$name" "$key-ready" "$(millis "$began" "$(now)")"
  sleep 0.5
  began=$(now)
  kill $pid
  wait $pid 2>/dev/null || true
  keep "$name" "$key-gone" "$(millis "$began" "$(now)")"
  servers=
}

# ours KIND PROGRAM OPTION...
ours() {
  kind=$1 program=$2
  shift 2
  life hawser "$kind" "$HAWSER" "$program" --socket-path="$work/hawser.sock" "$@"
}

for run in $(seq "$RUNS"); do
  ours blk vhost-user-blk --blk-file="$work/disk.raw" --format=raw
  life qemu blk qemu-storage-daemon --blockdev "file,node-name=d,filename=$work/other.raw" \
    --export "vhost-user-blk,id=e,node-name=d,writable=on,addr.type=unix,addr.path=$work/qemu.sock"
  ours fs virtiofsd --shared-dir="$work/folder"
  [ ! -x "$virtiofsd" ] \
    || life virtiofsd fs "$virtiofsd" --socket-path="$work/virtiofsd.sock" --shared-dir="$work/folder" --sandbox=none
  ours rng vhost-user-rng
  ours console vhost-user-console --pty
  ours input vhost-user-input --script="$work/script"
  ours vsock vhost-user-vsock --guest-cid=5 --uds-path="$work/vsock"
done

rows() {
  kind=$1 name=$2
  shift 2
  for peer; do
    row "$kind-ready" "$name, until a front-end can connect" ms less "300 ms" "$peer"
    row "$kind-gone" "$name, from SIGTERM to its end" ms less "1000 ms" "$peer"
  done
  [ $# -gt 0 ] || {
    echo "| $name, until a front-end can connect | $(median hawser "$kind-ready") ms | none | | 300 ms |"
    echo "| $name, from SIGTERM to its end | $(median hawser "$kind-gone") ms | none | | 1000 ms |"
  }
}

rows blk vhost-user-blk qemu
if [ -x "$virtiofsd" ]; then rows fs virtiofsd virtiofsd; else rows fs virtiofsd; fi
for kind in rng console input vsock; do
  rows $kind "vhost-user-$kind"
done
