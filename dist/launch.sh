# Becomes the program that the arguments name. All of it is built into the shell: a second process
# would cost more than the flags gain. Given by whoever sources it or runs it:
#   JAVA     the java executable
#   MODULES  the folder of our modules; unset where they are linked into that Java
#   START    a flag about the start-up cache, or unset
#   MAIN     another main class than the programs' own, or unset

# A short command is over before an optimising compiler or a second collector thread would pay.
flags="-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
# What moves much data spends its time in the kernel and in libraries, not in Java: it only needs its
# heap kept small, for the data lies outside of it.
case ${1-} in
  img | qemu-img)
    case ${2-} in convert | compare | check | rebase | dd) flags="$flags -Xmx256m" ;; esac
    ;;
  # A server runs long enough for all of its Java to be compiled well. Its threads come and go with
  # its clients: the C library would keep what they free, in an arena for each of them and, after the
  # first large one, large blocks too, three times what is in use.
  up | nbd | qemu-nbd | vhost-user-* | virtiofsd)
    flags="-XX:+UseSerialGC -Xmx256m"
    # A share knows as many files as its heap has room for, and takes memory only as it knows them. The
    # young part has room for all that a guest who arrives with 100,000 of them needs, or garbage would
    # be collected while it waits.
    [ "$1" != virtiofsd ] || flags="-XX:+UseSerialGC -Xmx2g -Xmn112m"
    export MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=1048576
    ;;
  io | qemu-io) flags="-XX:+UseSerialGC -Xmx256m" ;;
  nbdcopy) flags="$flags -Xmx256m" ;;
esac

exec "$JAVA" $flags -XX:-UsePerfData ${START:+"$START"} \
  --enable-native-access=hawser.sys,com.github.luben.zstd_jni \
  ${MODULES:+-p "$MODULES"} -m "hawser.tools/${MAIN:-hawser.tools.Main}" "$@"
