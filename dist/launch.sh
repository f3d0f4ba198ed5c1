# Sourced with JAVA (the executable) and MODULES (the module path) set: becomes the program that the
# arguments name. Everything here is built into the shell, because each process it started would
# cost more than the JVM flags gain.

# A short command is over before an optimising compiler or a second collector thread would pay.
flags="-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
# A long one compiles fully; its bulk data lies outside the heap, which can stay small.
long="-XX:+UseSerialGC -Xmx256m"
case ${1-} in
  up | nbd | qemu-nbd | nbdcopy | io | qemu-io) flags=$long ;;
  img | qemu-img)
    case ${2-} in convert | compare | check | bench | commit | rebase) flags=$long ;; esac
    ;;
esac

exec "$JAVA" $flags ${CACHE-} -XX:-UsePerfData -Xshare:auto --enable-native-access=hawser.sys \
  -p "$MODULES" -m hawser.tools/hawser.tools.Main "$@"
