package hawser.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets this process make no other system calls than a daemon of files and unix sockets needs
 * (seccomp(2)): for all of its threads, those of the Java virtual machine too, and for good. A
 * filter is a program of the classic BPF machine that looks at a call's number and parameters.
 */
public final class Seccomp {
  /** What the kernel does with any other call. */
  public enum Action {
    /** Ends the process. */
    KILL(0x8000_0000),
    /** Sends SIGSYS to the thread. */
    TRAP(0x0003_0000),
    /** Only writes it to the kernel's log. */
    LOG(0x7ffc_0000);

    private final int answer;

    Action(int answer) {
      this.answer = answer;
    }
  }

  /** One instruction (struct sock_filter). */
  private record Instruction(int code, int ifTrue, int ifFalse, int operand) {}

  private static final int LOAD_WORD = 0x20;
  private static final int JUMP_EQUAL = 0x15;
  private static final int JUMP_AT_LEAST = 0x35;
  private static final int JUMP_ANY_BIT = 0x45;
  private static final int RETURN = 0x06;
  private static final int INSTRUCTION_BYTES = 8;

  // struct seccomp_data: nr, arch, instruction pointer, six parameters; both machines are
  // little-endian, so that a parameter's low half comes first.
  private static final int NUMBER_AT = 0;
  private static final int MACHINE_AT = 4;
  private static final int PARAMETERS_AT = 16;

  private static final int ALLOW = 0x7fff_0000;
  private static final int ERRNO = 0x0005_0000;
  private static final int ENOSYS = 38;
  private static final int MACHINE = Linux.onAarch64() ? 0xc000_00b7 : 0xc000_003e;

  /** Numbers of the x32 calls, which would go past the list (asm/unistd.h). */
  private static final int X32 = 0x4000_0000;

  private static final int CLONE = Linux.onAarch64() ? 220 : 56;
  private static final int CLONE3 = 435;
  private static final int UNSHARE = Linux.onAarch64() ? 97 : 272;
  private static final int SOCKET = Linux.onAarch64() ? 198 : 41;
  private static final int TGKILL = Linux.onAarch64() ? 131 : 234;
  private static final int IOCTL = Linux.onAarch64() ? 29 : 16;
  private static final int SYS_SECCOMP = Linux.onAarch64() ? 277 : 317;

  private static final int CLONE_FS = 0x200;

  /** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
  private static final int ANY_NEW_NAMESPACE = 0x7e02_0000;

  /** Types into the terminal that the process was started from. */
  private static final int TIOCSTI = 0x5412;

  /** Pastes into a console. */
  private static final int TIOCLINUX = 0x541c;

  private static final int SET_MODE_FILTER = 1;
  private static final int FLAG_ALL_THREADS = 1;

  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");
  private static final NumberCall GETPID = NumberCall.ofInt("getpid");

  private final List<Instruction> program = new ArrayList<>();
  private final int otherwise;

  private Seccomp(Action action) {
    this.otherwise = action.answer;
  }

  /**
   * Confines every thread of this process, now and later; the calling one must have given up new
   * privileges ({@link PrivilegeCalls#noNewPrivileges}). Answers 0 or a negated error number.
   */
  public static long confine(Action action) {
    var filter = new Seccomp(action);
    filter.write((int) GETPID.call(0));
    try (var arena = Arena.ofConfined()) {
      // struct sock_fprog: a count and a pointer
      MemorySegment header = arena.allocate(16, 8);
      header.set(JAVA_SHORT, 0, (short) filter.program.size());
      header.set(ADDRESS, 8, filter.encode(arena));
      return SYSCALL.call(SYS_SECCOMP, SET_MODE_FILTER, FLAG_ALL_THREADS, header.address());
    }
  }

  private void write(int self) {
    load(MACHINE_AT);
    add(JUMP_EQUAL, 1, 0, MACHINE);
    answer(Action.KILL.answer);
    load(NUMBER_AT);
    add(JUMP_AT_LEAST, 0, 1, X32);
    answer(otherwise);
    for (Syscall call : Syscall.values()) {
      if (call.exists()) {
        add(JUMP_EQUAL, 0, 1, call.number);
        answer(ALLOW);
      }
    }
    // Its flags lie where a filter cannot look; the C library then takes clone.
    add(JUMP_EQUAL, 0, 1, CLONE3);
    answer(ERRNO | ENOSYS);
    withParameter(CLONE, 0, JUMP_ANY_BIT, ANY_NEW_NAMESPACE, otherwise, ALLOW);
    withParameter(UNSHARE, 0, JUMP_EQUAL, CLONE_FS, ALLOW, otherwise);
    withParameter(SOCKET, 0, JUMP_EQUAL, SocketAddress.AF_UNIX, ALLOW, otherwise);
    withParameter(TGKILL, 0, JUMP_EQUAL, self, ALLOW, otherwise);
    add(JUMP_EQUAL, 0, 5, IOCTL);
    load(PARAMETERS_AT + Long.BYTES);
    add(JUMP_EQUAL, 2, 0, TIOCSTI);
    add(JUMP_EQUAL, 1, 0, TIOCLINUX);
    answer(ALLOW);
    answer(otherwise);
    answer(otherwise);
  }

  /** A call that depends on the low half of one parameter; the number is loaded before. */
  private void withParameter(
      int call, int parameter, int test, int operand, int whenTrue, int whenFalse) {
    add(JUMP_EQUAL, 0, 4, call);
    load(PARAMETERS_AT + parameter * Long.BYTES);
    add(test, 0, 1, operand);
    answer(whenTrue);
    answer(whenFalse);
  }

  private void load(int offset) {
    add(LOAD_WORD, 0, 0, offset);
  }

  private void answer(int value) {
    add(RETURN, 0, 0, value);
  }

  private void add(int code, int ifTrue, int ifFalse, int operand) {
    program.add(new Instruction(code, ifTrue, ifFalse, operand));
  }

  private MemorySegment encode(Arena arena) {
    MemorySegment raw = arena.allocate((long) program.size() * INSTRUCTION_BYTES, 8);
    long at = 0;
    for (Instruction each : program) {
      raw.set(JAVA_SHORT, at, (short) each.code());
      raw.set(JAVA_BYTE, at + 2, (byte) each.ifTrue());
      raw.set(JAVA_BYTE, at + 3, (byte) each.ifFalse());
      raw.set(JAVA_INT, at + 4, each.operand());
      at += INSTRUCTION_BYTES;
    }
    return raw;
  }
}
