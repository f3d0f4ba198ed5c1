#!/bin/sh
# Starts a program of this folder, wherever the folder is.
program=
self=$0
# Only a link costs a second process, to be resolved.
[ ! -h "$self" ] || self=$(readlink -f "$self")
home=${self%/*}/..
JAVA=$home/lib/java/bin/java
START=-XX:AOTCache=$home/lib/start.aot
[ -z "$program" ] || set -- "$program" "$@"
. "$home/lib/launch.sh"
