# A guest that knows many files moves from one back-end to another of the same program, driven by our own
# front-end: the pause from the moment the guest stops until its first request is answered there, and
# the bytes of its state. Before it stops each program has two seconds to prepare, as it would have
# while the guest's memory is copied.
. ./fs-shared.sh

OPEN=100
PREPARE_MS=2000

# journey SERVER FILES OPTION...: milliseconds of the pause, of saving and of loading, and bytes.
journey() {
  server=$1 files=$2
  shift 2
  for end in old new; do
    # shellcheck disable=SC2086
    case $server in
      hawser) start_fs $end "$work/share" "$HAWSER" virtiofsd $WITHOUT_SANDBOX ;;
      *) start_fs $end "$work/share" "$virtiofsd" $WITHOUT_SANDBOX "$@" ;;
    esac
  done
  testkit hawser.testkit.fuse.Journey "$work/old.sock" "$work/new.sock" "$files" "$OPEN" "$PREPARE_MS"
  stop_all
  rm -f "$work"/*.sock
}

# measure KEY SERVER FILES OPTION...
measure() {
  key=$1 server=$2
  shift 2
  journey "$server" "$@" >"$work/numbers"
  read -r pause _ _ bytes <"$work/numbers"
  keep "$server" "pause-$key" "$pause"
  keep "$server" "bytes-$key" "$(awk "BEGIN { print $bytes / $1 }")"
}

# tell FILES TITLE PEER...
tell() {
  files=$1 what=$2
  shift 2
  row "pause-$files" "virtio-fs, pause of a migration, $what" "ms" less 1.0 "$@"
  row "bytes-$files" "virtio-fs, bytes of state for each file, $what" "" less - "$@"
}

say "making 100,000 files"
# shellcheck disable=SC2086
start_fs old "$work/share" "$HAWSER" virtiofsd $WITHOUT_SANDBOX
testkit hawser.testkit.fuse.FsLoad "$work/old.sock" make 100000
stop_all
rm -f "$work"/*.sock

# virtiofsd keeps a descriptor for each file, unless it may open file handles.
say "15,000 files known"
for run in $(seq "$RUNS"); do
  measure few hawser 15000
  measure few virtiofsd 15000
done
tell few "15,000 files known, $OPEN open" virtiofsd

say "100,000 files known"
for run in $(seq "$RUNS"); do
  measure many hawser 100000
  measure many handles 100000 --inode-file-handles=prefer --modcaps=+dac_read_search
done
tell many "100,000 files known, $OPEN open (virtiofsd: by file handles)" handles
