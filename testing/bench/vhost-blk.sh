# A disk over vhost-user, driven by libblkio, beside qemu-storage-daemon: page cache, past it, qcow2.
. ./shared.sh
. ./blkio.sh

loads() {
  kind=$1 disk=$2
  shift 2
  for rw in randread randwrite; do
    compare_blk "$kind-$rw-1" "$disk, 4k $rw, QD1" $rw 4096 1 1.0 "$@"
    compare_blk "$kind-$rw-32" "$disk, 4k $rw, QD32" $rw 4096 32 "$DEEP" "$@"
    compare_blk "$kind-$rw-128" "$disk, 4k $rw, QD128" $rw 4096 128 "$DEEP" "$@"
  done
}

# All serve one file, without locks: how the page cache holds a file, and where the disk has it,
# decides as much as who serves it.
head -c 1G /dev/urandom >"$work/disk.raw"
raw="json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"$work/disk.raw\",\"locking\":\"off\"}}"

restart_peers() {
  stop_all
  vhost_ours "$raw"
  vhost_qemu qemu "$work/disk.raw" raw ",locking=off"
}
DEEP=1.2 loads raw "raw, page cache" qemu
compare_blk seq-read "raw, page cache, 1 MiB sequential read, QD8" read 1048576 8 1.0 qemu
compare_blk seq-write "raw, page cache, 1 MiB sequential write, QD8" write 1048576 8 1.0 qemu

# What lies in the page cache is in the way of writes past it.
dd of="$work/disk.raw" oflag=nocache conv=notrunc,fdatasync count=0 status=none
restart_peers() {
  stop_all
  vhost_ours "$raw" --cache=none
  for aio in io_uring native; do
    vhost_qemu $aio "$work/disk.raw" raw ",locking=off,aio=$aio,cache.direct=on"
  done
}
DEEP=1.0 loads direct "raw, O_DIRECT" io_uring native
stop_all

rm "$work/disk.raw"
for server in hawser qemu; do
  qemu-img create -q -f qcow2 -o preallocation=metadata "$work/$server.qcow2" 1G
  # In short pieces: where the kernel has a file in large ones, ext4 walks through all blocks of one
  # for each 4k that is written into it, whoever writes.
  qemu-img bench -f qcow2 -w -s 64k -c 16384 --pattern=7 "$work/$server.qcow2" >/dev/null
done
restart_peers() {
  stop_all
  vhost_ours "$work/hawser.qcow2" -f qcow2
  vhost_qemu qemu "$work/qemu.qcow2" qcow2 ""
}
DEEP=1.2 loads qcow2 "qcow2" qemu
