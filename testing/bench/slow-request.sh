# One slow request among fast ones on one connection: reads of the first sector take a second, and
# one in 16384 of fio's requests hits it. The peer is the same server whose rule delays nothing.
. ./shared.sh
SPAN=64m
disk="driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=$work"
rule=file.inject-error.0
for server in hawser without-it; do
  head -c 64M /dev/urandom >"$work/$server.raw"
done
rules="$rule.event=none,$rule.iotype=read,$rule.sector=0,$rule.errno=0"
start_ours --image-opts "$disk/hawser.raw,$rules,$rule.delay-ns=1000000000"
start without-it "$HAWSER" nbd -t -e 16 -k "$work/without-it.sock" --image-opts "$disk/without-it.raw,$rules,$rule.delay-ns=0"

for run in $(seq "$RUNS"); do
  for server in hawser without-it; do
    keep $server slow "$(slowest $server randread 4k 64 1)"
  done
done
row slow "NBD server, 4k randread, QD64, one in 16384 takes a second: latency of 99 in 100" us less - without-it
