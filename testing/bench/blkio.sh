# libblkio's own benchmark, a vhost-user front-end that needs no guest. Where this release of Debian
# has no libblkio, that of the next one is unpacked into a cache folder, with the C library it was
# built for, and the benchmark is compiled from the example in its package. Sourced after shared.sh.
. ../next-release.sh
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hawser/blkio
lib=$cache/unpacked/usr/lib/x86_64-linux-gnu

fetch_blkio() {
  unpack_next "$cache" libblkio1 libblkio-dev libc6 libgcc-s1
  cc -O2 -o "$cache/blkio-bench" "$cache/unpacked/usr/share/doc/libblkio-dev/examples/blkio-bench.c" \
    -I"$cache/unpacked/usr/include" -L"$lib" -lblkio -lpthread -Wl,--allow-shlib-undefined
}

# The libraries are unpacked before the benchmark is compiled, but caches have been seen without them.
{ [ -x "$cache/blkio-bench" ] && [ -x "$lib/ld-linux-x86-64.so.2" ]; } || fetch_blkio >&2 || {
  say "libblkio cannot be had here"
  exit 1
}

# blkio SOCKET RW BYTES DEPTH: requests per second.
blkio() {
  "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$cache/blkio-bench" \
    --runtime="$RUN_SECONDS" --readwrite="$2" --blocksize="$3" --iodepth="$4" \
    virtio-blk-vhost-user path="$1" | awk -F'[:,]' '/kiops/ { print $2 * 1000; exit }'
}

# start_vhost NAME COMMAND...: a back-end on the socket $work/NAME.sock.
start_vhost() {
  name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  servers="$servers $!"
  until grep -q "$work/$name.sock" /proc/net/unix; do
    kill -0 $! 2>/dev/null || { cat "$work/$name.log" >&2; say "$name did not start"; exit 1; }
    sleep 0.05
  done
}

# vhost_ours FILE OPTION..., vhost_qemu NAME FILE FORMAT PROTOCOL_OPTIONS
vhost_ours() {
  file=$1
  shift
  start_vhost hawser "$HAWSER" vhost-user-blk --socket-path="$work/hawser.sock" \
    --blk-file="$file" --num-queues=1 "$@"
}

vhost_qemu() {
  start_vhost "$1" qemu-storage-daemon --blockdev "file,node-name=file,filename=$2$4" \
    --blockdev "$3,node-name=disk,file=file" \
    --export "vhost-user-blk,id=e,node-name=disk,writable=on,num-queues=1,addr.type=unix,addr.path=$work/$1.sock"
}

# compare_blk WORK TITLE RW BYTES DEPTH BAR PEER... Before each row, and whenever one is gone,
# restart_peers is called, the script's own: qemu-storage-daemon 10 does not always outlive its
# front-end.
compare_blk() {
  key=$1 what=$2 rw=$3 bytes=$4 depth=$5 bar=$6
  shift 6
  say "$what"
  restart_peers
  for run in $(seq "$RUNS"); do
    for server in hawser "$@"; do
      grep -q "$work/$server.sock" /proc/net/unix || restart_peers
      keep "$server" "$key" "$(blkio "$work/$server.sock" "$rw" "$bytes" "$depth")"
    done
  done
  row "$key" "vhost-user-blk, $what" "/s" more "$bar" "$@"
}
