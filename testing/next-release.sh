# Programs of the next release of Debian, for machines whose own release has none or older ones.
# Sourced.
NEXT=trixie

# unpack_next FOLDER PACKAGE...: unpacks packages below FOLDER/unpacked; they find each other's
# libraries there when they are started by the loader among them. Nothing is installed.
unpack_next() {
  folder=$1
  shift
  apt=$folder/apt
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts"
  awk -v RS= '/Suites:[^\n]*-security/ { next } !done { sub(/Suites:[^\n]*/, "Suites: '$NEXT'"); print; done = 1 }' \
    /etc/apt/sources.list.d/debian.sources >"$apt/parts/next.sources"
  packages=$*
  set -- -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" \
    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Sandbox::User=root
  apt-get -qq "$@" update
  # shellcheck disable=SC2086
  (cd "$folder" && apt-get -qq "$@" download $packages)
  for package in "$folder"/*.deb; do
    dpkg -x "$package" "$folder/unpacked"
  done
  rm -rf "$apt" "$folder"/*.deb
}
