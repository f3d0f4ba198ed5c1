#!/bin/sh
# Makes the programs of peers.txt, and a kernel for guests, available: installs what is missing where
# that is allowed, names it elsewhere. Never fails: the tests that need a missing program say so and
# are skipped.
set -eu
list=$(dirname "$0")/peers.txt
. "$(dirname "$0")/next-release.sh"
SOURCE=/etc/apt/sources.list.d/hawser-backports.sources

# The first number of the version that a command prints.
major() {
  "$1" --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9][0-9]*\).*/\1/p'
}

# Whether $1 is there in version $2 or newer.
present() {
  command -v "$1" >/dev/null || return 1
  [ "$2" = - ] || [ "$(major "$1")" -ge "$2" ]
}

# The missing ones as lines of peers.txt.
missing() {
  grep -v '^#' "$list" | while read -r command package lowest; do
    present "$command" "$lowest" || echo "$command $package $lowest"
  done
}

# The first number of the version of a package that apt would install; 0 when there is none.
offered() {
  version=$(apt-cache policy "$1" | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9]*\).*/\2/p')
  echo "${version:-0}"
}

# Adds the backports of this release, in the words of the source that this machine already has.
add_backports() {
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [ -z "$codename" ] || grep -rqs "$codename-backports" /etc/apt/sources.list /etc/apt/sources.list.d; then
    return 0
  fi
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] || continue
    awk -v RS= -v codename="$codename" '
      $0 ~ "Suites:[^\n]*[ \t]" codename "([ \t\n]|$)" && !done {
        sub(/Suites:[^\n]*/, "Suites: " codename "-backports"); print; done = 1
      }' "$file" >"$SOURCE"
    [ -s "$SOURCE" ] && return 0
  done
  rm -f "$SOURCE"
  if [ -r /etc/apt/sources.list ]; then
    sed -n "s/^\(deb .*\) $codename \(.*\)/\1 $codename-backports \2/p" /etc/apt/sources.list \
      | head -n 1 >"${SOURCE%.sources}.list"
  fi
}

install_missing() {
  export DEBIAN_FRONTEND=noninteractive
  echo "hawser: installing the programs that tests run against: $(echo "$wanted" | cut -d' ' -f1 | paste -sd' ' -)"
  apt-get update -qq || true
  if echo "$wanted" | while read -r _ package lowest; do
    [ "$lowest" = - ] || [ "$(offered "$package")" -ge "$lowest" ] || exit 1
  done; then
    suite=
  else
    add_backports
    apt-get update -qq || true
    suite="-t $(. /etc/os-release && echo "$VERSION_CODENAME")-backports"
  fi
  # shellcheck disable=SC2086
  apt-get install -qq -y --no-install-recommends \
    $(echo "$wanted" | awk '$3 == "-" { print $2 }' | sort -u) >/dev/null || true
  # shellcheck disable=SC2086
  apt-get install -qq -y --no-install-recommends $suite \
    $(echo "$wanted" | awk '$3 != "-" { print $2 }' | sort -u) >/dev/null || true
}

# What guests run: a kernel and a busybox that needs no libraries, unpacked and never installed.
fetch_guest() {
  guest=$(dirname "$0")/target/guest
  [ ! -d "$guest" ] || return 0
  if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
    [ "$(id -u)" != 0 ] || [ "$(offered linux-image-cloud-amd64)" != 0 ] || apt-get update -qq || true
    kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null \
      | sed -n 's/^ *Depends: *\(linux-image-[^ ]*\)$/\1/p' | head -n 1)
    packages=$(mktemp -d)
    if [ -n "$kernel" ] && echo "hawser: fetching $kernel for the guests of tests" \
      && (cd "$packages" && apt-get download -qq "$kernel" busybox-static >/dev/null 2>&1); then
      rm -rf "$guest.new"
      mkdir -p "$guest.new"
      for package in "$packages"/*.deb; do
        dpkg -x "$package" "$guest.new"
      done
      mv "$guest.new" "$guest"
    fi
    rm -rf "$packages"
  fi
  [ -d "$guest" ] || echo "hawser: no kernel for guests (Debian's packages linux-image-cloud-amd64 and busybox-static); their tests will be skipped"
}

# Rust's virtiofsd, which this release may not have: a script in testing/target/virtiofsd starts the
# next release's with that release's C library. /usr/libexec/virtiofsd is not looked at: before
# version 8 QEMU brought another program of that name.
fetch_virtiofsd() {
  folder=$(cd "$(dirname "$0")" && pwd)/target/virtiofsd
  [ ! -x "$folder/virtiofsd" ] || return 0
  if [ "$(id -u)" = 0 ] && [ "$(uname -m)" = x86_64 ] && [ -r /etc/apt/sources.list.d/debian.sources ]; then
    rm -rf "$folder"
    echo "hawser: fetching virtiofsd"
    if unpack_next "$folder" virtiofsd libc6 libgcc-s1 libcap-ng0 libseccomp2 >/dev/null 2>&1; then
      cat >"$folder/virtiofsd" <<'END'
#!/bin/sh
root=$(dirname "$0")/unpacked/usr
lib=$root/lib/x86_64-linux-gnu
exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$root/libexec/virtiofsd" "$@"
END
      chmod +x "$folder/virtiofsd"
    fi
  fi
  [ -x "$folder/virtiofsd" ] || echo "hawser: no virtiofsd (Debian's package virtiofsd, release $NEXT); its tests will be skipped"
}

# libblkio, a vhost-user front-end for programs in C, with the C library of its release.
fetch_blkio() {
  folder=$(cd "$(dirname "$0")" && pwd)/target/blkio
  library=$folder/unpacked/usr/lib/x86_64-linux-gnu/libblkio.so.1
  [ ! -e "$library" ] || return 0
  if [ "$(id -u)" = 0 ] && [ "$(uname -m)" = x86_64 ] && [ -r /etc/apt/sources.list.d/debian.sources ]; then
    rm -rf "$folder"
    echo "hawser: fetching libblkio"
    unpack_next "$folder" libblkio1 libblkio-dev libc6 libgcc-s1 >/dev/null 2>&1 || rm -rf "$folder"
  fi
  [ -e "$library" ] || echo "hawser: no libblkio (Debian's package libblkio-dev, release $NEXT); its tests will be skipped"
}

# The sources of zlib, which a guest builds in a shared folder when FileSystemStressTest does all it can.
fetch_project() {
  folder=$(cd "$(dirname "$0")" && pwd)/target/project
  archive=${folder%/*}/project.tar
  [ ! -e "$archive" ] || return 0
  if [ "$(id -u)" = 0 ] && [ -r /etc/apt/sources.list.d/debian.sources ]; then
    echo "hawser: fetching the sources of zlib"
    rm -rf "$folder"
    mkdir -p "$folder/lists/partial" "$folder/parts"
    awk -v RS= '!done { sub(/Types:[^\n]*/, "Types: deb-src"); print; done = 1 }' \
      /etc/apt/sources.list.d/debian.sources >"$folder/parts/sources.sources"
    set -- -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/parts" \
      -o Dir::State::lists="$folder/lists" -o APT::Sandbox::User=root
    (cd "$folder" && apt-get "$@" update && apt-get "$@" source --download-only zlib \
      && mv zlib_*.orig.tar.* "$archive") >/dev/null 2>&1 || true
    rm -rf "$folder"
  fi
  [ -e "$archive" ] || echo "hawser: no sources of zlib (apt-get source zlib); only FileSystemStressTest with -Dhawser.stress=all wants them"
}

fetch_guest
fetch_virtiofsd
fetch_blkio
fetch_project
wanted=$(missing)
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -r /etc/debian_version ]; then
  install_missing
  wanted=$(missing)
fi
[ -z "$wanted" ] || echo "$wanted" | while read -r command package lowest; do
  echo "hawser: $command is missing; its tests will be skipped (Debian's package $package$([ "$lowest" = - ] || echo ", version $lowest or newer"))"
done
