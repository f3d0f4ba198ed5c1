#!/bin/sh
# Makes dist/target/hawser/ and hawser-VERSION.tar.gz from the built modules: a Java of its own with the
# modules in it, a cache that it starts from, launchers, manual pages and completion.
set -eu
cd "$(dirname "$0")/.."
modules=tools/target/modules
out=dist/target/hawser
version=$(sed -n 's,^  <version>\(.*\)</version>,\1,p' pom.xml)

# Runs a command whose output matters only when it fails.
quietly() {
  "$@" >dist/target/dist.log 2>&1 || { cat dist/target/dist.log >&2; exit 1; }
}

rm -rf dist/target
mkdir -p $out/bin $out/compat $out/share/doc/hawser dist/target/training

# Bouncy Castle's jars are signed; what is linked into a runtime image no longer is.
quietly "$JAVA_HOME/bin/jlink" --module-path $modules --add-modules hawser.tools --output $out/lib/java \
  --ignore-signing-information --no-header-files --no-man-pages

export JAVA=$out/lib/java/bin/java
unset MODULES START
# Started as every short command is, for the cache serves only a JVM with the same flags.
quietly env START=-XX:AOTCacheOutput=$out/lib/start.aot MAIN=hawser.tools.dist.Training \
  sh dist/launch.sh dist/target/training
quietly env MAIN=hawser.tools.dist.Pages sh dist/launch.sh $out/share

cp dist/launch.sh $out/lib/
cp dist/hawser.sh $out/bin/hawser
for name in qemu-img qemu-io qemu-nbd virtiofsd; do
  sed "s/^program=\$/program=$name/" dist/hawser.sh >$out/compat/$name
done
# What management software finds back-ends by (vhost-user.json): for a package that lies in $PREFIX.
prefix=${PREFIX:-/opt/hawser}
for program in $out/share/man/man1/hawser-vhost-user-*.1 $out/share/man/man1/hawser-virtiofsd.1; do
  program=$(basename "$program" .1)
  program=${program#hawser-}
  case $program in vhost-user-blk) type=block ;; virtiofsd) type=fs ;; *) type=${program#vhost-user-} ;; esac
  mkdir -p $out/libexec $out/share/qemu/vhost-user
  sed "s/^program=\$/program=$program/" dist/hawser.sh >$out/libexec/$program
  cat >$out/share/qemu/vhost-user/50-hawser-$type.json <<END
{
  "description": "Hawser $program",
  "type": "$type",
  "binary": "$prefix/libexec/$program"
}
END
done
chmod 755 $out/bin/* $out/compat/* $out/libexec/*
cp LICENSE *.md $out/share/doc/hawser/

tar -C dist/target --owner=0 --group=0 -czf "dist/target/hawser-$version.tar.gz" hawser
du -sh $out dist/target/hawser-*.tar.gz
