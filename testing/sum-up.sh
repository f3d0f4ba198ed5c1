#!/bin/sh
# After a test run: how many tests there were in all modules, and each one skipped, with its reason.
cd "$(dirname "$0")/.."
find . -path '*/target/surefire-reports/TEST-*.xml' 2>/dev/null | sort | xargs -r awk '
  function field(name,    at) {
    at = match($0, "[ ]" name "=\"[^\"]*\"")
    return at ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
  }
  /<testsuite / { run += field("tests"); bad += field("failures") + field("errors"); skipped += field("skipped") }
  /<testcase / { test = field("classname") "." field("name") }
  /<skipped/ { print "skipped: " test " (" field("message") ")" }
  END { printf "hawser: %d tests, %d failed, %d skipped\n", run, bad, skipped }'
