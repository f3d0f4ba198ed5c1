package hawser.sys;

import static hawser.sys.Native.bind;
import static hawser.sys.Native.broken;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * Starts programs that are given an open descriptor, or becomes one, which {@link ProcessBuilder}
 * cannot do.
 */
public final class Spawn {
  /** More than any C library's posix_spawn_file_actions_t. */
  private static final int FILE_ACTIONS_BYTES = 512;

  private static final MethodHandle ACTIONS_INIT =
      bind("posix_spawn_file_actions_init", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  private static final MethodHandle ACTIONS_ADD_DUP2 =
      bind(
          "posix_spawn_file_actions_adddup2",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle ACTIONS_DESTROY =
      bind("posix_spawn_file_actions_destroy", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  private static final MethodHandle SPAWN =
      bind(
          "posix_spawnp",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

  private static final NumberCall EXECVE = NumberCall.ofInt("execve");

  private Spawn() {}

  /**
   * execve(2): this process becomes another program, with the rights and the view of the calling
   * thread; all other threads end. Returns only with a negated error number.
   *
   * @param program its path
   * @param environment all of it, as {@code NAME=value}
   */
  public static long become(String program, List<String> command, List<String> environment) {
    try (var arena = Arena.ofConfined()) {
      long path = arena.allocateFrom(program).address();
      long words = strings(command, arena).address();
      return EXECVE.call(path, words, strings(environment, arena).address());
    }
  }

  /**
   * posix_spawnp(3): answers the process's number, or a negated error number.
   *
   * @param environment all of it, as {@code NAME=value}
   * @param descriptor one of ours
   * @param as the number under which the program finds it
   */
  public static long start(List<String> command, List<String> environment, int descriptor, int as) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment actions = arena.allocate(FILE_ACTIONS_BYTES, 16);
      MemorySegment words = strings(command, arena);
      MemorySegment pid = arena.allocate(4, 4);
      // These answer with the error number itself.
      int error = (int) ACTIONS_INIT.invokeExact(state(), actions);
      if (error != 0) {
        return -error;
      }
      error = (int) ACTIONS_ADD_DUP2.invokeExact(state(), actions, descriptor, as);
      if (error == 0) {
        MemorySegment name = words.get(ADDRESS, 0);
        MemorySegment variables = strings(environment, arena);
        error =
            (int)
                SPAWN.invokeExact(
                    state(), pid, name, actions, MemorySegment.NULL, words, variables);
      }
      int _ = (int) ACTIONS_DESTROY.invokeExact(state(), actions);
      return error == 0 ? pid.get(JAVA_INT, 0) : -error;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** A char*[] that ends with NULL. */
  private static MemorySegment strings(List<String> words, Arena arena) {
    MemorySegment all = arena.allocate(ADDRESS, words.size() + 1L);
    for (int i = 0; i < words.size(); i++) {
      all.setAtIndex(ADDRESS, i, arena.allocateFrom(words.get(i)));
    }
    return all;
  }
}
