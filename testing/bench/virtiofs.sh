# A shared folder over vhost-user, driven by our own front-end, beside virtiofsd. Both serve the same
# folder, one after the other, for how the page cache holds a file decides as much as who serves it;
# and without sandboxes: the kernel's filters cost each call the same.
. ./fs-shared.sh

# load SERVER WORK NUMBER...: what FsLoad prints. The servers end with their guest, so each load has
# a new one; the load warms it up first.
load() {
  server=$1
  shift
  # shellcheck disable=SC2086
  case $server in
    hawser) start_fs hawser "$work/shared" "$HAWSER" virtiofsd $WITHOUT_SANDBOX $OURS ;;
    virtiofsd) start_fs virtiofsd "$work/shared" "$virtiofsd" $WITHOUT_SANDBOX $THEIRS ;;
  esac
  drive_fs "$server" "$@"
  stop_all
}

drive_fs() {
  server=$1
  shift
  testkit hawser.testkit.fuse.FsLoad "$work/$server.sock" "$@"
}

# compare KEY TITLE BAR WORK NUMBER...
compare() {
  key=$1 title=$2 bar=$3
  shift 3
  say "$title"
  for run in $(seq "$RUNS"); do
    for server in hawser virtiofsd; do
      keep "$server" "$key" "$(load "$server" "$@")"
    done
  done
  row "$key" "virtio-fs, $title" "/s" more "$bar" virtiofsd
}

OURS= THEIRS=
for rw in randread randwrite; do
  compare "$rw-1" "4k $rw, one under way" 1.0 "$rw" 4096 1 "$RUN_SECONDS"
  compare "$rw-16" "4k $rw, 16 under way" 1.0 "$rw" 4096 16 "$RUN_SECONDS"
done
for rw in read write; do
  compare "$rw" "1 MiB sequential $rw, 4 under way" 1.0 "$rw" 1048576 4 "$RUN_SECONDS"
done

say "20,000 files"
for run in $(seq "$RUNS"); do
  for server in hawser virtiofsd; do
    rm -rf "${work:?}/shared/files"
    load "$server" files 20000 >"$work/numbers"
    number=0
    while read -r value; do
      number=$((number + 1))
      keep "$server" "files-$number" "$value"
    done <"$work/numbers"
  done
done
row files-1 "virtio-fs, 20,000 files created" "/s" more 1.0 virtiofsd
row files-2 "virtio-fs, 20,000 files looked at" "/s" more 1.0 virtiofsd
row files-3 "virtio-fs, 20,000 files listed with attributes" "/s" more 1.0 virtiofsd
row files-4 "virtio-fs, 20,000 files unlinked" "/s" more 1.0 virtiofsd

# virtiofsd has one request queue: all is under way on that, with and without a thread pool.
say "mixed work on 4 queues"
for run in $(seq "$RUNS"); do
  OURS=--num-request-queues=4 keep hawser mixed "$(OURS=--num-request-queues=4 load hawser mixed 4 4 "$RUN_SECONDS")"
  keep virtiofsd mixed "$(load virtiofsd mixed 1 16 "$RUN_SECONDS")"
  keep pool mixed "$(THEIRS=--thread-pool-size=4 load virtiofsd mixed 1 16 "$RUN_SECONDS")"
done
row mixed "virtio-fs, mixed work, 4 queues of 4 (virtiofsd: one of 16)" "/s" more 1.5 virtiofsd pool

# The memory of ours, in MiB, when its guest knows 100,000 files. virtiofsd keeps a descriptor for
# each of them, which not every machine allows.
say "100,000 files known"
load hawser make 100000
start_fs hawser "$work/shared" "$HAWSER" virtiofsd $WITHOUT_SANDBOX
mkfifo "$work/go"
drive_fs hawser tree 100000 <"$work/go" >"$work/known" &
driver=$!
exec 3>"$work/go"
until [ -s "$work/known" ]; do
  kill -0 $driver || exit 1
  sleep 0.1
done
awk '/^RssAnon/ {
  printf "| virtio-fs, memory with 100,000 files known | %.0f MiB | none | | <= 250 MiB |\n", $2 / 1024
}' /proc/$served/status
exec 3>&-
wait $driver
stop_all
